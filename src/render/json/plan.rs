//! `plan --format json` and `show --format json`. Not the saved plan, which is for boma.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::{FindingJson, PlaceJson, names};
use crate::plan::{
    Action, After, BlockCause, Blocked, Cause, Change, Difference, Impact, Operation, Reason,
    Review, Rollout, Step, Summary, Wave, Window,
};
use crate::render::value::masked;

/// What `boma plan --format json` prints. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "boma plan")]
pub struct PlanJson {
    /// The format of plans that this boma saves.
    pub format: u32,
    /// The spec's name.
    pub name: String,
    /// The spec file as the user named it.
    pub spec: String,
    /// Made for the lab.
    pub lab: bool,
    /// What was recorded stood for what is live.
    pub offline: bool,
    /// Everything is removed.
    pub destroy: bool,
    /// The state's serial.
    pub serial: u64,
    /// What reading the world cost. Null offline.
    pub read: Option<ReadJson>,
    /// How many resources each action concerns.
    pub summary: SummaryJson,
    /// Every change that does something, by layer and address.
    pub changes: Vec<ChangeJson>,
    /// What nothing is done to, because nothing can be said or because it is refused.
    pub blocked: Vec<BlockedJson>,
    /// What the rules say, denials first.
    pub findings: Vec<FindingJson>,
    /// Machines that are disturbed, one at a time.
    pub windows: Vec<WindowJson>,
    /// In which order projects that run are changed. Null where none is held back.
    pub rollout: Option<RolloutJson>,
    /// Projects that run and are interrupted by a restart, by name.
    pub interrupted: Vec<String>,
    /// Parts of the spec that this version does not plan, in words.
    pub unplanned: Vec<String>,
    /// A rule or an impossible wish refuses the plan (exit code 3).
    pub refused: bool,
}

/// What reading the world cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReadJson {
    /// Requests sent.
    pub requests: u64,
    /// Milliseconds it took.
    pub elapsed_ms: u64,
}

/// How many resources each action concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SummaryJson {
    /// Made.
    pub create: usize,
    /// Changed.
    pub update: usize,
    /// Deleted and made anew.
    pub replace: usize,
    /// Deleted.
    pub delete: usize,
    /// Standing already, and recorded; changed too where it differs.
    pub adopt: usize,
    /// Taken out of the state, and nothing else.
    pub forget: usize,
    /// Left alone.
    pub no_op: usize,
}

/// Everything that happens to one resource.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChangeJson {
    /// Which resource.
    pub address: String,
    /// Its kind.
    pub kind: &'static str,
    /// What happens.
    #[schemars(schema_with = "names::action")]
    pub action: Action,
    /// Why; at least one.
    pub reasons: Vec<ReasonJson>,
    /// What differs; everything on create, nothing on delete and forget.
    pub attributes: Vec<AttributeJson>,
    /// The calls, in order.
    pub steps: Vec<StepJson>,
    /// The machine that is disturbed. Null where none is.
    pub window: Option<String>,
    /// The spec line that asks for it. Null where none does.
    pub origin: Option<PlaceJson>,
}

/// Why an action was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReasonJson {
    /// The reason's name.
    #[schemars(schema_with = "names::reason")]
    pub reason: &'static str,
    /// The resource behind a `dependency`. Absent with other reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// One field, before and after.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AttributeJson {
    /// Keys joined by dots.
    pub path: String,
    /// The live value. Null where the field is not there or is sensitive.
    pub before: Option<Json>,
    /// The value afterwards. Null where it is not known yet, goes away or is sensitive.
    pub after: Option<Json>,
    /// The resource after which `after` is known. Absent where it is known already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_after: Option<String>,
    /// The field goes away. Absent where it does not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// Both values are secret and are not printed.
    pub sensitive: bool,
    /// What the difference costs.
    #[schemars(schema_with = "names::impact")]
    pub impact: Impact,
    /// Who caused it.
    #[schemars(schema_with = "names::cause")]
    pub cause: Cause,
    /// Who wrote the live value, by the endpoint's own books. Absent where it keeps none, or boma
    /// did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// The spec line that sets it. Null where none does.
    pub origin: Option<PlaceJson>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepJson {
    /// What is done.
    #[schemars(schema_with = "names::operation")]
    pub operation: Operation,
    /// Who is called.
    pub endpoint: String,
}

/// A resource that nothing is done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BlockedJson {
    /// Which resource.
    pub address: String,
    /// It could not be read, what the spec wants is refused, or it needs something blocked.
    #[schemars(schema_with = "names::block")]
    pub cause: &'static str,
    /// What is in the way; for a `dependency` the address of what it waits for.
    pub message: String,
    /// The way out. Null where the message says it.
    pub help: Option<String>,
    /// The spec line that asks for it. Null where none does.
    pub origin: Option<PlaceJson>,
}

/// A machine that is disturbed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WindowJson {
    /// The machine's VM.
    pub machine: String,
    /// Machines of one group stop together when one of them fails.
    pub group: String,
}

/// In which order projects that run are changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RolloutJson {
    /// More failed projects than this, or one among the canaries, and no further wave begins.
    pub failures_max: usize,
    /// A wave begins when the one before it is over.
    pub waves: Vec<WaveJson>,
}

