//! Small plans for tests, to be altered by one thing.

use serde_json::{Value as Json, json};

use super::TextOptions;
use crate::diag::{Finding, Level};
use crate::plan::{
    Action, After, Basis, BlockCause, Blocked, Cause, Change, Difference, DriftAttribute,
    DriftReport, Drifted, FORMAT, Half, Impact, Node, Operation, Plan, ReadStats, Reason, Review,
    Step, Unplanned, Window,
};
use crate::resource::{
    Address, Attributes, Condition, Endpoint, Field, Identity, Kind, KindFacts, Layer, Lifecycle,
    Locator, Place,
};

/// Facts that printing looks at, in every layer.
macro_rules! kind {
    ($name:literal, $layer:ident) => {
        Kind::new(&KindFacts {
            name: $name,
            layer: Layer::$layer,
            fields: &[Field::owned("password").sensitive(), Field::owned("auth.token").sensitive()],
            holds_data: false,
            identity: Identity::Mark,
            lifecycle: Lifecycle::Plain,
            freed_first: false,
            ready: Condition::Exists,
            deletable: Condition::Exists,
            deadline_s: 1,
            weight_s: 1,
        })
    };
}

pub const VM: Kind = kind!("vsphere/vm", Vcenter);
pub const CLUSTER: Kind = kind!("cluster/any", Cluster);
pub const PROJECT: Kind = kind!("project/any", Projects);

/// Line of `national.toml`.
pub fn place(line: u32) -> Place {
    Place { file: "national.toml".into(), line, column: 1, span: (0, 0) }
}

/// A known value on a field that was not there.
pub fn set(path: &str, after: Json) -> Difference {
    Difference {
        path: path.into(),
        before: None,
        after: After::Known(after),
        cause: Cause::Spec,
        impact: Impact::InPlace,
        sensitive: false,
        changed_by: None,
        origin: None,
    }
}

/// A value that becomes another one by a spec edit.
pub fn edit(path: &str, before: Json, after: Json) -> Difference {
    Difference { before: Some(before), ..set(path, after) }
}

/// A change with one reason; its line is 10.
pub fn change(action: Action, kind: Kind, address: &str, reason: Reason) -> Change {
    let desired = !matches!(action, Action::Delete | Action::Forget);
    Change {
        address: Address::from(address),
        kind,
        endpoint: Endpoint::vcenter(),
        action,
        reasons: vec![reason],
        attributes: Vec::new(),
        steps: Vec::new(),
        opening: Vec::new(),
        closing: Vec::new(),
        window: None,
        origin: desired.then(|| place(10)),
        desired: Attributes::default(),
        assumed: Vec::new(),
        locator: Locator::default(),
        live: None,
        edges: Vec::new(),
        protected: false,
    }
}

/// Something that is as it should be.
pub fn idle(kind: Kind, address: &str) -> Change {
    change(Action::NoOp, kind, address, Reason::Equal)
}

pub fn step(address: &str, operation: Operation) -> Step {
    Step {
        address: Address::from(address),
        kind: VM,
        endpoint: Endpoint::vcenter(),
        operation,
        fields: Vec::new(),
        guard: None,
        guard_s: 0,
        done: Condition::Exists,
        deadline_s: 1,
    }
}

pub fn blocked_by(address: &str, cause: BlockCause) -> Blocked {
    Blocked { address: Address::from(address), kind: VM, cause, origin: Some(place(20)) }
}

pub fn finding(rule: &'static str, level: Level) -> Finding {
    Finding {
        rule,
        level,
        message: "a county does not fit".into(),
        help: "add an agent".into(),
        place: Some(place(41)),
        address: None,
        waived: None,
    }
}

