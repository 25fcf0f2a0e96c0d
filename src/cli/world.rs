//! Everything that answers for objects: the real one, or the lab's.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::args::Home;
use super::error::{CliError, Exit};
use super::lab::{self, LabWorld};
use super::load::Loaded;
use super::signal::Signals;
use super::unavailable::Unavailable;
use super::{home, secrets, ssh};
use crate::plan::Live;
use crate::provider::Provider;
use crate::provider::host::{Hosts, Now, SshConfig, Target};
use crate::provider::k3s::Machines;
use crate::provider::kubernetes::Kubernetes;
use crate::provider::vsphere::{Trust, Vcenter, VcenterConfig};
use crate::resource::{Kind, hex};
use crate::secret::expand;
use crate::spec;
use crate::state::State;

/// Open connections.
pub struct World {
    /// The vCenter.
    pub vcenter: Arc<Vcenter>,
    /// The machines, where boma can log in to any.
    hosts: Option<Arc<Hosts>>,
    /// What is on the machines, where boma can log in to any.
    pub machines: Option<Arc<Machines>>,
    /// The cluster, where boma can log in to machines.
    pub kubernetes: Option<Arc<Kubernetes>>,
    /// All providers, by the first part of the endpoint's name.
    pub providers: BTreeMap<String, Arc<dyn Provider>>,
    lab: Option<LabWorld>,
}

impl World {
    /// Prepares connections; the real vCenter is not asked before something is read.
    async fn open(loaded: &Loaded, home: &Home) -> Result<Self, CliError> {
        let lab = match home.lab {
            true => Some(lab::open(loaded, &home::lab_dir(&loaded.spec)).await?),
            false => None,
        };
        let (vcenter, ssh) = match &lab {
            Some(lab) => (lab.vcenter_config()?, lab.ssh_config(&loaded.spec).await),
            None => (vcenter_config(loaded)?, ssh::config(loaded)),
        };
        let vcenter = Arc::new(Vcenter::new(vcenter)?);
        let hosts = ssh.and_then(|config: SshConfig| Ok(Arc::new(Hosts::new(config)?)));
        let machines = hosts.map(|hosts| {
            (hosts.clone(), Arc::new(Machines::new(hosts, clock(), servers(&loaded.spec))))
        });
        let (hosts, behind, kubernetes, machines) = match machines {
            Ok((hosts, machines)) => {
                let kubernetes = Arc::new(Kubernetes::new(machines.clone()));
                let cluster: Arc<dyn Provider> = kubernetes.clone();
                let behind: Arc<dyn Provider> = machines.clone();
                (Some(hosts), [behind, cluster], Some(kubernetes), Some(machines))
            }
            Err(error) => {
                let nobody: Arc<dyn Provider> = Arc::new(Unavailable(error));
                (None, [nobody.clone(), nobody], None, None)
            }
        };
        let [behind_hosts, cluster] = behind;
        let provider: Arc<dyn Provider> = vcenter.clone();
        let named = [("vcenter", provider), ("host", behind_hosts), ("kubernetes", cluster)];
        let providers = named.map(|(name, provider)| (name.to_owned(), provider)).into();
        Ok(Self { vcenter, hosts, machines, kubernetes, providers, lab })
    }

    /// Requests to the vCenter and the cluster, and commands on hosts, so far.
    pub fn requests(&self) -> u64 {
        let commands = self.hosts.as_ref().map_or(0, |hosts| hosts.requests());
        let cluster = self.kubernetes.as_ref().map_or(0, |kubernetes| kubernetes.requests());
        self.vcenter.requests().saturating_add(commands).saturating_add(cluster)
    }

    /// Takes the host keys that machines published themselves.
    pub fn learn(&self, live: &Live) {
        let Some(hosts) = &self.hosts else { return };
        let machine = Kind::named("vsphere/vm").map(|kind| kind.name).unwrap_or_default();
        let machines = live.iter().filter(|(address, _)| address.as_str().starts_with(machine));
        for (address, reading) in machines {
            let tree = reading.object().map(|object| object.attributes.tree());
            if let Some(key) = tree.as_ref().and_then(|tree| tree["host_key"].as_str()) {
                hosts.learn(address.name(), key);
            }
        }
    }

