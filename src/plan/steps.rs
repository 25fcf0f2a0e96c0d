//! Which calls a change consists of.

use serde_json::Value as Json;

use super::node_steps::Entry;
use super::takeover::MANAGED_BY;
use super::{Action, Difference, Impact, Operation, Step};
use crate::resource::{Address, Condition, Endpoint, Kind, Layer, Lifecycle, Mode};

/// The keys of machines that have operations of their own.
const POWER: &str = "power";
const HARDWARE_VERSION: &str = "hardware_version";

/// The resource that steps are made for.
pub struct Subject<'a> {
    /// Its address.
    pub address: &'a Address,
    /// Its kind.
    pub kind: Kind,
    /// Who is called.
    pub endpoint: &'a Endpoint,
    /// What it shall be; empty on delete.
    pub desired: &'a Json,
    /// What it is. `None` where it is not there.
    pub live: Option<&'a Json>,
    /// The state knows it.
    pub recorded: bool,
    /// How a k3s server without data comes up.
    pub entry: Entry,
    /// The whole spec goes.
    pub destroy: bool,
    /// It goes although it holds data.
    pub abandoned: bool,
    /// It is the server that all others came after.
    pub last: bool,
}

/// How long volumes may take to come off a machine: Kubernetes waits six minutes for a node that
/// does not answer before it takes them by force (kube-controller-manager, attach and detach).
const DETACH_S: u64 = 420;

