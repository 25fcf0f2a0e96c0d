//! What boma logs in with.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

/// A way to prove who is logging in.
#[derive(Clone)]
pub enum Auth {
    /// A private key: the text of an OpenSSH, PKCS#8 or PKCS#1 file without a passphrase.
    Key(SecretString),
    /// The agent that listens on this socket (`SSH_AUTH_SOCK`); its keys are tried in its order.
    Agent(PathBuf),
}

impl fmt::Debug for Auth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(_) => formatter.write_str("Key"),
            Self::Agent(socket) => write!(formatter, "Agent({})", socket.display()),
        }
    }
}
