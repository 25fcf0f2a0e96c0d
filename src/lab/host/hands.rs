//! What somebody at the machine itself does to a host: no client could, or none should.

use serde::{Deserialize, Serialize};

use crate::lab::k3s::{ClusterEffect, Pace, release_pods, stick_pod};
use crate::lab::kubernetes::ended;

use super::birth::identify;
use super::desk::{HostDesk, HostRecord};
use super::docker;
use super::exec::run;
use super::model::Host;
use super::session::Output;
use super::shell;

/// Where k3s puts the administrator's kubeconfig.
const KUBECONFIG: &str = "/etc/rancher/k3s/k3s.yaml";

/// One act at a host's console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostAction {
    /// Runs a command line as root, uncounted.
    Run {
        /// Words, quoted for a shell.
        line: String,
        /// What the command reads.
        #[serde(default)]
        stdin: String,
    },
    /// Writes a file as root, with the directories above it.
    Write {
        /// Where.
        path: String,
        /// Its new content.
        content: String,
        /// Such as 0o600.
        mode: u32,
    },
    /// Sets its clock so many seconds ahead of the lab's; negative for behind.
    Clock {
        /// Seconds.
        seconds: i64,
    },
    /// Fills its disk, or makes room again.
    DiskFull(bool),
    /// Gives it a default route, or takes it away.
    DefaultRoute(bool),
    /// What sudo asks for from now on; `None` for nothing.
    SudoPassword(Option<String>),
    /// Dead hosts answer nobody, though their power is on.
    Dead(bool),
    /// Down and up again.
    Reboot,
    /// Another SSH host key.
    NewHostKey,
    /// Another host name.
    Hostname(String),
    /// Another machine-id.
    MachineId(String),
    /// Installs Docker in that version.
    Docker(String),
    /// The administrator's certificate in its k3s.yaml ended an hour ago. k3s writes another file
    /// when it starts.
    EndKubeconfig,
    /// Puts a pod on its node that no drain can move, or lets all such pods of its cluster go.
    StuckPod(bool),
    /// How long clusters take for what they do by themselves.
    Pace {
        /// Milliseconds from joining to being a voter.
        promote_ms: u64,
        /// Milliseconds from starting to Ready.
        ready_ms: u64,
    },
}

/// How a command at the console ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostAnswer {
    /// The exit status.
    pub status: u32,
    /// Standard output; what is no UTF-8 becomes replacement characters.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl HostDesk {
    /// Carries out an act on the host of a machine name or address.
    ///
    /// # Errors
    /// There is no such host, as text.
    pub(in crate::lab) fn hand(
        &mut self,
        name: &str,
        action: &HostAction,
        now: u64,
    ) -> Result<(HostAnswer, Vec<HostRecord>), String> {
        let host = self.hosts.named(name).cloned();
        let host = host.ok_or_else(|| format!("there is no host {name}"))?;
        let mut answer = HostAnswer::default();
        let mut records = Vec::new();
        records.extend(match action {
            HostAction::Run { line, stdin } => {
                let words = shell::split(line)?;
                let mut output = Output::done();
                let record = self.act(&host, now, |session| {
                    session.stdin = stdin.clone().into_bytes();
                    output = run(session, &words);
                    Output::done()
                });
                answer = HostAnswer {
                    status: output.status,
                    stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                    stderr: output.stderr,
                };
                record
            }
            HostAction::Reboot => self.reboot(&host.facts.id, now),
            HostAction::Docker(version) => self.act(&host, now, |session| {
                docker::install(session, version);
                Output::done()
            }),
            HostAction::EndKubeconfig => {
                let cluster = host.state.cluster.as_deref().and_then(|id| self.clusters.get(id));
                let cluster = cluster.ok_or_else(|| format!("{name} is in no cluster"))?;
                let content = ended(cluster, "https://127.0.0.1:6443", now);
                let content = content.map_err(|error| error.to_string())?;
                self.change(&host.facts.id, |host| {
                    host.place(KUBECONFIG, content.as_str().into(), 0o600, now);
                })
            }
            HostAction::StuckPod(stuck) => {
                let cluster = host.state.cluster.clone().unwrap_or_default();
                let effects = match stuck {
                    true => stick_pod(&self.clusters, &cluster, &host.state.hostname, now),
                    false => release_pods(&self.clusters, &cluster),
                };
                Some(self.keep(Vec::new(), effects))
            }
            HostAction::Pace { promote_ms, ready_ms } => {
                let pace = Pace { promote_ms: *promote_ms, ready_ms: *ready_ms };
                Some(self.keep(Vec::new(), vec![ClusterEffect::Pace(pace)]))
            }
            _ => self.change(&host.facts.id, |host| set(host, action, now)),
        });
        Ok((answer, records))
    }
}

fn set(host: &mut Host, action: &HostAction, now: u64) {
    match action {
        HostAction::Write { path, content, mode } => {
            host.place(path, content.as_str().into(), *mode, now);
        }
        HostAction::Clock { seconds } => {
            host.state.clock_offset_ms = seconds.saturating_mul(1000);
            host.state.clock_synchronized = *seconds == 0;
        }
        HostAction::DiskFull(full) => host.state.disk_full = *full,
        HostAction::DefaultRoute(there) => host.state.default_route = *there,
        HostAction::SudoPassword(password) => host.state.sudo_password.clone_from(password),
        HostAction::Dead(dead) => host.state.dead = *dead,
        HostAction::NewHostKey => host.state.keys += 1,
        HostAction::Hostname(name) => host.state.hostname.clone_from(name),
        HostAction::MachineId(id) => {
            host.state.machine_id.clone_from(id);
            identify(host, now);
        }
        HostAction::Run { .. }
        | HostAction::Reboot
        | HostAction::Docker(_)
        | HostAction::EndKubeconfig
        | HostAction::StuckPod(_)
        | HostAction::Pace { .. } => {}
    }
}
