//! Which calls a change of a k3s node consists of, and what its window begins and ends with.

use serde_json::Value as Json;

use super::steps::{Subject, top};
use super::{Action, Difference, Impact, Operation, Step};
use crate::resource::{Condition, Lifecycle};

/// Fields that say how a node stands, not what is on its disk.
const SERVICE: &str = "service";
const RUNNING: &str = "running";
const SCHEDULABLE: &str = "schedulable";
const STANDING: [&str; 3] = [SERVICE, RUNNING, SCHEDULABLE];

/// Fields of which nobody sees from outside whether a process runs with them.
const UNSEEN: [&str; 3] = ["token", "mirrors", "logins"];

/// Saving etcd takes seconds; a slow disk gets minutes.
const SNAPSHOT_S: u64 = 300;
/// Where the spec says nothing: as `kubectl drain` is mostly given.
const DRAIN_S: u64 = 600;

/// With fewer members etcd never has a voter to spare, so that nobody may wait for one: the rule
/// `quorum` says what such a cluster lacks.
const SPARING_MEMBERS: u64 = 3;

/// How a server that has no data yet comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It begins the cluster.
    Begin,
    /// It joins one that stands, or that another server of the same plan begins.
    Join,
}

impl Subject<'_> {
    pub(super) fn create_node(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        // The cluster may still have the node that was there before, with another password.
        let rebuilt = self.recorded && self.entry == Entry::Join;
        steps.extend(rebuilt.then(|| self.call(Operation::Expel, self.kind.deadline_s)));
        steps.push(self.step(Operation::Create, Vec::new(), Condition::Exists));
        steps.push(self.enter());
        steps
    }

    /// Writes first, then whatever makes the node run what is on its disk.
    pub(super) fn update_node(&self, differences: &[Difference]) -> Vec<Step> {
        let differs = |key: &str| differences.iter().any(|one| one.path == key);
        let mut fields: Vec<String> = differences.iter().map(|one| top(&one.path)).collect();
        fields.retain(|field| !STANDING.contains(&field.as_str()));
        fields.dedup();
        let unseen = fields.iter().any(|field| UNSEEN.contains(&field.as_str()));
        let mut steps = Vec::new();
        if !fields.is_empty() {
            steps.push(self.step(Operation::Update, fields, Condition::Written));
        }
        let restarts = differences.iter().any(|one| one.impact >= Impact::Restart);
        if !self.has_joined() {
            steps.push(self.enter());
        } else if unseen && self.is_up() {
            steps.push(self.call(Operation::Restart, self.kind.deadline_s));
            steps.push(self.ready(Operation::Wait));
        } else if restarts && self.is_up() || differs(SERVICE) && !self.is_stopped() {
            steps.push(self.ready(Operation::Restart));
        } else if differs(SERVICE) {
            steps.push(self.ready(Operation::Start));
        }
        if differs(SCHEDULABLE) {
            steps.push(self.uncordon());
        }
        steps
    }

    /// Has a running server take the new token in place of the one that the cluster has.
    pub(super) fn rotate_token(&self) -> Step {
        self.call(Operation::RotateToken, self.kind.deadline_s)
    }

    /// Out of the cluster, then off the machine. Where everything goes, the last server has no
    /// cluster to be taken out of, nor has anybody where none answers.
    pub(super) fn delete_node(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let answers = self.live.is_some_and(|live| live["server_answers"] == "yes");
        if !self.destroy || answers && !self.last {
            steps.push(self.call(Operation::Expel, self.kind.deadline_s));
        }
        if self.live.is_some() {
            steps.push(Step {
                guard: Some(self.kind.deletable.clone()),
                ..self.step(Operation::Delete, Vec::new(), Condition::Absent)
            });
        }
        steps
    }

    /// What the window of a running node begins and ends with; nothing for anything else.
    pub fn around(&self, action: Action) -> (Vec<Step>, Vec<Step>) {
        if self.is_up() { (self.opening(action), self.closing()) } else { (Vec::new(), Vec::new()) }
    }

    fn opening(&self, action: Action) -> Vec<Step> {
        let drain_s = self.seconds("drain_timeout_s", DRAIN_S);
        let mut steps = Vec::new();
        let is_etcd = self.live.is_none_or(|live| live["datastore"] != "other");
        if self.kind.lifecycle == Lifecycle::Server && is_etcd {
            steps.push(self.call(Operation::EtcdSnapshot, SNAPSHOT_S));
        }
        steps.push(self.call(Operation::Drain, drain_s));
        if let Some(first) = steps.first_mut() {
            first.guard = Some(self.may_be_missed(action));
            // Another node may be on its way back, from this apply or from one that was cut short.
            first.guard_s = self.seconds("ready_timeout_s", self.kind.deadline_s);
        }
        steps
    }

    fn closing(&self) -> Vec<Step> {
        vec![self.ready(Operation::Wait), self.uncordon()]
    }

    /// True of a node that the cluster can do without for a while.
    fn may_be_missed(&self, action: Action) -> Condition {
        let mut conditions = vec![Condition::Empty("others_not_ready".into())];
        // Making nodes anew is what sets wrong provider ids right.
        if action != Action::Replace {
            conditions.insert(0, Condition::Empty("wrong_provider_ids".into()));
        }
        let members = self.live.and_then(|live| live["members"].as_u64());
        let never_spares = members.is_some_and(|members| members < SPARING_MEMBERS);
        if self.kind.lifecycle == Lifecycle::Server && !never_spares {
            conditions.push(Condition::AtLeast("spare_voters".into(), 1));
        }
        Condition::All(conditions.into())
    }

    fn enter(&self) -> Step {
        self.ready(match self.entry {
            Entry::Begin => Operation::InitCluster,
            Entry::Join => Operation::Join,
        })
    }

    /// A step that ends when the node runs what is on its disk, and is ready.
    fn ready(&self, operation: Operation) -> Step {
        let current = Condition::is(RUNNING, "current");
        let done = Condition::All(vec![current, self.kind.ready.clone()].into());
        let deadline_s = self.seconds("ready_timeout_s", self.kind.deadline_s);
        Step { deadline_s, ..self.step(operation, Vec::new(), done) }
    }

    fn uncordon(&self) -> Step {
        self.step(Operation::Uncordon, Vec::new(), Condition::Set(SCHEDULABLE.into()))
    }

    /// A step that leaves nothing to see on the node itself.
    fn call(&self, operation: Operation, deadline_s: u64) -> Step {
        Step { deadline_s, ..self.step(operation, Vec::new(), Condition::Called) }
    }

    pub(super) fn is_up(&self) -> bool {
        self.kind.lifecycle.is_node()
            && self.live.is_some_and(|live| live[SERVICE] == "active" && live["node"] != "absent")
    }

    fn is_stopped(&self) -> bool {
        self.live.is_none_or(|live| live[SERVICE] == "inactive")
    }

    fn has_joined(&self) -> bool {
        self.live.is_some_and(|live| live["joined"] != "no")
    }

    fn seconds(&self, key: &str, default: u64) -> u64 {
        self.desired.get(key).and_then(Json::as_u64).unwrap_or(default)
    }

    /// Whether an action takes a running node down.
    pub(super) fn disturbs_node(&self, action: Action, differences: &[Difference]) -> bool {
        self.is_up()
            && match action {
                Action::Update | Action::Adopt => {
                    differences.iter().any(|one| one.impact >= Impact::Restart)
                }
                Action::Replace | Action::Delete => true,
                _ => false,
            }
    }
}
