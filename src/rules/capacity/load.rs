//! What projects take.

use super::amount::Amount;
use super::room::Room;
use crate::resource::{Address, milli};
use crate::rules::Facts;
use crate::spec::{Component, Placement, Project, Resources, Sp};

/// Pods that run on one machine.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Whose they are.
    pub project: &'a Project,
    /// What they take together.
    pub size: Amount,
    /// Which machines they may run on.
    pub home: Home<'a>,
    /// Whether they may run there in spite of taints.
    pub tolerates: bool,
    /// How many pieces of the project are to be on different machines, this one among them. 1
    /// where it does not matter.
    pub apart: u32,
}

/// Which machines pods may run on.
#[derive(Clone, Copy, Debug)]
pub enum Home<'a> {
    /// All without a taint.
    Open,
    /// These.
    Among(&'a [Sp<String>]),
    /// This one.
    On(&'a str),
}

/// How CouchDB's nodes are placed: `placement` is a wish, which the scheduler gives up where it
/// cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wishes {
    /// As the spec has it.
    Granted,
    /// Each by itself.
    Dropped,
}

impl Piece<'_> {
    /// Whether its pods may run on a machine.
    pub fn may_run_on(&self, room: &Room<'_>) -> bool {
        let name = room.machine.name.as_str();
        let named = match self.home {
            Home::Open => return room.open,
            Home::Among(machines) => machines.iter().any(|machine| machine.value == name),
            Home::On(machine) => machine == name,
        };
        named && (room.open || self.tolerates)
    }
}

/// What the scheduler counts: requests, which are the limits unless written.
pub fn pieces<'a>(facts: &Facts<'a>, wishes: Wishes) -> Vec<Piece<'a>> {
    let projects = facts.spec.projects.iter();
    projects.flat_map(|project| Load::new(facts, project, requested).pieces(wishes)).collect()
}

/// What all projects are held to, where they are held to anything.
pub fn limits(facts: &Facts<'_>) -> Amount {
    let projects = facts.spec.projects.iter();
    let pieces =
        projects.flat_map(|project| Load::new(facts, project, limited).pieces(Wishes::Dropped));
    pieces.map(|piece| piece.size).sum()
}

/// Whether some pod's CPU or memory is not known: the scheduler takes that for nothing.
pub fn is_partly_unknown(facts: &Facts<'_>, project: &Project) -> bool {
    let load = Load::new(facts, project, requested);
    project.parts().iter().any(|part| {
        let (cpu_milli, memory_mib) = load.taken(part.component);
        cpu_milli == 0 || memory_mib == 0
    })
}

/// Thousandths of a CPU, and MiB. `None` where nothing is said.
type Taken = (Option<u64>, Option<u64>);

fn requested(resources: &Resources) -> Taken {
    let cpu = resources.cpu_request.as_ref().or(resources.cpu.as_ref());
    let memory = resources.memory_request_mib.as_ref().or(resources.memory_mib.as_ref());
    (cpu.map(|cpu| cpu.value.0), memory.map(|memory| memory.value))
}

fn limited(resources: &Resources) -> Taken {
    let (cpu, memory) = (resources.cpu.as_ref(), resources.memory_mib.as_ref());
    (cpu.map(|cpu| cpu.value.0), memory.map(|memory| memory.value))
}

/// One project and what each of its containers takes.
struct Load<'a> {
    project: &'a Project,
    take: fn(&Resources) -> Taken,
    /// What containers get that the spec gives nothing.
    usual: Taken,
    tolerates: bool,
}

impl<'a> Load<'a> {
    fn new(facts: &Facts<'a>, project: &'a Project, take: fn(&Resources) -> Taken) -> Self {
        Self { project, take, usual: usual(facts, project), tolerates: tolerates(facts, project) }
    }

    fn taken(&self, component: Component) -> (u64, u64) {
        let (cpu, memory) = self.project.resources.get(&component).map_or((None, None), self.take);
        (cpu.or(self.usual.0).unwrap_or(0), memory.or(self.usual.1).unwrap_or(0))
    }

