//! How a connection becomes root.

/// What stands before a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sudo {
    /// Nothing: no root is wanted, or root itself logged in.
    None,
    /// sudo that must not ask.
    Silent,
    /// sudo that reads the password from the first line of standard input.
    ///
    /// `-k` makes it ask even where it would remember an earlier command: a password that nobody
    /// reads would become the first line of what the command reads. `env` stands in between so
    /// that one rule of sudoers holds for all commands, and one question tells for all whether
    /// sudo asks (a rule `NOPASSWD: /usr/bin/install` would otherwise differ from the rest).
    Password,
}

impl Sudo {
    pub(super) fn prefix(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Silent => &["sudo", "-n", "--"],
            Self::Password => &["sudo", "-k", "-S", "-p", "", "--", "env"],
        }
    }
}
