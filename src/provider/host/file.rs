//! Files owned by root.

use std::fmt;

use secrecy::SecretString;

use super::{Command, HostError, Hosts, Target};

/// What a file holds.
#[derive(Clone)]
pub enum Content {
    /// Bytes that anybody may see.
    Plain(Vec<u8>),
    /// Text that is shown nowhere.
    Secret(SecretString),
}

/// A file of root's, as it shall be.
#[derive(Clone, Debug)]
pub struct RootFile {
    /// Absolute path.
    pub path: String,
    /// Permission bits, such as `0o600`.
    pub mode: u32,
    /// What it holds.
    pub content: Content,
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(bytes) => write!(formatter, "Plain({} bytes)", bytes.len()),
            Self::Secret(_) => formatter.write_str("Secret"),
        }
    }
}

impl Hosts {
    /// Writes a file as root, whole or not at all: into `.NAME.boma-new` in the same directory,
    /// which is created where it is missing, then renamed over the target.
    ///
    /// # Errors
    /// A command could not be run or failed; the target is then as it was before.
    pub async fn write(&self, host: &Target, file: &RootFile) -> Result<(), HostError> {
        let new = file.beside()?;
        self.run_ok(host, &file.install(&new)).await?;
        let rename = Command::new("mv").arg("-fT").arg(&new).arg(&file.path).root();
        self.run_ok(host, &rename).await.map(drop)
    }
}

impl RootFile {
    /// The name to fill before the rename.
    fn beside(&self) -> Result<String, HostError> {
        match self.path.rsplit_once('/') {
            Some((directory, name)) if self.path.starts_with('/') && !name.is_empty() => {
                Ok(format!("{directory}/.{name}.boma-new"))
            }
            _ => Err(HostError::Unsendable {
                command: format!("write {}", self.path),
                problem: "the path is not the absolute path of a file".into(),
            }),
        }
    }

    fn install(&self, new: &str) -> Command {
        let command = Command::new("install")
            .args(["-D", "-o", "root", "-g", "root", "-m"])
            .arg(format!("{:04o}", self.mode))
            .args(["/dev/stdin", new])
            .root();
        match &self.content {
            Content::Plain(bytes) => command.stdin(bytes.clone()),
            Content::Secret(text) => command.secret_stdin(text.clone()),
        }
    }
}
