//! The cluster's API through a server that answers: `k3s kubectl` over SSH.

use std::time::Duration;

use super::cluster::Cluster;
use crate::provider::host::{Command, Failure, Hosts, Remote, Target, command};

/// The servers to ask, the one that most likely answers first.
pub struct Servers<'a> {
    /// All connections.
    pub hosts: &'a Hosts,
    /// In the order to try.
    pub targets: Vec<Target>,
}

/// What kubectl says where its server does not answer.
const AWAY: &[&str] = &[
    "was refused",
    "Unable to connect",
    "i/o timeout",
    "TLS handshake timeout",
    "ServiceUnavailable",
    "the server is currently unable",
    "etcdserver:",
    "connection reset",
    "unexpected EOF",
    "not found in PATH",
    "k3s: not found",
    "k3s: command not found",
];

impl Servers<'_> {
    /// Runs kubectl on the first server that answers.
    ///
    /// # Errors
    /// No server answers, or the one that does refuses, in its own words.
    pub async fn kubectl(&self, words: &[&str], timeout: Duration) -> Result<String, Failure> {
        let command = command(&["k3s", "kubectl"]).args(words.iter().copied());
        self.first(&command.root().timeout(timeout)).await
    }

    /// Runs a command on the first server whose API answers it.
    ///
    /// # Errors
    /// As [`Self::kubectl`].
    pub async fn first(&self, command: &Command) -> Result<String, Failure> {
        let mut away = Vec::new();
        for target in &self.targets {
            let remote = Remote { hosts: self.hosts, target };
            match remote.ask(command).await {
                Ok(output) if !output.success() && is_away(&output.stderr) => {
                    away.push(format!("{}: {}", target.machine, output.stderr.trim()));
                }
                Ok(output) => return Ok(output.ok(target, command)?.text()),
                Err(failure) => away.push(format!("{}: {failure}", target.machine)),
            }
        }
        let message = match away.is_empty() {
            true => "no server of the cluster is known to run".to_owned(),
            false => format!("no server answers: {}", away.join("; ")),
        };
        Err(Failure::later(
            message,
            "bring a server up (`systemctl status k3s` there says why it is down), then apply again",
        ))
    }

    /// The cluster's nodes. `None` where no server shows them.
    pub async fn cluster(&self) -> Option<Cluster> {
        let words = ["timeout", "10", "k3s", "kubectl", "get", "nodes", "-o", "json"];
        let answer = self.first(&command(&words).root().timeout(Duration::from_secs(15))).await;
        Cluster::parse(&answer.ok()?)
    }
}

fn is_away(stderr: &str) -> bool {
    AWAY.iter().any(|words| stderr.contains(words))
}