    async fn close(self) {
        if let Some(hosts) = &self.hosts {
            hosts.close().await;
        }
        self.vcenter.logout().await;
        if let Some(lab) = self.lab {
            lab.close().await;
        }
    }
}

/// Does some work with an open world, and closes it however the work ends.
///
/// # Errors
/// The world cannot be opened, or the work's own.
pub fn with<T>(
    loaded: &Loaded,
    home: &Home,
    work: impl AsyncFnOnce(&World) -> Result<T, CliError>,
) -> Result<T, CliError> {
    runtime()?.block_on(async {
        let world = World::open(loaded, home).await?;
        let result = work(&world).await;
        world.close().await;
        result
    })
}

/// The same for work that changes nothing: Ctrl-C ends it at once, and the session with it.
///
/// # Errors
/// The same, or interrupted.
pub fn with_reader<T>(
    loaded: &Loaded,
    home: &Home,
    work: impl AsyncFnOnce(&World) -> Result<T, CliError>,
) -> Result<T, CliError> {
    with(loaded, home, async |world| {
        let mut signals = Signals::listen();
        tokio::select! {
            result = work(world) => result,
            () = signals.next() => Err(interrupted()),
        }
    })
}

/// What a command says that a signal ended before it changed anything.
pub fn interrupted() -> CliError {
    CliError::new("interrupted", "nothing was changed").exit(Exit::Interrupted)
}

/// A runtime for one command: two threads are as many as boma's own work can use.
///
/// # Errors
/// The operating system gives no threads.
pub fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(
        |error| {
            CliError::new(
                format!("failed to start threads: {error}"),
                "see the limits of this account",
            )
        },
    )
}

/// The state of something that boma never worked on: a new name and a new key.
///
/// # Errors
/// The operating system gives no entropy.
pub fn new_state() -> Result<State, CliError> {
    let mut entropy = [0_u8; 48];
    getrandom::fill(&mut entropy).map_err(|error| {
        CliError::new(
            format!("failed to get entropy: {error}"),
            "see that /dev/urandom can be read",
        )
    })?;
    let (lineage, key) = entropy.split_at(16);
    let mut digest_key = [0_u8; 32];
    digest_key.copy_from_slice(key);
    Ok(State::new(hex(lineage), &digest_key))
}

/// Seconds since 1970.
fn clock() -> Now {
    Arc::new(|| jiff::Timestamp::now().as_second())
}

fn servers(spec: &spec::Spec) -> Vec<Target> {
    let target = |machine: &spec::Machine| Target {
        machine: machine.name.value.clone(),
        address: machine.address.to_string(),
    };
    spec.servers.iter().map(target).collect()
}

fn vcenter_config(loaded: &Loaded) -> Result<VcenterConfig, CliError> {
    let vcenter = &loaded.spec.vcenter;
    Ok(VcenterConfig {
        host: vcenter.server.value.clone(),
        port: vcenter.port.value,
        username: secrets::one(&vcenter.username, loaded)?.expose_secret().to_owned(),
        password: secrets::one(&vcenter.password, loaded)?,
        trust: trust(loaded)?,
        user_agent: user_agent(),
    })
}

fn trust(loaded: &Loaded) -> Result<Trust, CliError> {
    Ok(match &loaded.spec.vcenter.trust.value {
        spec::Trust::System => Trust::SystemRoots,
        spec::Trust::Insecure => Trust::Insecure,
        spec::Trust::Thumbprint(thumbprint) => Trust::Thumbprint(thumbprint.clone()),
        spec::Trust::CaFile(path) => {
            let full = expand(path, &loaded.folder);
            Trust::CaPem(std::fs::read_to_string(&full).map_err(|error| {
                let place = &loaded.spec.vcenter.trust.place;
                let message = format!("failed to read the vCenter's CA file {}: {error} ({place})", full.display());
                CliError::new(message, "save the vCenter's root certificate there (https://SERVER/certs/download.zip has it), or pin `thumbprint`")
            })?)
        }
    })
}

/// How boma shows in the vCenter's session list.
pub fn user_agent() -> String {
    format!("boma/{}", env!("CARGO_PKG_VERSION"))
}