    /// The pods of the official chart: one of each component, one CouchDB for each node.
    fn pieces(&self, wishes: Wishes) -> Vec<Piece<'a>> {
        let project = self.project;
        let parts = project.parts();
        let beside = |component| matches!(component, Component::CouchDb | Component::Nouveau);
        let alone = parts.iter().filter(|part| !beside(part.component));
        let tolerates = self.tolerates;
        let piece = |size, home| Piece { project, size, home, tolerates, apart: 1 };
        let mut pieces: Vec<Piece<'_>> =
            alone.map(|part| piece(self.one(part.component, 1, 0), self.anywhere())).collect();
        let nodes: Vec<Piece<'_>> = (0..project.couchdb.nodes.value)
            .map(|node| piece(self.couchdb(node), self.home(node)))
            .collect();
        let tied = nodes.iter().any(|node| matches!(node.home, Home::On(_)));
        match (project.placement.value, nodes.first()) {
            (Placement::Together, Some(first)) if wishes == Wishes::Granted => {
                let size = nodes.iter().map(|node| node.size).sum();
                pieces.push(Piece { size, ..*first });
            }
            (Placement::Spread, Some(_)) if wishes == Wishes::Granted && !tied => {
                let apart = project.couchdb.nodes.value;
                pieces.extend(nodes.into_iter().map(|node| Piece { apart, ..node }));
            }
            _ => pieces.extend(nodes),
        }
        pieces
    }

    /// The charts pin none but CouchDB's, and adopted projects stay so.
    fn anywhere(&self) -> Home<'a> {
        match (self.project.agents.as_slice(), self.project.adopted) {
            ([], _) | (_, true) => Home::Open,
            (machines, false) => Home::Among(machines),
        }
    }

    /// As many machines as nodes that are spread: one for each.
    fn home(&self, node: u32) -> Home<'a> {
        let machines = self.project.agents.as_slice();
        let own = usize::try_from(node).ok().and_then(|node| machines.get(node));
        let spread = self.project.placement.value == Placement::Spread;
        let nodes = usize::try_from(self.project.couchdb.nodes.value);
        match (machines, own) {
            ([], _) => Home::Open,
            (machines, Some(own)) if spread && nodes == Ok(machines.len()) => Home::On(own),
            (machines, _) => Home::Among(machines),
        }
    }

    /// One node with its volume, and Nouveau where it runs beside it.
    fn couchdb(&self, node: u32) -> Amount {
        let volumes = u64::from(self.project.couchdb.host_path.is_none());
        let own = self.one(Component::CouchDb, 1, volumes);
        let nouveau = self.project.is_five() && (node == 0 || self.project.has_nouveau_each());
        match nouveau {
            true => own.plus(self.one(Component::Nouveau, 0, 0)),
            false => own,
        }
    }

    fn one(&self, component: Component, pods: u64, volumes: u64) -> Amount {
        let (cpu_milli, memory_mib) = self.taken(component);
        Amount { pods, volumes, cpu_milli, memory_mib }
    }
}

/// What a quota leaves for each container without resources: the project's LimitRange says it.
fn usual(facts: &Facts<'_>, project: &Project) -> Taken {
    if project.quota.is_none() {
        return (None, None);
    }
    let address = Address::of(&format!("project/{}/LimitRange", project.name), "cht-limits");
    let Some(limits) = facts.desired.resources.get(&address) else { return (None, None) };
    let limits = limits.attributes.tree();
    let request = |name: &str| {
        let text = limits["spec"]["limits"][0]["defaultRequest"][name].as_str()?;
        milli(text).and_then(|amount| u64::try_from(amount).ok())
    };
    (request("cpu"), request("memory").map(|amount| amount / (1000 << 20)))
}

/// Whether pods that are pinned to a machine are made to tolerate its taints.
fn tolerates(facts: &Facts<'_>, project: &Project) -> bool {
    let node = match project.couchdb.nodes.value {
        1 => "cht-couchdb",
        _ => "cht-couchdb-1",
    };
    let address = Address::of(&format!("project/{}/Deployment", project.name), node);
    let Some(node) = facts.desired.resources.get(&address) else { return true };
    node.attributes.tree()["spec"]["template"]["spec"]["tolerations"].is_array()
}
