//! All hosts of a world, and the only way they change: [`Hosts::apply`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::effect::{Change, HostEffect};
use super::model::Host;

/// By the managed object id of their machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::lab) struct Hosts(BTreeMap<String, Host>);

impl Hosts {
    /// Carries out one effect.
    pub(in crate::lab) fn apply(&mut self, effect: &HostEffect) {
        match effect {
            HostEffect::Put(host) => {
                self.0.insert(host.facts.id.clone(), (**host).clone());
            }
            HostEffect::Remove(id) => {
                self.0.remove(id);
            }
            HostEffect::Change { host, change } => {
                if let Some(host) = self.0.get_mut(host) {
                    apply(host, change);
                }
            }
        }
    }

    pub(in crate::lab) fn iter(&self) -> impl Iterator<Item = &Host> {
        self.0.values()
    }

    pub(in crate::lab) fn get(&self, id: &str) -> Option<&Host> {
        self.0.get(id)
    }

    /// The host at an address; one that answers wins over one that does not.
    pub(in crate::lab) fn at(&self, address: &str) -> Option<&Host> {
        let here = |host: &&Host| host.facts.address == address;
        self.iter().filter(here).find(|host| host.answers()).or_else(|| self.iter().find(here))
    }

    /// The host of that machine name or address.
    pub(in crate::lab) fn named(&self, name: &str) -> Option<&Host> {
        let mut named = self.iter().filter(|host| host.facts.name == name);
        named.next().or_else(|| self.at(name))
    }
}

fn apply(host: &mut Host, change: &Change) {
    match change {
        Change::Facts(facts) => host.facts = (**facts).clone(),
        Change::State(state) => host.state = (**state).clone(),
        Change::File { path, node } => put(&mut host.files, path, node.as_ref()),
        Change::Unit { name, unit } => put(&mut host.units, name, unit.as_ref()),
        Change::Timer { name, timer } => put(&mut host.timers, name, timer.as_ref()),
    }
}

fn put<T: Clone>(map: &mut BTreeMap<String, T>, key: &str, value: Option<&T>) {
    match value {
        Some(value) => map.insert(key.to_owned(), value.clone()),
        None => map.remove(key),
    };
}
