//! A port on loopback for kubectl and others, with a kubeconfig beside the world.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::kubeconfig::kubeconfig;
use super::server;
use crate::lab::core::{Core, now};
use crate::lab::journal::replace;

/// The port; it closes when this goes.
pub(in crate::lab) struct Port {
    /// On 127.0.0.1.
    pub number: u16,
    task: JoinHandle<()>,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The kubeconfig's name in the world's directory.
const FILE: &str = "kubeconfig";
/// How often to look whether there is another cluster now.
const LOOK: Duration = Duration::from_millis(200);

/// Where the kubeconfig is, or will be once there is a cluster.
pub(in crate::lab) fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

impl Port {
    /// Listens; every connection reaches a server of the newest cluster that answers.
    ///
    /// # Errors
    /// What the operating system says.
    pub(in crate::lab) async fn open(
        core: Weak<Mutex<Core>>,
        directory: &Path,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let number = listener.local_addr()?.port();
        let task = tokio::spawn(accept(listener, core, directory.to_owned(), number));
        Ok(Self { number, task })
    }
}

async fn accept(listener: TcpListener, core: Weak<Mutex<Core>>, directory: PathBuf, port: u16) {
    let mut connections = JoinSet::new();
    let mut look = tokio::time::interval(LOOK);
    let mut written = None;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Some(core) = core.upgrade() else { return };
                let door = lock(&core).any_door();
                if let (Ok((stream, _)), Some(door)) = (accepted, door) {
                    connections.spawn(server::serve(stream, core, door));
                }
            }
            _ = look.tick() => {
                let Some(core) = core.upgrade() else { return };
                write(&core, &directory, port, &mut written);
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Writes the kubeconfig where the cluster is another one than that of the last.
fn write(core: &Mutex<Core>, directory: &Path, port: u16, written: &mut Option<String>) {
    let core = lock(core);
    let Some(door) = core.any_door().filter(|door| written.as_ref() != Some(&door.cluster)) else {
        return;
    };
    let server = format!("https://127.0.0.1:{port}");
    let text = core.hosts.clusters.get(&door.cluster).map(|one| kubeconfig(one, &server, now()));
    drop(core);
    if let Some(Ok(text)) = text {
        if let Err(error) = replace(directory, FILE, text.as_bytes()) {
            tracing::warn!(%error, "the lab cannot write its kubeconfig");
        }
        *written = Some(door.cluster);
    }
}

fn lock(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
