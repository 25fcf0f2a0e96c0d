//! How a connection becomes root.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::connection::Connection;
use super::exec::{Job, Trouble};
use super::{Command, HostError, Output};

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
    /// The words before the command's own.
    pub(super) fn prefix(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Silent => &["sudo", "-n", "--"],
            Self::Password => &["sudo", "-k", "-S", "-p", "", "--", "env"],
        }
    }
}

impl Connection {
    /// Finds out how this connection becomes root. Asks nothing where there is no password; else
    /// whether sudo wants one at all, and then whether it is the right one.
    ///
    /// # Errors
    /// The host could not be asked, or sudo refuses.
    pub(super) async fn become_root(
        &self,
        password: Option<&SecretString>,
        limits: (Duration, Duration),
    ) -> Result<Sudo, Trouble> {
        if self.user == "root" {
            return Ok(Sudo::None);
        }
        let Some(password) = password else { return Ok(Sudo::Silent) };
        let find_out = self.sudo.get_or_try_init(|| self.try_sudo(password, limits)).await;
        match find_out {
            Ok(known) => known.clone().map_err(Trouble::Error),
            // The question was cut off; the command itself was not sent.
            Err(Trouble::Error(error @ (HostError::Cut { .. } | HostError::Idle { .. }))) => {
                Err(Trouble::Gone(error))
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// The error of a command that sudo did not let run.
    pub(super) fn sudo_error(&self, problem: String) -> HostError {
        let (machine, user) = (self.peer.machine.clone(), self.user.clone());
        let problem = super::error::tail(&problem);
        HostError::Sudo { machine, user, problem }
    }

    async fn try_sudo(
        &self,
        password: &SecretString,
        (limit, open_limit): (Duration, Duration),
    ) -> Result<Result<Sudo, HostError>, Trouble> {
        if password.expose_secret().contains(['\n', '\0']) {
            return Ok(Err(self.sudo_error("the password holds a line break".into())));
        }
        let silent = Command::new("sudo").args(["-k", "-n", "--", "env", "true"]);
        let job = |command: &Command, line, input| Job {
            shown: command.to_string(),
            line,
            input,
            limit,
            open_limit,
        };
        let line = silent.line(Sudo::None).map_err(Trouble::Error)?;
        if self.exec(job(&silent, line, Vec::new())).await?.success() {
            return Ok(Ok(Sudo::Silent));
        }
        let asked = Command::new("true");
        let line = asked.line(Sudo::Password).map_err(Trouble::Error)?;
        let output = self.exec(job(&asked, line, asked.input(Some(password)))).await?;
        if output.success() {
            return Ok(Ok(Sudo::Password));
        }
        let problem = refusal(&output).unwrap_or_else(|| output.stderr.trim().to_owned());
        Ok(Err(self.sudo_error(problem)))
    }
}

/// What sudo said, where it was sudo that failed and not the command.
pub(super) fn refusal(output: &Output) -> Option<String> {
    const SAID: [&str; 9] = [
        "sudo: a password is required",
        "sudo: no password was provided",
        "sudo: a terminal is required",
        "sudo: sorry, you must have a tty",
        "incorrect password attempt",
        "Sorry, try again",
        "not in the sudoers",
        "is not allowed to execute",
        "may not run sudo",
    ];
    if output.success() {
        return None;
    }
    if output.stderr.contains("Sorry, try again") || output.stderr.contains("incorrect password") {
        return Some("the password is wrong".into());
    }
    if output.status == 127 && output.stderr.contains("sudo: ") {
        return Some("sudo is not installed".into());
    }
    let said = |line: &&str| SAID.iter().any(|text| line.contains(text));
    output.stderr.lines().find(said).map(|line| line.trim().to_owned())
}
