//! Which host a machine runs on, and what rules say about it.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::rule::Rule;
use super::world::World;

/// The hosts of one cluster, what runs on them, and the rules in force.
pub(super) struct Placement {
    /// Managed object ids, by name of the host.
    hosts: Vec<String>,
    /// Host by machine; only what is powered on.
    running: BTreeMap<String, String>,
    rules: Vec<Rule>,
}

impl Placement {
    pub(super) fn new(world: &World, cluster: &str, rules: Vec<Rule>) -> Self {
        let inside = world.of_class("HostSystem");
        let mut hosts: Vec<_> =
            inside.filter(|host| host.parent.as_deref() == Some(cluster)).collect();
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
        let hosts: Vec<String> = hosts.into_iter().map(|host| host.id.clone()).collect();
        let running = world.entities.values().filter_map(|entity| {
            let machine = entity.machine().filter(|machine| machine.powered_on)?;
            hosts.contains(&machine.host).then(|| (entity.id.clone(), machine.host.clone()))
        });
        Self { running: running.collect(), hosts, rules }
    }

    /// The cluster of a host, with its rules.
    pub(super) fn around(world: &World, host: &str) -> Self {
        let cluster = world.get(host).and_then(|host| host.parent.clone()).unwrap_or_default();
        Self::new(world, &cluster, world.rules_of(&cluster).cloned().collect())
    }

    /// The host to power a machine on at: where it is registered, unless another breaks fewer
    /// rules; among those the one with the least running on it.
    ///
    /// # Errors
    /// `RuleViolation` when a mandatory rule leaves no host.
    pub(super) fn choose(&self, vm: &str, registered: &str) -> Result<String, Fault> {
        let mut refused = None;
        let mut best: Option<(usize, bool, usize, &String)> = None;
        for host in &self.hosts {
            let broken: Vec<&Rule> = self.broken(vm, host).collect();
            if let Some(rule) = broken.iter().find(|rule| rule.mandatory) {
                refused = Some(*rule);
                continue;
            }
            let load = self.running.values().filter(|other| *other == host).count();
            let candidate = (broken.len(), host != registered, load, host);
            if best.is_none_or(|known| {
                (candidate.0, candidate.1, candidate.2) < (known.0, known.1, known.2)
            }) {
                best = Some(candidate);
            }
        }
        match (best, refused) {
            (Some((.., host)), _) => Ok(host.clone()),
            (None, Some(rule)) => Err(rule.violation()),
            (None, None) => Ok(registered.to_owned()),
        }
    }

    /// Whether no two running machines of a rule share a host.
    pub(super) fn complies(&self, rule: &Rule) -> bool {
        let mut hosts: Vec<&String> =
            rule.vms.iter().filter_map(|vm| self.running.get(vm)).collect();
        let running = hosts.len();
        hosts.sort();
        hosts.dedup();
        hosts.len() == running
    }

    /// Moves running machines apart as far as hosts allow: machine and new host of each move.
    pub(super) fn moves(&mut self) -> Vec<(String, String)> {
        let mut moves = Vec::new();
        let apart: Vec<String> = self.rules.iter().flat_map(|rule| rule.vms.clone()).collect();
        for vm in apart {
            let Some(host) = self.running.get(&vm).cloned() else { continue };
            let Ok(target) = self.choose(&vm, &host) else { continue };
            if target != host {
                self.running.insert(vm.clone(), target.clone());
                moves.push((vm, target));
            }
        }
        moves
    }

    /// The rules in force that a machine would break on a host.
    fn broken<'a>(&'a self, vm: &'a str, host: &'a str) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| {
            let other = |other: &&String| *other != vm;
            let there = |other: &String| self.running.get(other).is_some_and(|at| at == host);
            rule.enabled
                && rule.vms.iter().any(|own| own == vm)
                && rule.vms.iter().filter(other).any(there)
        })
    }
}
