//! The lab of one command: owned by it, or served by another process.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::error::{CliError, chain};
use super::super::load::Loaded;
use super::super::world::user_agent;
use super::setup::setup;
use crate::lab::{
    Control, ControlError, Drifted, Endpoints, FaultRule, HostEndpoint, Lab, Opened, Running,
    ServeOptions, Status,
};
use crate::provider::BoxFuture;
use crate::provider::host::{Auth, KnownHosts, Route, SshConfig};
use crate::provider::vsphere::{Trust, VcenterConfig};
use crate::spec::{Seconds, Spec};

/// The world's folder within a lab's.
pub const WORLD: &str = "world";

/// A lab that answers.
pub enum LabWorld {
    /// It ends with this command.
    Owned(Box<Running>),
    /// `lab serve`, or another command, has it.
    Served(Box<Endpoints>),
}

/// Opens a spec's lab, in its folder.
///
/// # Errors
/// Its files cannot be used, or another process holds them and does not answer.
pub async fn open(loaded: &Loaded, dir: &Path) -> Result<LabWorld, CliError> {
    Ok(match open_world(loaded, &dir.join(WORLD))? {
        Opened::Owned(lab) => LabWorld::Owned(Box::new(lab.serve(ServeOptions::default()).await?)),
        Opened::Served(endpoints) => LabWorld::Served(endpoints),
    })
}

/// Opens the world itself.
///
/// # Errors
/// The same.
pub fn open_world(loaded: &Loaded, dir: &Path) -> Result<Opened, CliError> {
    Ok(Lab::open(dir, &setup(&loaded.spec))?)
}

impl LabWorld {
    /// How its vCenter is reached. Its credentials are functions of its seed, not secrets.
    ///
    /// # Errors
    /// What another process published cannot be used.
    pub fn vcenter_config(&self) -> Result<VcenterConfig, CliError> {
        let endpoints = self.endpoints();
        let port = endpoints.vcenter_url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.ok_or_else(|| {
            CliError::new(
                format!("the lab's address {} has no port", endpoints.vcenter_url),
                "end the process that serves it, and try again",
            )
        })?;
        Ok(VcenterConfig {
            host: "127.0.0.1".into(),
            port,
            username: endpoints.username.clone(),
            password: endpoints.password.clone().into(),
            trust: Trust::CaPem(endpoints.ca_pem.clone()),
            user_agent: user_agent(),
        })
    }

    /// How its machines are logged in to: keys are known, and addresses of the spec are ports
    /// on loopback.
    ///
    /// # Errors
    /// What another process published cannot be used.
    pub async fn ssh_config(&self, spec: &Spec) -> Result<SshConfig, CliError> {
        let endpoints = self.endpoints();
        let seconds = |seconds: Seconds| Duration::from_secs(seconds.0);
        Ok(SshConfig {
            user: spec.ssh.user.value.clone(),
            port: spec.ssh.port.value,
            auth: Auth::Key(endpoints.ssh_user_key.clone().into()),
            sudo_password: None,
            known_hosts: KnownHosts::default(),
            pins: self.pins(spec).await?,
            jump: None,
            connect_timeout: seconds(spec.ssh.connect_timeout.value),
            command_timeout: seconds(spec.ssh.command_timeout.value),
            idle_timeout: seconds(spec.ssh.idle_timeout.value),
            route: Arc::new(Inward(Control::connect(endpoints)?)),
        })
    }

    /// Where another process serves it. `None` where this one does.
    pub fn served_at(&self) -> Option<String> {
        match self {
            Self::Owned(_) => None,
            Self::Served(endpoints) => Some(endpoints.vcenter_url.clone()),
        }
    }

    /// Changes things behind boma's back.
    ///
    /// # Errors
    /// The world cannot be written or does not answer.
    pub async fn drift(&self, seed: u64, count: usize) -> Result<Vec<Drifted>, CliError> {
        match self {
            Self::Owned(running) => Ok(running.drift(seed, count)?),
            Self::Served(endpoints) => Ok(Control::connect(endpoints)?.drift(seed, count).await?),
        }
    }

    /// Tells what is in it.
    ///
    /// # Errors
    /// The world cannot be written or does not answer.
    pub async fn status(&self) -> Result<Status, CliError> {
        match self {
            Self::Owned(running) => Ok(running.status()?),
            Self::Served(endpoints) => Ok(Control::connect(endpoints)?.status().await?),
        }
    }

    /// Tells where its hosts listen. Ports last as long as the process that serves them.
    ///
    /// # Errors
    /// The world does not answer.
    pub async fn hosts(&self) -> Result<Vec<HostEndpoint>, CliError> {
        match self {
            Self::Owned(running) => Ok(running.hosts()),
            Self::Served(endpoints) => Ok(Control::connect(endpoints)?.hosts().await?),
        }
    }

    /// Stages faults in place of those that were staged.
    ///
    /// # Errors
    /// The world does not answer.
    pub async fn stage(&self, faults: &[FaultRule]) -> Result<(), CliError> {
        match self {
            Self::Owned(running) => running.stage(faults.to_vec()),
            Self::Served(endpoints) => Control::connect(endpoints)?.stage(faults).await?,
        }
        Ok(())
    }

    /// Ends it where it is this command's.
    pub async fn close(self) {
        if let Self::Owned(running) = self
            && let Err(error) = running.shutdown().await
        {
            tracing::warn!("failed to {}", chain(&error));
        }
    }

    /// The keys of machines that stand: those that boma clones publish theirs, and these are known
    /// to whoever made the lab.
    async fn pins(&self, spec: &Spec) -> Result<BTreeMap<String, String>, CliError> {
        let hosts = match self {
            Self::Owned(running) => running.hosts(),
            Self::Served(endpoints) => Control::connect(endpoints)?.hosts().await?,
        };
        let standing = spec.all_machines().filter(|machine| machine.template.is_none());
        let pins = standing.filter_map(|machine| {
            let address = machine.address.value.to_string();
            let host = hosts.iter().find(|host| host.address == address)?;
            Some((machine.name.value.clone(), host.fingerprint.clone()))
        });
        Ok(pins.collect())
    }

    fn endpoints(&self) -> &Endpoints {
        match self {
            Self::Owned(running) => &running.endpoints,
            Self::Served(endpoints) => endpoints,
        }
    }
}

/// The way into a lab: its hosts listen on ports of their own.
struct Inward(Control);

impl Route for Inward {
    fn resolve<'a>(&'a self, address: &'a str, _: u16) -> BoxFuture<'a, io::Result<SocketAddr>> {
        Box::pin(async move {
            let hosts = self.0.hosts().await.map_err(io::Error::other)?;
            let host = hosts.into_iter().find(|host| host.address == address);
            let away = || io::Error::new(io::ErrorKind::HostUnreachable, "no such host in the lab");
            Ok(SocketAddr::from(([127, 0, 0, 1], host.ok_or_else(away)?.port)))
        })
    }
}

impl From<ControlError> for CliError {
    fn from(error: ControlError) -> Self {
        Self::new(
            format!("failed to {}", chain(&error)),
            "see whether the process that serves the lab still runs",
        )
    }
}
