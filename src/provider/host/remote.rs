//! One host, and what is asked of it.

use std::time::Duration;

use super::{Command, Failure, Hosts, Output, RootFile, Target};

/// How long a command may take that copies or installs something.
pub const LONG: Duration = Duration::from_secs(900);

/// One host through the run's connections.
#[derive(Clone, Copy)]
pub struct Remote<'a> {
    /// All connections.
    pub hosts: &'a Hosts,
    /// Which host.
    pub target: &'a Target,
}

impl Remote<'_> {
    /// Runs a command, whatever its exit status.
    ///
    /// # Errors
    /// The connection, or the time it may take.
    pub async fn ask(&self, command: &Command) -> Result<Output, Failure> {
        Ok(self.hosts.run(self.target, command).await?)
    }

    /// Runs a command that must succeed, and gives what it printed.
    ///
    /// # Errors
    /// The connection, or an exit status other than 0, with the command's own words.
    pub async fn run(&self, command: &Command) -> Result<String, Failure> {
        Ok(self.ask(command).await?.ok(self.target, command)?.text())
    }

    /// Runs words as root; see [`Self::run`].
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn root(&self, words: &[&str]) -> Result<String, Failure> {
        self.run(&command(words).root()).await
    }

    /// Writes a file of root's in one step: the old one or the new one is there, never a part.
    ///
    /// # Errors
    /// The connection, no space, a path that cannot be written.
    pub async fn write(&self, file: &RootFile) -> Result<(), Failure> {
        Ok(self.hosts.write(self.target, file).await?)
    }

    /// `server-1 (10.20.0.11)`
    pub fn name(&self) -> String {
        format!("{} ({})", self.target.machine, self.target.address)
    }
}

/// A command of plain words, the program first.
pub fn command(words: &[&str]) -> Command {
    let (program, arguments) = words.split_first().unwrap_or((&"true", &[]));
    Command::new(*program).args(arguments.iter().copied())
}
