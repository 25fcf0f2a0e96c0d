//! The plan: complete, immutable data. Apply makes no choice.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Action, Change, Rollout};
use crate::resource::{Address, Endpoint, EndpointFacts, Kind, Layer, Place};

/// The format of saved plans.
pub const FORMAT: u32 = 1;

/// What is going to happen, to everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// See [`FORMAT`].
    pub format: u32,
    /// What the plan was made from.
    pub basis: Basis,
    /// One change per resource, no-ops included, by layer and address.
    pub changes: Vec<Change>,
    /// What cannot be planned, by address.
    pub blocked: Vec<Blocked>,
    /// The order of work: every change that does anything is a node, a replace is two.
    pub nodes: Vec<Node>,
    /// The machines that are disturbed, one at a time.
    pub windows: Vec<Window>,
    /// Work of which only so much is under way at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<Lane>,
    /// In which order projects that run are changed. `None` where none is held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Facts of every endpoint that is called.
    pub endpoints: BTreeMap<Endpoint, EndpointFacts>,
    /// Parts of the spec whose resources this version does not plan.
    pub unplanned: Vec<Unplanned>,
}

/// The inputs of a plan, by identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The spec's name.
    pub name: String,
    /// The spec file as the user named it.
    pub spec: String,
    /// SHA-256 of the spec's text, hexadecimal.
    pub spec_digest: String,
    /// The state's lineage.
    pub lineage: String,
    /// The state's serial.
    pub serial: u64,
    /// Made for the lab; cannot be applied to the real world, nor the reverse.
    pub lab: bool,
    /// Prior stood for live.
    pub offline: bool,
    /// Nothing is desired.
    pub destroy: bool,
}

/// A resource that nothing is done to because nothing can be said or because it is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// Which resource.
    pub address: Address,
    /// Its kind.
    pub kind: Kind,
    /// Why.
    pub cause: BlockCause,
    /// The spec line that asks for it. `None` where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Place>,
}

impl Blocked {
    /// Where it stands.
    pub fn layer(&self) -> Layer {
        Layer::of(&self.address, self.kind)
    }
}

/// Why a resource is blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockCause {
    /// It could not be read; the reason says what to do.
    Unread(String),
    /// What the spec wants cannot be done to what stands.
    Refused {
        /// What is in the way.
        message: String,
        /// The way out.
        help: String,
    },
    /// Something it needs is blocked.
    Dependency(Address),
}

/// Which part of a change a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Half {
    /// All of it.
    Whole,
    /// The steps of a replace up to the delete.
    Delete,
    /// The steps of a replace from the create on.
    Create,
    /// What a node's window begins with, whatever becomes of the node's own resource.
    Open,
    /// What it ends with.
    Close,
}

impl Half {
    /// Whether it is about a window and not about the resource.
    pub fn is_around(self) -> bool {
        matches!(self, Self::Open | Self::Close)
    }
}

/// One unit of work in the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Index into [`Plan::changes`].
    pub change: usize,
    /// Which part of it.
    pub half: Half,
    /// Indices into [`Plan::nodes`] that must be done first.
    pub after: Vec<usize>,
    /// Expected seconds; the longest remaining path starts first.
    pub weight_s: u64,
}

/// The steps that disturb one machine, taken together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The machine's VM.
    pub machine: Address,
    /// Machines that serve the same purpose: a failed window stops the other windows of its group.
    pub group: String,
    /// Indices into [`Plan::nodes`] that belong to it.
    pub nodes: Vec<usize>,
    /// Whether it takes away something that runs; a firewall's window only keeps others shut.
    #[serde(default = "disrupts", skip_serializing_if = "is_set")]
    pub disrupts: bool,
}

/// Work of which only so much is under way at a time, from a node's first call to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// How many.
    pub limit: usize,
    /// Indices into [`Plan::nodes`]; a node is in one lane at most.
    pub nodes: Vec<usize>,
}

fn disrupts() -> bool {
    true
}

fn is_set(flag: &bool) -> bool {
    *flag
}

/// A part of the spec that is checked, but whose resources come with a later version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unplanned {
    /// What it is, in words: `50 projects`.
    pub what: String,
}

/// How many resources each action concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Made.
    pub create: usize,
    /// Changed.
    pub update: usize,
    /// Made anew.
    pub replace: usize,
    /// Deleted.
    pub delete: usize,
    /// Taken over.
    pub adopt: usize,
    /// Forgotten.
    pub forget: usize,
    /// Left alone.
    pub no_op: usize,
}

impl Summary {
    /// Counts actions.
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut summary = Self::default();
        for change in changes {
            *match change.action {
                Action::Create => &mut summary.create,
                Action::Update => &mut summary.update,
                Action::Replace => &mut summary.replace,
                Action::Delete => &mut summary.delete,
                Action::Adopt => &mut summary.adopt,
                Action::Forget => &mut summary.forget,
                Action::NoOp => &mut summary.no_op,
            } += 1;
        }
        summary
    }
}

impl Plan {
    /// Whether there is nothing to do (what is blocked is not counted).
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.action == Action::NoOp)
    }

    /// Counts by action.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.changes)
    }

    /// The changes of one layer.
    pub fn layer(&self, layer: Layer) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.layer() == layer)
    }

    /// The projects that run and are interrupted, because something that they run starts anew.
    pub fn interrupted(&self) -> BTreeSet<&str> {
        let changes = self.changes.iter().filter(|change| change.interrupts());
        changes.filter_map(|change| change.address.project()).collect()
    }

    /// The steps of one node.
    pub fn steps(&self, node: &Node) -> &[super::Step] {
        let Some(change) = self.changes.get(node.change) else { return &[] };
        let first_create =
            change.steps.iter().position(|step| step.operation == super::Operation::Create);
        let split = first_create.unwrap_or(change.steps.len());
        match node.half {
            Half::Whole => &change.steps,
            Half::Delete => &change.steps[..split],
            Half::Create => &change.steps[split..],
            Half::Open => &change.opening,
            Half::Close => &change.closing,
        }
    }
}
