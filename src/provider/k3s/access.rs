//! The cluster's API through SSH: no port of this machine, and no way but the one to the hosts.

use std::sync::atomic::Ordering;

use secrecy::SecretString;

use super::Machines;
use super::kubectl::Servers;
use crate::provider::host::{Failure, command};
use crate::provider::kubernetes::{Access, Stream};
use crate::provider::{BoxFuture, ProviderError};

/// Where a k3s server has its API, on all its addresses.
const API_PORT: u16 = 6443;

impl Machines {
    /// The servers, beginning with the one whose turn it is.
    fn servers_in_turn(&self) -> Servers<'_> {
        let mut servers = self.servers(None);
        let turn = self.turn.load(Ordering::Relaxed).checked_rem(servers.targets.len());
        servers.targets.rotate_left(turn.unwrap_or(0));
        servers
    }

    /// The administrator's kubeconfig as the first live server has it. It names the server as
    /// `https://127.0.0.1:6443`.
    ///
    /// # Errors
    /// No server answers, or none has made one yet.
    async fn kubeconfig(&self) -> Result<SecretString, ProviderError> {
        let words = command(&["cat", "/etc/rancher/k3s/k3s.yaml"]).root();
        let answer = self.servers_in_turn().first(&words).await;
        answer.map(SecretString::from).map_err(|failure| failure.explain("read the kubeconfig"))
    }

    /// A connection to the API of the first server that has one, from that server itself. It stays
    /// the first until its API fails.
    ///
    /// # Errors
    /// None can be reached, or nothing listens there.
    async fn api(&self) -> Result<Box<dyn Stream>, Failure> {
        let servers = self.servers_in_turn();
        let mut away = Vec::new();
        for target in &servers.targets {
            match servers.hosts.stream_to(target, &target.address, API_PORT).await {
                Ok(stream) => return Ok(Box::new(stream)),
                Err(error) => away.push(error.to_string()),
            }
        }
        let message = match away.is_empty() {
            true => "no server of the cluster is known to run".to_owned(),
            false => format!("no server answers on port {API_PORT}: {}", away.join("; ")),
        };
        let help = "bring a server up (`systemctl status k3s` there says why it is down), then \
            try again";
        Err(Failure::later(message, help))
    }
}

impl Access for Machines {
    fn kubeconfig(&self) -> BoxFuture<'_, Result<SecretString, ProviderError>> {
        Box::pin(Self::kubeconfig(self))
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Stream>, ProviderError>> {
        Box::pin(async {
            let operation = "connect to the Kubernetes API";
            self.api().await.map_err(|failure| failure.explain(operation))
        })
    }

    fn move_on(&self) {
        self.turn.fetch_add(1, Ordering::Relaxed);
    }
}