impl Subject<'_> {
    /// The steps of an action, in order.
    pub fn steps(&self, action: Action, differences: &[Difference]) -> Vec<Step> {
        match action {
            Action::Create => self.create(),
            Action::Update => self.update(differences),
            Action::Adopt => [self.update(differences), self.unfinished(differences)].concat(),
            Action::Replace => [self.delete(), self.create()].concat(),
            Action::Delete => self.delete(),
            Action::Forget => self.let_go().into_iter().collect(),
            Action::NoOp => Vec::new(),
        }
    }

    /// Whether the steps take a running machine down.
    pub fn disturbs(&self, action: Action, differences: &[Difference]) -> bool {
        if self.kind.lifecycle.is_node() {
            return self.disturbs_node(action, differences);
        }
        if self.kind.layer == Layer::Hosts {
            return self.live.is_some() && action != Action::NoOp;
        }
        self.is_running()
            && match action {
                Action::Update | Action::Adopt => self.must_be_off(differences),
                Action::Replace | Action::Delete => true,
                _ => false,
            }
    }

    fn is_machine(&self) -> bool {
        self.kind.lifecycle == Lifecycle::Machine
    }

    fn is_running(&self) -> bool {
        self.is_machine() && self.live.is_some_and(|live| live[POWER] != "off")
    }

    fn wants_power(&self) -> bool {
        self.is_machine() && self.desired[POWER] == "on"
    }

    fn must_be_off(&self, differences: &[Difference]) -> bool {
        let switched_off = differences.iter().any(|difference| difference.path == POWER)
            && self.desired[POWER] == "off";
        switched_off || differences.iter().any(|difference| difference.impact >= Impact::PowerCycle)
    }

    fn create(&self) -> Vec<Step> {
        if self.kind.lifecycle.is_node() {
            return self.create_node();
        }
        if !self.is_machine() {
            return vec![self.step(Operation::Create, Vec::new(), self.kind.ready.clone())];
        }
        let mut steps = vec![self.step(Operation::Create, Vec::new(), Condition::Exists)];
        let fields = self.desired.as_object().into_iter().flat_map(|map| map.keys().cloned());
        steps.extend(
            self.writes(fields.filter(|key| self.kind.field(key).mode == Mode::Owned).collect()),
        );
        if self.wants_power() {
            steps.push(self.power(Operation::PowerOn, "on"));
            steps.extend(self.waits());
        }
        steps
    }

    fn update(&self, differences: &[Difference]) -> Vec<Step> {
        if self.kind.lifecycle.is_node() {
            return self.update_node(differences);
        }
        if self.kind.lifecycle == Lifecycle::Applied {
            return self.apply(differences);
        }
        let mut fields: Vec<String> =
            differences.iter().map(|difference| top(&difference.path)).collect();
        fields.dedup();
        if !self.is_machine() {
            return self.writes(fields);
        }
        let off = self.is_running() && self.must_be_off(differences);
        // Where the spec says nothing of power, a machine runs afterwards if it ran before.
        let on = if off {
            self.desired[POWER] != "off"
        } else {
            self.wants_power() && !self.is_running()
        };
        let mut steps = Vec::new();
        steps.extend(off.then(|| self.power(Operation::PowerOff, "off")));
        steps.extend(self.writes(fields));
        if on {
            steps.push(self.power(Operation::PowerOn, "on"));
            steps.extend(self.waits());
        }
        steps
    }

    /// One call writes everything desired; it names what the plan says it changes.
    fn apply(&self, differences: &[Difference]) -> Vec<Step> {
        if differences.is_empty() {
            return Vec::new();
        }
        let fields = differences.iter().map(|one| one.path.clone()).collect();
        let mut done = vec![Condition::Written, self.kind.ready.clone()];
        if differences.iter().any(|one| one.path == MANAGED_BY) {
            done.push(Condition::Empty(MANAGED_BY.into()));
        }
        let done = Condition::All(done.into());
        vec![self.step(Operation::Update, fields, done)]
    }

    /// What an interrupted run did not get to wait for.
    fn unfinished(&self, differences: &[Difference]) -> Vec<Step> {
        if self.kind.lifecycle == Lifecycle::Applied {
            let waits =
                differences.is_empty() && self.live.is_some_and(|live| live["ready"] != true);
            let wait = || self.step(Operation::Wait, Vec::new(), self.kind.ready.clone());
            return waits.then(wait).into_iter().collect();
        }
        let goes_on = self.is_running() && !self.must_be_off(differences);
        let waits = if goes_on { self.waits() } else { Vec::new() };
        let missing = |step: &Step| match (&step.done, self.live) {
            (Condition::Is(path, text), Some(live)) => live[path.as_ref()] != text.as_ref(),
            (Condition::NotEmpty(path), Some(live)) => live[path.as_ref()].is_null(),
            _ => true,
        };
        waits.into_iter().filter(missing).collect()
    }

    /// One step for each field that the spec foresees and that comes true after power-on.
    fn waits(&self) -> Vec<Step> {
        let awaited = self.kind.fields.iter().filter_map(|field| {
            let Mode::Awaited(deadline_s) = field.mode else { return None };
            let done = match &self.desired[field.path] {
                Json::String(wanted) => Condition::Is(field.path.into(), wanted.clone().into()),
                Json::Bool(true) => Condition::NotEmpty(field.path.into()),
                _ => return None,
            };
            Some(Step { deadline_s, ..self.step(Operation::Wait, Vec::new(), done) })
        });
        awaited.collect()
    }

    fn delete(&self) -> Vec<Step> {
        if self.kind.lifecycle.is_node() {
            return self.delete_node();
        }
        let mut steps = Vec::new();
        steps.extend(self.is_running().then(|| self.power(Operation::PowerOff, "off")));
        let operation = if self.abandoned { Operation::Abandon } else { Operation::Delete };
        let guard_s = match (self.abandoned, self.is_machine()) {
            (true, _) => self.kind.deadline_s,
            (false, true) => DETACH_S,
            (false, false) => 0,
        };
        steps.push(Step {
            guard: Some(self.kind.deletable.clone()),
            guard_s,
            ..self.step(operation, Vec::new(), Condition::Absent)
        });
        steps
    }

    /// Where everything goes, what stays is waited for until nothing holds it: a volume that hangs
    /// on a machine would go with the machine.
    fn let_go(&self) -> Option<Step> {
        let held = self.live.is_some() && self.kind.deletable != Condition::Exists;
        (self.destroy && self.kind.holds_data && held).then(|| Step {
            guard: Some(self.kind.deletable.clone()),
            guard_s: self.kind.deadline_s,
            ..self.step(Operation::Wait, Vec::new(), Condition::Called)
        })
    }

    /// The steps that write fields: hardware first, since others may need it.
    fn writes(&self, mut fields: Vec<String>) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.is_machine() {
            let upgrade = fields.iter().any(|field| field == HARDWARE_VERSION);
            let version = self.desired[HARDWARE_VERSION].as_u64().filter(|_| upgrade);
            fields.retain(|field| field != POWER && field != HARDWARE_VERSION);
            steps.extend(version.map(|version| {
                let done = Condition::AtLeast(HARDWARE_VERSION.into(), version);
                self.step(Operation::UpgradeHardware, vec![HARDWARE_VERSION.into()], done)
            }));
        }
        if !fields.is_empty() {
            steps.push(self.step(Operation::Update, fields, Condition::Written));
        }
        steps
    }

    fn power(&self, operation: Operation, state: &'static str) -> Step {
        self.step(operation, Vec::new(), Condition::is(POWER, state))
    }

    pub(super) fn step(&self, operation: Operation, fields: Vec<String>, done: Condition) -> Step {
        Step {
            address: self.address.clone(),
            kind: self.kind,
            endpoint: self.endpoint.clone(),
            operation,
            fields,
            guard: None,
            guard_s: 0,
            done,
            deadline_s: self.kind.deadline_s,
        }
    }
}