/// A live plan of some changes.
pub fn review(changes: Vec<Change>) -> Review {
    let basis = Basis {
        name: "national".into(),
        spec: "national.toml".into(),
        spec_digest: String::new(),
        lineage: "l".into(),
        serial: 41,
        lab: false,
        offline: false,
        destroy: false,
    };
    let plan = Plan {
        format: FORMAT,
        basis,
        changes,
        blocked: Vec::new(),
        nodes: Vec::new(),
        windows: Vec::new(),
        lanes: Vec::new(),
        rollout: None,
        endpoints: Default::default(),
        unplanned: Vec::new(),
    };
    Review { plan, findings: Vec::new(), read: Some(ReadStats { requests: 37, elapsed_ms: 1234 }) }
}

/// Everything an output can have in it.
pub fn everything() -> Review {
    let agent = "vsphere/vm/agent-4";
    let drift = Difference {
        cause: Cause::Drift,
        impact: Impact::PowerCycle,
        ..edit("disk_uuid", json!(false), json!(true))
    };
    let secret = Difference {
        sensitive: true,
        ..edit("password", json!({"$sealed": "a"}), json!("hunter2"))
    };
    let unknown = Difference {
        after: After::Unknown(Address::from("vsphere/vm/agent-5")),
        ..set("provider_id", Json::Null)
    };
    let removed = Difference { after: After::Removed, ..edit("note", json!("old"), Json::Null) };
    let powered = Change {
        attributes: vec![drift],
        steps: vec![step(agent, Operation::PowerOff), step(agent, Operation::PowerOn)],
        window: Some(Address::from(agent)),
        ..change(Action::Update, VM, agent, Reason::Drift)
    };
    let made = Change {
        attributes: vec![
            set("cpus", json!(48)),
            set("network", json!({"name": "VM Network", "mac": null})),
        ],
        ..change(Action::Create, VM, "vsphere/vm/agent-5", Reason::New)
    };
    let edited = Change {
        attributes: vec![secret, unknown, removed],
        reasons: vec![Reason::SpecChanged, Reason::Dependency(Address::from("vsphere/vm/agent-5"))],
        ..change(Action::Update, CLUSTER, "cluster/Secret/vsphere", Reason::SpecChanged)
    };
    let mut review = review(vec![powered, made, edited, idle(VM, "vsphere/vm/server-1")]);
    review.plan.nodes = vec![Node { change: 0, half: Half::Whole, after: Vec::new(), weight_s: 1 }];
    review.plan.windows = vec![Window {
        machine: Address::from(agent),
        group: "agents".into(),
        nodes: vec![0],
        disrupts: true,
    }];
    review.plan.blocked = vec![
        blocked_by(
            "vsphere/vm/server-2",
            BlockCause::Unread("host not found: check [vcenter] server".into()),
        ),
        blocked_by(
            "vsphere/vm/server-3",
            BlockCause::Refused { message: "taken".into(), help: "adopt it".into() },
        ),
        blocked_by("vsphere/vm/x", BlockCause::Dependency(Address::from("vsphere/vm/server-3"))),
    ];
    review.plan.unplanned = vec![Unplanned { what: "50 projects".into() }];
    let waived = Finding { waived: Some("pilot only".into()), ..finding("no-backup", Level::Deny) };
    review.findings = vec![finding("capacity", Level::Warn), waived];
    review
}

/// A changed, a rotated and a deleted thing.
pub fn drifted() -> DriftReport {
    let attribute = |path: &str, recorded: Json, live: Json| DriftAttribute {
        path: path.into(),
        recorded: Some(recorded),
        live: Some(live),
        sensitive: false,
        changed_by: None,
    };
    let secret = DriftAttribute {
        sensitive: true,
        changed_by: None,
        ..attribute("password", json!({"$sealed": "a"}), json!("hunter2"))
    };
    let moved = Drifted {
        address: Address::from("vsphere/vm/agent-4"),
        kind: VM,
        attributes: vec![attribute("cpus", json!(48), json!(24)), secret],
        exists_live: true,
    };
    let gone = Drifted::deleted(Address::from("vsphere/vm/agent-5"), VM);
    DriftReport {
        name: "national".into(),
        drifted: vec![moved, gone],
        unread: Vec::new(),
        checked: 92,
    }
}

/// Lines up to 100 columns, no colour.
pub fn options() -> TextOptions {
    TextOptions::default()
}
