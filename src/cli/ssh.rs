//! How the machines of a spec are logged in to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::error::{CliError, chain};
use super::load::Loaded;
use super::secrets;
use crate::provider::host::{Auth, Direct, HostError, JumpConfig, KnownHosts, SshConfig};
use crate::secret::expand;
use crate::spec::{Jump, SecretRef, Sp};

/// What the spec says; keys and passwords are resolved here.
///
/// # Errors
/// A secret cannot be had, a known_hosts file cannot be read, or there is no key at all.
pub fn config(loaded: &Loaded) -> Result<SshConfig, CliError> {
    let ssh = &loaded.spec.ssh;
    let pins = ssh.host_keys.iter().map(|(machine, key)| (machine.clone(), key.value.clone()));
    Ok(SshConfig {
        user: ssh.user.value.clone(),
        port: ssh.port.value,
        auth: auth(ssh.key.as_ref(), loaded)?,
        sudo_password: ssh
            .sudo_password
            .as_ref()
            .map(|one| secrets::one(one, loaded))
            .transpose()?,
        known_hosts: known_hosts(loaded)?,
        pins: pins.collect::<BTreeMap<_, _>>(),
        jump: ssh.jump.as_ref().map(|jump| through(jump, loaded)).transpose()?,
        connect_timeout: Duration::from_secs(ssh.connect_timeout.value.0),
        command_timeout: Duration::from_secs(ssh.command_timeout.value.0),
        idle_timeout: Duration::from_secs(ssh.idle_timeout.value.0),
        route: Arc::new(Direct),
    })
}

fn auth(key: Option<&Sp<SecretRef>>, loaded: &Loaded) -> Result<Auth, CliError> {
    if let Some(key) = key {
        return Ok(Auth::Key(secrets::one(key, loaded)?));
    }
    let socket = std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty());
    let socket = socket.ok_or_else(|| {
        CliError::new(
            format!(
                "there is no key to log in with: [ssh] names none and no agent runs ({})",
                loaded.spec.ssh.place
            ),
            "set `key` in [ssh], or start ssh-agent and add a key to it",
        )
    })?;
    Ok(Auth::Agent(PathBuf::from(socket)))
}

fn through(jump: &Jump, loaded: &Loaded) -> Result<JumpConfig, CliError> {
    Ok(JumpConfig {
        address: jump.host.value.clone(),
        port: jump.port.value,
        user: jump.user.value.clone(),
        auth: jump.key.as_ref().map(|key| auth(Some(key), loaded)).transpose()?,
        pin: jump.host_key.as_ref().map(|key| key.value.clone()),
    })
}

/// The file that the spec names, else the user's and the system's.
fn known_hosts(loaded: &Loaded) -> Result<KnownHosts, CliError> {
    let files = match &loaded.spec.ssh.known_hosts {
        Some(path) => vec![expand(path, &loaded.folder)],
        None => vec![
            expand("~/.ssh/known_hosts", &loaded.folder),
            PathBuf::from("/etc/ssh/ssh_known_hosts"),
        ],
    };
    let known = KnownHosts::default();
    Ok(files.iter().try_fold(known, |known, file| known.read(file))?)
}

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        Self::new(format!("failed to {}", chain(&error)), error.help())
    }
}