/// The first key of a path.
pub(super) fn top(path: &str) -> String {
    path.split('.').next().unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::{After, Cause};

    fn difference(path: &str, impact: Impact) -> Difference {
        Difference {
            path: path.into(),
            before: None,
            after: After::Known(json!(1)),
            cause: Cause::Spec,
            impact,
            sensitive: false,
            changed_by: None,
            origin: None,
        }
    }

    fn check(
        action: Action,
        live: Option<Json>,
        differences: &[Difference],
        expected: &[Operation],
    ) {
        let desired = json!({"cpus": 4, "hardware_version": 15, "power": "on", "template": "t",
            "tools": "running", "address": "10.20.0.11"});
        let subject = Subject {
            address: &Address::from("vsphere/vm/a"),
            kind: Kind::named("vsphere/vm").expect("a kind of the product"),
            endpoint: &Endpoint::vcenter(),
            desired: &desired,
            live: live.as_ref(),
            recorded: live.is_some(),
            entry: Entry::Join,
            destroy: false,
            abandoned: false,
            last: false,
        };
        let found: Vec<Operation> =
            subject.steps(action, differences).iter().map(|step| step.operation).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_machine_whose_power_nobody_asked_for_runs_again() {
        let live = json!({"power": "on", "cpus": 2});
        let subject = Subject {
            address: &Address::from("vsphere/vm/a"),
            kind: Kind::named("vsphere/vm").expect("a kind of the product"),
            endpoint: &Endpoint::vcenter(),
            desired: &json!({"cpus": 4}),
            live: Some(&live),
            recorded: true,
            entry: Entry::Join,
            destroy: false,
            abandoned: false,
            last: false,
        };
        let steps = subject.steps(Action::Update, &[difference("cpus", Impact::PowerCycle)]);
        let operations: Vec<Operation> = steps.iter().map(|step| step.operation).collect();
        assert_eq!(operations, [Operation::PowerOff, Operation::Update, Operation::PowerOn]);
    }

    #[test]
    fn a_machine_is_off_only_around_what_needs_it() {
        use Operation::{Create, Delete, PowerOff, PowerOn, Update, UpgradeHardware, Wait};
        let on = Some(json!({"power": "on", "tools": "running", "address": "10.20.0.12"}));
        let off = Some(json!({"power": "off"}));
        let cpus = [difference("cpus", Impact::PowerCycle)];
        let hardware = [difference("hardware_version", Impact::PowerCycle)];
        check(Action::Create, None, &[], &[Create, UpgradeHardware, Update, PowerOn, Wait, Wait]);
        check(Action::Update, on.clone(), &cpus, &[PowerOff, Update, PowerOn, Wait, Wait]);
        let upgrade = [PowerOff, UpgradeHardware, PowerOn, Wait, Wait];
        check(Action::Update, on.clone(), &hardware, &upgrade);
        check(Action::Adopt, on.clone(), &[], &[Wait]);
        check(Action::Update, on.clone(), &[difference("folder", Impact::InPlace)], &[Update]);
        let switched = [difference("power", Impact::InPlace)];
        check(Action::Update, off.clone(), &switched, &[PowerOn, Wait, Wait]);
        check(Action::Delete, on.clone(), &[], &[PowerOff, Delete]);
        check(Action::Delete, off, &[], &[Delete]);
        check(
            Action::Replace,
            on,
            &[],
            &[PowerOff, Delete, Create, UpgradeHardware, Update, PowerOn, Wait, Wait],
        );
    }
}
