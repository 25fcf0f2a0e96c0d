//! What projects take.

use super::amount::Amount;
use super::room::Room;
use crate::rules::Version;
use crate::spec::{Component, Placement, Project, Resources, Spec};

/// Pods that run on one machine.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Whose they are.
    pub project: &'a Project,
    /// What they take together.
    pub size: Amount,
}

impl Piece<'_> {
    /// Whether its pods may run on a machine.
    pub fn may_run_on(&self, room: &Room<'_>) -> bool {
        match self.project.agents.as_slice() {
            [] => room.open,
            pinned => pinned.iter().any(|name| name.value == room.machine.name.value),
        }
    }
}

/// What the scheduler counts: requests, which are the limits unless written.
pub fn pieces(spec: &Spec) -> Vec<Piece<'_>> {
    spec.projects.iter().flat_map(|project| project_pieces(project, &requested)).collect()
}

/// What all projects are held to, where they are held to anything.
pub fn limits(spec: &Spec) -> Amount {
    spec.projects
        .iter()
        .flat_map(|project| project_pieces(project, &limited))
        .map(|piece| piece.size)
        .sum()
}

type Take = dyn Fn(&Resources) -> (u64, u64);

fn requested(resources: &Resources) -> (u64, u64) {
    let cpu = resources.cpu_request.as_ref().or(resources.cpu.as_ref());
    let memory = resources.memory_request_mib.as_ref().or(resources.memory_mib.as_ref());
    (cpu.map_or(0, |cpu| cpu.value.0), memory.map_or(0, |memory| memory.value))
}

fn limited(resources: &Resources) -> (u64, u64) {
    let (cpu, memory) = (resources.cpu.as_ref(), resources.memory_mib.as_ref());
    (cpu.map_or(0, |cpu| cpu.value.0), memory.map_or(0, |memory| memory.value))
}

/// The pods of the official chart: one of each component, one CouchDB for each node.
fn project_pieces<'a>(project: &'a Project, take: &Take) -> Vec<Piece<'a>> {
    let release = Version::parse(&project.cht);
    let old = release.is_some_and(|release| release.major < 5);
    let mut components =
        vec![Component::Api, Component::Sentinel, Component::Haproxy, Component::Healthcheck];
    components.extend(old.then_some(Component::UpgradeService));
    let pods = components.into_iter().map(|component| one(project, component, 1, 0, take));
    let couchdb: Vec<Amount> = (0..project.couchdb.nodes.value)
        .map(|node| couchdb(project, release, node, take))
        .collect();
    let couchdb = match project.placement.value {
        Placement::Together => vec![couchdb.into_iter().sum()],
        Placement::Spread => couchdb,
    };
    pods.chain(couchdb).map(|size| Piece { project, size }).collect()
}

/// One node with its volume. Nouveau runs beside it: beside the first one in 5.0 to 5.2, beside
/// each from 5.3 on.
fn couchdb(project: &Project, release: Option<Version>, node: u32, take: &Take) -> Amount {
    let own = one(project, Component::CouchDb, 1, 1, take);
    let nouveau = release.is_some_and(|release| match release.major {
        ..5 => false,
        5 => node == 0 || release.minor >= 3,
        _ => true,
    });
    match nouveau {
        true => own.plus(one(project, Component::Nouveau, 0, 0, take)),
        false => own,
    }
}

fn one(project: &Project, component: Component, pods: u64, volumes: u64, take: &Take) -> Amount {
    let (cpu_milli, memory_mib) = project.resources.get(&component).map_or((0, 0), take);
    Amount { pods, volumes, cpu_milli, memory_mib }
}
