//! What machines that stood before the first request were given by whoever made them.

use std::collections::BTreeMap;

use crate::lab::K3sSetup;
use crate::lab::k3s::{ClusterEffect, Pace};
use crate::lab::vsphere::Guest;

use super::content::Content;
use super::desk::{HostDesk, HostRecord};
use super::docker;
use super::exec::run;
use super::session::{Output, Session};
use super::systemd::UNITS;

/// By machine name.
#[derive(Clone, Debug, Default)]
pub(in crate::lab) struct Standing {
    /// What sudo asks for.
    pub sudo: BTreeMap<String, String>,
    /// k3s, in the order in which it is installed.
    pub k3s: Vec<(String, K3sSetup)>,
}

impl HostDesk {
    /// Installs and starts the k3s of hosts that have just come into being. It stands long before
    /// anybody looks: nothing of it takes time. Applies and returns the records.
    pub(super) fn stand(&mut self, guests: &[&Guest], now: u64) -> Vec<HostRecord> {
        let all = self.standing.k3s.clone();
        let here = |name: &str| guests.iter().find(|guest| guest.name == name).copied();
        let of_guests: Vec<(&Guest, &K3sSetup)> =
            all.iter().filter_map(|(name, k3s)| Some((here(name)?, k3s))).collect();
        if of_guests.is_empty() {
            return Vec::new();
        }
        let pace = self.clusters.pace();
        let mut records = vec![self.at_pace(Pace { promote_ms: 0, ready_ms: 0 })];
        for (guest, k3s) in of_guests {
            let Some(host) = self.hosts.get(&guest.id).cloned() else { continue };
            records.extend(self.act(&host, now, |session| {
                install(session, guest, k3s);
                Output::done()
            }));
        }
        records.push(self.at_pace(pace));
        records
    }

    fn at_pace(&mut self, pace: Pace) -> HostRecord {
        self.keep(Vec::new(), vec![ClusterEffect::Pace(pace)])
    }
}

/// Does what Docker's package and k3s's `install.sh` do.
fn install(session: &mut Session<'_>, guest: &Guest, k3s: &K3sSetup) {
    if let Some(version) = &k3s.docker {
        docker::install(session, version);
    }
    let name = if k3s.server { "k3s" } else { "k3s-agent" };
    let variables = k3s.environment.iter().map(|(name, value)| format!("{name}='{value}'\n"));
    let path = format!("{UNITS}/{name}.service");
    for (path, text, mode) in [
        ("/usr/local/bin/k3s".to_owned(), format!("k3s {}\n", k3s.version), 0o755),
        (format!("{path}.env"), variables.collect(), 0o600),
        (path, unit(name, guest, k3s), 0o644),
    ] {
        session.host.place(&path, Content(text.into_bytes()), mode, session.now);
    }
    for line in [&["daemon-reload"][..], &["enable", name], &["start", "--no-block", name]] {
        let words = ["systemctl"].iter().chain(line).map(|word| (*word).to_owned());
        run(session, &words.collect::<Vec<String>>());
    }
}

/// The unit of `install.sh`: an argument a line, quoted.
fn unit(name: &str, guest: &Guest, k3s: &K3sSetup) -> String {
    let role = if k3s.server { "server" } else { "agent" };
    let argument = |argument: &String| {
        let argument = argument.replace("{uuid}", &guest.uuid);
        format!("\t'{}' \\\n", argument.replace("{instance_uuid}", &guest.instance_uuid))
    };
    let arguments: String = k3s.arguments.iter().map(argument).collect();
    format!(
        "[Unit]\nDescription=Lightweight Kubernetes\nDocumentation=https://k3s.io\nWants=network-online.target\nAfter=network-online.target\n\n[Install]\nWantedBy=multi-user.target\n\n[Service]\nType=notify\nEnvironmentFile=-/etc/default/%N\nEnvironmentFile=-/etc/sysconfig/%N\nEnvironmentFile=-{UNITS}/{name}.service.env\nKillMode=process\nDelegate=yes\nLimitNOFILE=1048576\nLimitNPROC=infinity\nLimitCORE=infinity\nTasksMax=infinity\nTimeoutStartSec=0\nRestart=always\nRestartSec=5s\nExecStartPre=-/sbin/modprobe br_netfilter\nExecStartPre=-/sbin/modprobe overlay\nExecStart=/usr/local/bin/k3s \\\n    {role} \\\n{arguments}\n"
    )
}