/// Projects that are changed at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaveJson {
    /// They prove the change before any other project gets it.
    pub canary: bool,
    /// The projects' names.
    pub projects: Vec<String>,
}

/// The output for one plan.
pub fn plan_json(review: &Review) -> PlanJson {
    let (plan, basis) = (&review.plan, review.basis());
    let acting = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    PlanJson {
        format: plan.format,
        name: basis.name.clone(),
        spec: basis.spec.clone(),
        lab: basis.lab,
        offline: basis.offline,
        destroy: basis.destroy,
        serial: basis.serial,
        read: review
            .read
            .map(|read| ReadJson { requests: read.requests, elapsed_ms: read.elapsed_ms }),
        summary: plan.summary().into(),
        changes: acting.map(ChangeJson::from).collect(),
        blocked: plan.blocked.iter().map(BlockedJson::from).collect(),
        findings: review.findings.iter().map(FindingJson::from).collect(),
        windows: plan.windows.iter().map(WindowJson::from).collect(),
        rollout: plan.rollout.as_ref().map(RolloutJson::from),
        interrupted: plan.interrupted().into_iter().map(str::to_owned).collect(),
        unplanned: plan.unplanned.iter().map(|part| part.what.clone()).collect(),
        refused: review.is_refused(),
    }
}

impl From<Summary> for SummaryJson {
    fn from(summary: Summary) -> Self {
        let Summary { create, update, replace, delete, adopt, forget, no_op } = summary;
        Self { create, update, replace, delete, adopt, forget, no_op }
    }
}

impl From<&Change> for ChangeJson {
    fn from(change: &Change) -> Self {
        Self {
            address: change.address.to_string(),
            kind: change.kind.name,
            action: change.action,
            reasons: change.reasons.iter().map(ReasonJson::from).collect(),
            attributes: change.attributes.iter().map(AttributeJson::from).collect(),
            steps: change.steps.iter().map(StepJson::from).collect(),
            window: change.window.as_ref().map(ToString::to_string),
            origin: change.origin.as_ref().map(PlaceJson::from),
        }
    }
}

impl From<&Reason> for ReasonJson {
    fn from(reason: &Reason) -> Self {
        let name = match reason {
            Reason::New => "new",
            Reason::DeletedOutside => "deleted-outside",
            Reason::SpecChanged => "spec-changed",
            Reason::Drift => "drift",
            Reason::Dependency(_) => "dependency",
            Reason::Requested => "requested",
            Reason::Marked => "marked",
            Reason::Interrupted => "interrupted",
            Reason::AdoptAsked => "adopt-asked",
            Reason::RemovedFromSpec => "removed-from-spec",
            Reason::Destroyed => "destroyed",
            Reason::Abandoned => "abandoned",
            Reason::HoldsData => "holds-data",
            Reason::Protected => "protected",
            Reason::GoneAlready => "gone-already",
            Reason::Equal => "equal",
        };
        let address = match reason {
            Reason::Dependency(address) => Some(address.to_string()),
            _ => None,
        };
        Self { reason: name, address }
    }
}

impl From<&Difference> for AttributeJson {
    fn from(difference: &Difference) -> Self {
        let shown = |value: &Json| (!difference.sensitive).then(|| masked(value));
        let (after, unknown_after, removed) = match &difference.after {
            After::Known(value) => (shown(value), None, false),
            After::Unknown(owner) => (None, Some(owner.to_string()), false),
            After::Removed => (None, None, true),
        };
        Self {
            path: difference.path.clone(),
            before: difference.before.as_ref().and_then(shown),
            after,
            unknown_after,
            removed,
            sensitive: difference.sensitive,
            impact: difference.impact,
            cause: difference.cause,
            changed_by: difference.changed_by.clone(),
            origin: difference.origin.as_ref().map(PlaceJson::from),
        }
    }
}

impl From<&Step> for StepJson {
    fn from(step: &Step) -> Self {
        Self { operation: step.operation, endpoint: step.endpoint.to_string() }
    }
}

impl From<&Blocked> for BlockedJson {
    fn from(blocked: &Blocked) -> Self {
        let (cause, message, help) = match &blocked.cause {
            BlockCause::Unread(reason) => ("unread", reason.clone(), None),
            BlockCause::Refused { message, help } => {
                ("refused", message.clone(), Some(help.clone()))
            }
            BlockCause::Dependency(on) => ("dependency", on.to_string(), None),
        };
        let origin = blocked.origin.as_ref().map(PlaceJson::from);
        Self { address: blocked.address.to_string(), cause, message, help, origin }
    }
}

impl From<&Rollout> for RolloutJson {
    fn from(rollout: &Rollout) -> Self {
        let wave = |wave: &Wave| WaveJson { canary: wave.canary, projects: wave.names() };
        let waves = rollout.waves.iter().map(wave).collect();
        Self { failures_max: rollout.failures_max, waves }
    }
}

impl From<&Window> for WindowJson {
    fn from(window: &Window) -> Self {
        Self { machine: window.machine.to_string(), group: window.group.clone() }
    }
}
