//! One listener on loopback for each host that answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::lab::core::Core;

use super::hosts::Hosts;
use super::key::host_key;
use super::server;

/// The listeners, by the managed object id of their host's machine.
pub(in crate::lab) struct Network {
    runtime: Handle,
    seed: u64,
    /// Its core owns this.
    core: Weak<Mutex<Core>>,
    listeners: BTreeMap<String, Listener>,
}

/// One host's listener.
struct Listener {
    port: u16,
    /// Host keys and boots: connections do not outlive either.
    epoch: watch::Sender<(u64, u64)>,
    task: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Network {
    /// Nothing listens yet. Must be called within a runtime.
    pub(in crate::lab) fn new(seed: u64, core: Weak<Mutex<Core>>) -> Self {
        Self { runtime: Handle::current(), seed, core, listeners: BTreeMap::new() }
    }

    /// Opens what should listen and closes what should not.
    pub(in crate::lab) fn follow(&mut self, hosts: &Hosts) {
        self.listeners.retain(|id, _| hosts.get(id).is_some_and(|host| host.answers()));
        for host in hosts.iter().filter(|host| host.answers()) {
            let epoch = (host.state.keys, host.state.boots);
            if let Some(listener) = self.listeners.get(&host.facts.id) {
                listener.epoch.send_if_modified(|known| {
                    let changed = *known != epoch;
                    *known = epoch;
                    changed
                });
                continue;
            }
            match self.open(&host.facts.id, epoch) {
                Ok(listener) => {
                    self.listeners.insert(host.facts.id.clone(), listener);
                }
                Err(error) => tracing::warn!(%error, "the lab opens no port for a host"),
            }
        }
    }

    /// The port where a host listens.
    pub(in crate::lab) fn port(&self, id: &str) -> Option<u16> {
        self.listeners.get(id).map(|listener| listener.port)
    }

    /// Closes everything.
    pub(in crate::lab) fn close(&mut self) {
        self.listeners.clear();
    }

    fn open(&self, id: &str, epoch: (u64, u64)) -> std::io::Result<Listener> {
        let socket = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        socket.set_nonblocking(true)?;
        let port = socket.local_addr()?.port();
        let (epoch, seen) = watch::channel(epoch);
        let place = Place { id: id.to_owned(), seed: self.seed, core: self.core.clone() };
        let task = self.runtime.spawn(accept(socket, place, seen));
        Ok(Listener { port, epoch, task })
    }
}

/// Which host a connection is to.
#[derive(Clone)]
pub(super) struct Place {
    pub id: String,
    pub seed: u64,
    pub core: Weak<Mutex<Core>>,
}

impl Place {
    /// The lab, while it is there.
    pub(super) fn core(&self) -> Option<Arc<Mutex<Core>>> {
        self.core.upgrade()
    }
}

async fn accept(
    socket: std::net::TcpListener,
    place: Place,
    mut epoch: watch::Receiver<(u64, u64)>,
) {
    let Ok(socket) = tokio::net::TcpListener::from_std(socket) else { return };
    let mut connections = JoinSet::new();
    let mut config = configure(&place, epoch.borrow_and_update().0);
    loop {
        tokio::select! {
            accepted = socket.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(server::serve(stream, Arc::clone(&config), place.clone()));
                }
            }
            changed = epoch.changed() => {
                if changed.is_err() {
                    return;
                }
                connections.abort_all();
                config = configure(&place, epoch.borrow_and_update().0);
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

fn configure(place: &Place, keys: u64) -> Arc<russh::server::Config> {
    server::config(host_key(place.seed, &place.id, keys))
}
