//! Which machines may go down without anything else changing by that.

use std::collections::BTreeSet;

use super::desk::HostDesk;
use super::systemd;
use super::units::Phase;

/// Machines that are changed in one go, and how many servers the others can do without.
pub(in crate::lab) struct Spare {
    /// What was changed on these would not be seen while they are down.
    changed: BTreeSet<String>,
    servers: BTreeSet<String>,
    /// How many more servers may go down before the rest has no quorum.
    servers_left: usize,
}

impl HostDesk {
    /// What may go down as things are.
    pub(in crate::lab) fn spare(&self) -> Spare {
        let servers = self.hosts.iter().filter_map(|host| {
            let unit = host.units.get(systemd::SERVER)?;
            Some((host.facts.id.clone(), host.answers() && unit.active == Phase::Active))
        });
        let servers: Vec<(String, bool)> = servers.collect();
        let up = servers.iter().filter(|(_, up)| *up).count();
        Spare {
            changed: BTreeSet::new(),
            servers_left: up.saturating_sub(servers.len() / 2 + 1),
            servers: servers.into_iter().filter(|(_, up)| *up).map(|(id, _)| id).collect(),
        }
    }
}

impl Spare {
    /// Whether the machine of this id may go down.
    pub(in crate::lab) fn has(&self, id: &str) -> bool {
        let needed = self.servers.contains(id) && self.servers_left == 0;
        !self.changed.contains(id) && !needed
    }

    /// As [`Spare::has`], and if so it counts as down from now on.
    pub(in crate::lab) fn take(&mut self, id: &str) -> bool {
        let has = self.has(id);
        if has && self.servers.remove(id) {
            self.servers_left -= 1;
        }
        has
    }

    /// The machine has to stay up from now on.
    pub(in crate::lab) fn keep(&mut self, id: &str) {
        self.changed.insert(id.to_owned());
    }
}
