//! A world's directory: who owns it, and how others find the owner.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::host::Standing;
use super::journal::{Journal, replace};
use super::setup::Setup;
use super::vsphere::{ADMINISTRATOR, complete, password};
use super::world::{LabWorld, Record};

/// A world that this process owns and may serve.
pub struct Lab {
    pub(super) directory: PathBuf,
    pub(super) world: LabWorld,
    pub(super) standing: Standing,
    pub(super) site: super::kubernetes::Site,
    /// Names of storage policies beside the usual ones.
    pub(super) policies: Vec<String>,
    pub(super) journal: Journal,
    /// Held as long as the world is; the operating system releases it when the process dies.
    pub(super) lock: File,
}

/// A world, owned or not.
pub enum Opened {
    /// By this process.
    Owned(Box<Lab>),
    /// By another process, which serves it there.
    Served(Box<Endpoints>),
}

/// Where a served lab answers, and what its clients need.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// `https://127.0.0.1:PORT`; SOAP is at `/sdk`.
    pub vcenter_url: String,
    /// The only certificate authority to trust.
    pub ca_pem: String,
    /// SHA-256 of the server's certificate: upper-case hexadecimal, parted by colons.
    pub thumbprint: String,
    /// The administrator's account.
    pub username: String,
    /// The administrator's password.
    pub password: String,
    /// Opens the side door that [`super::Control`] uses.
    pub control_token: String,
    /// The process that serves.
    pub pid: u32,
    /// An OpenSSH private key that every host accepts, for the users that it has.
    #[serde(default)]
    pub ssh_user_key: String,
}

/// Why a world could not be opened or served.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A file of the world could not be read or written.
    #[error("use the lab's world in {}", directory.display())]
    Io {
        /// The world's directory.
        directory: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The certificate could not be made or used.
    #[error(
        "set up TLS for the lab; remove ca.pem, server.pem and server.key of the world to have them made again"
    )]
    Tls {
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was asked for cannot be.
    #[error("change the lab's world: {reason}")]
    Refused {
        /// What is wrong with the request.
        reason: String,
    },
    /// Another process holds the world, and it cannot be shared for this.
    #[error("use the lab's world in {}, which is held by another process; wait for that or end it", directory.display())]
    Held {
        /// The world's directory.
        directory: PathBuf,
    },
}

/// How long to wait for an owner to begin serving.
const OWNER_WAIT: Duration = Duration::from_secs(5);
const OWNER_POLL: Duration = Duration::from_millis(25);

impl Lab {
    /// Opens the world in a directory, and makes it there if there is none. Waits up to five
    /// seconds for an owner that has not begun to serve, so do not call it from an async task that
    /// others wait for.
    ///
    /// # Errors
    /// `Io` and `Held`.
    pub fn open(directory: &Path, setup: &Setup) -> Result<Opened, LabError> {
        let failed = |source| LabError::io(directory, source);
        std::fs::create_dir_all(directory).map_err(failed)?;
        let until = Instant::now() + OWNER_WAIT;
        loop {
            if let Some(lock) = try_lock(directory)? {
                remove(&directory.join(ENDPOINTS)).map_err(failed)?;
                let (mut journal, mut world) = Journal::open(directory, setup).map_err(failed)?;
                let entries = complete(&mut world.vsphere, setup);
                let records: Vec<Record> = entries.into_iter().map(Record::Vsphere).collect();
                journal.append(&records, world.picture()).map_err(failed)?;
                let standing = Standing { sudo: setup.sudo_passwords(), k3s: setup.k3s() };
                let directory = directory.to_owned();
                let site = setup.site();
                let policies = setup.policies.clone();
                let lab = Self { directory, world, standing, site, policies, journal, lock };
                return Ok(Opened::Owned(Box::new(lab)));
            }
            if let Some(endpoints) = read_endpoints(directory) {
                return Ok(Opened::Served(Box::new(endpoints)));
            }
            if Instant::now() > until {
                let directory = directory.to_owned();
                return Err(LabError::Held { directory });
            }
            std::thread::sleep(OWNER_POLL);
        }
    }

    /// The password of an account in a world of that seed.
    pub fn password_of(seed: u64, principal: &str) -> String {
        password(seed, &super::vsphere::one_form(principal))
    }

    /// What clients of this lab will be told.
    pub(super) fn endpoints(&self, port: u16, identity: &super::tls::Identity) -> Endpoints {
        let seed = self.world.vsphere.seed();
        Endpoints {
            vcenter_url: format!("https://127.0.0.1:{port}"),
            ca_pem: identity.ca_pem.clone(),
            thumbprint: identity.thumbprint.clone(),
            username: "administrator@vsphere.local".to_owned(),
            password: password(seed, ADMINISTRATOR),
            control_token: password(seed, "control token"),
            ssh_user_key: super::host::client_key(seed),
            pid: std::process::id(),
        }
    }
}

impl Endpoints {
    /// Tells other processes, once this one listens.
    pub(super) fn publish(&self, directory: &Path) -> Result<(), LabError> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other);
        let written = text.and_then(|text| replace(directory, ENDPOINTS, &text));
        written.map_err(|source| LabError::io(directory, source))
    }

    /// Stops telling.
    pub(super) fn withdraw(directory: &Path) -> Result<(), LabError> {
        remove(&directory.join(ENDPOINTS)).map_err(|source| LabError::io(directory, source))
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints")
            .field("vcenter_url", &self.vcenter_url)
            .field("thumbprint", &self.thumbprint)
            .field("username", &self.username)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

impl LabError {
    pub(super) fn io(directory: &Path, source: io::Error) -> Self {
        let directory = directory.to_owned();
        Self::Io { directory, source }
    }

    pub(super) fn tls(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        Self::Tls { source }
    }
}

/// Forgets a world: removes its directory.
///
/// # Errors
/// `Held` while a process owns it, and `Io`.
pub fn reset(directory: &Path) -> Result<(), LabError> {
    if !directory.exists() {
        return Ok(());
    }
    match try_lock(directory)? {
        Some(_lock) => {
            std::fs::remove_dir_all(directory).map_err(|source| LabError::io(directory, source))
        }
        None => Err(LabError::Held { directory: directory.to_owned() }),
    }
}

const ENDPOINTS: &str = "endpoints.json";

fn try_lock(directory: &Path) -> Result<Option<File>, LabError> {
    let failed = |source| LabError::io(directory, source);
    let mut options = File::options();
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join("lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// What the owner published; `None` while there is nothing, or only what a dead one left.
fn read_endpoints(directory: &Path) -> Option<Endpoints> {
    let bytes = std::fs::read(directory.join(ENDPOINTS)).ok()?;
    let endpoints: Endpoints = serde_json::from_slice(&bytes).ok()?;
    let processes = Path::new("/proc");
    let dead =
        processes.join("self").exists() && !processes.join(endpoints.pid.to_string()).exists();
    (!dead).then_some(endpoints)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
