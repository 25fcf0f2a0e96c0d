//! What a finished command left.

use super::{Command, HostError, Target};

/// The result of a command that ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Exit status; 0 is success.
    pub status: i32,
    /// Standard output, as it came.
    pub stdout: Vec<u8>,
    /// Standard error; bytes that are not UTF-8 are replaced.
    pub stderr: String,
}

impl Output {
    /// Whether the status is 0.
    pub fn success(&self) -> bool {
        self.status == 0
    }

    /// Standard output as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Passes a success on.
    ///
    /// # Errors
    /// The status is not 0: [`HostError::Failed`] with the command and its standard error.
    pub fn ok(self, host: &Target, command: &Command) -> Result<Self, HostError> {
        if self.success() { Ok(self) } else { Err(HostError::failed(host, command, &self)) }
    }
}
