//! What is going to happen to one resource, and why.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Operation, Step};
use crate::resource::{
    Address, Attributes, Edge, EdgeKind, Effect, Endpoint, Kind, Layer, Lifecycle, Locator, Place,
    Reference,
};

/// What happens to one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is made.
    Create,
    /// Some of its fields change.
    Update,
    /// It is deleted and made anew.
    Replace,
    /// It is deleted.
    Delete,
    /// It stands already and is recorded; where it differs, it is changed too.
    Adopt,
    /// It is taken out of the state, and nothing else.
    Forget,
    /// Nothing.
    NoOp,
}

/// Why an action was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The spec asks for it and nothing like it stands.
    New,
    /// It was recorded and is gone.
    DeletedOutside,
    /// The spec says something else than what boma wrote last.
    SpecChanged,
    /// Somebody else changed the object.
    Drift,
    /// Another resource that it needs or lives in is made anew.
    Dependency(Address),
    /// `--replace` named it.
    Requested,
    /// boma's mark is on it.
    Marked,
    /// An interrupted apply made it.
    Interrupted,
    /// The spec says that it may be taken over.
    AdoptAsked,
    /// The spec no longer asks for it.
    RemovedFromSpec,
    /// `destroy` asks for its removal.
    Destroyed,
    /// `--abandon-data` names its project.
    Abandoned,
    /// It would be deleted, but holds data.
    HoldsData,
    /// It would be deleted, but is protected.
    Protected,
    /// It would be deleted, but is gone already.
    GoneAlready,
    /// It is as the spec wants it.
    Equal,
}

/// Who caused a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The spec was edited, or was never applied.
    Spec,
    /// The object was edited.
    Drift,
}

/// The value of a field afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// This.
    Known(Json),
    /// Whatever this resource turns out to be.
    Unknown(Address),
    /// Nothing: the field goes away.
    Removed,
}

/// What a difference costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// Nothing.
    InPlace,
    /// A restart of what the object runs.
    Restart,
    /// The machine is off for a while.
    PowerCycle,
    /// The object is made anew.
    Replace,
}

impl Impact {
    /// The impact of an effect. `None` where the effect is a refusal.
    pub fn of(effect: Effect) -> Option<Self> {
        match effect {
            Effect::InPlace | Effect::GrowOnly(_) => Some(Self::InPlace),
            Effect::Restart | Effect::Upgrade | Effect::FixedItem(..) => Some(Self::Restart),
            Effect::PowerCycle | Effect::PowerCycleUnless(_) => Some(Self::PowerCycle),
            Effect::Replace | Effect::ReplaceIf(_) => Some(Self::Replace),
            Effect::Fixed(_) | Effect::Kept(_) | Effect::Refuse(_) => None,
        }
    }
}

/// One field, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Keys joined by dots; list items matched by key stand under their key.
    pub path: String,
    /// The live value. `None` where the field is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Json>,
    /// The value afterwards.
    pub after: After,
    /// Who caused it.
    pub cause: Cause,
    /// What it costs.
    pub impact: Impact,
    /// Both values are secret: print neither.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// Who wrote the live value, by the endpoint's own books. `None` where it keeps none, or boma
    /// did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// The spec line that sets it. `None` where no line does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Place>,
}

/// A value of another resource as the plan knew it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumed {
    /// What was referred to.
    pub reference: Reference,
    /// Its value.
    pub value: Json,
}

/// Everything that happens to one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which resource.
    pub address: Address,
    /// Its kind.
    pub kind: Kind,
    /// Who is called.
    pub endpoint: Endpoint,
    /// What happens.
    pub action: Action,
    /// Why; at least one.
    pub reasons: Vec<Reason>,
    /// What differs; everything on create, nothing on delete, forget and no-op.
    pub attributes: Vec<Difference>,
    /// The calls, in order.
    pub steps: Vec<Step>,
    /// What a node's window begins with: its cluster's data is saved, its pods move away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opening: Vec<Step>,
    /// What a node's window ends with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closing: Vec<Step>,
    /// The machine that these steps disturb, where it runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Address>,
    /// The spec line that asks for it. `None` where none does (delete, forget).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Place>,
    /// Desired attributes with what was known at plan time filled in; the rest is encoded
    /// references. Empty on delete and forget.
    pub desired: Attributes,
    /// Values of other resources that the plan filled in; where one is no longer true, the change
    /// fails before it acts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<Assumed>,
    /// Where the object is, or will be.
    pub locator: Locator,
    /// The live object's attributes at plan time. `None` where there is no object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Attributes>,
    /// What it depends on; recorded with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<Edge>,
    /// Recorded with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
}

impl Change {
    /// Where it stands.
    pub fn layer(&self) -> Layer {
        Layer::of(&self.address, self.kind)
    }

    /// The machine that the object is on. `None` where it is on none, or is the machine itself.
    pub fn machine(&self) -> Option<&Address> {
        let host = self.endpoint.provider() == "host";
        let mut homes = self.edges.iter().filter(|edge| edge.kind == EdgeKind::LivesIn);
        homes.find(|_| host).map(|edge| &edge.to)
    }

    /// Whether it takes away something that runs on a machine: a firewall's change does not.
    pub fn disrupts(&self, machine: &Address) -> bool {
        let restarts = self.attributes.iter().any(|one| one.impact >= Impact::Restart);
        let goes = matches!(self.action, Action::Replace | Action::Delete);
        self.window.as_ref() == Some(machine)
            && (self.machine().is_none() || restarts || goes || self.kind.lifecycle.is_node())
    }

    /// Whether something that stands starts anew, and is not to be reached until it has.
    pub fn interrupts(&self) -> bool {
        let restarts = self.attributes.iter().any(|one| one.impact >= Impact::Restart);
        match self.action {
            Action::Replace => true,
            Action::Update | Action::Adopt => restarts && !self.steps.is_empty(),
            _ => false,
        }
    }

    /// Whether it brings a k3s node back that is down, in the version that it has: no node may be
    /// newer than those that it follows, and none is taken down while this one is.
    pub fn mends_node(&self) -> bool {
        let fields = ["service", "running", "schedulable", "arguments", "config"];
        let free =
            |one: &Difference| one.path.split('.').next().is_some_and(|top| fields.contains(&top));
        self.kind.lifecycle.is_node()
            && self.action == Action::Update
            && self.window.is_none()
            && self.attributes.iter().all(free)
    }

    /// Whether it turns a machine on that is off, and with it whatever runs there.
    pub fn raises_machine(&self) -> bool {
        let does = |operation| self.steps.iter().any(|step| step.operation == operation);
        self.kind.lifecycle == Lifecycle::Machine
            && self.live.is_some()
            && does(Operation::PowerOn)
            && !does(Operation::PowerOff)
    }

    /// Whether it cannot be undone by applying the old spec.
    pub fn is_irreversible(&self) -> bool {
        matches!(self.action, Action::Delete | Action::Replace)
    }
}
