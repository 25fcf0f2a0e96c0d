//! A spec that no rule finds anything in, and worlds around it.

use jiff::civil::{Date, date};
use serde_json::{Value as Json, json};

use super::{Facts, run};
use crate::diag::Finding;
use crate::lock::Standing;
use crate::plan::{
    Action, Basis, Change, Desired, FORMAT, Live, Operation, Plan, Reason, Step, Window,
};
use crate::resource::{
    Address, Attributes, Condition, Endpoint, Kind, Locator, Object, Place, Reading, Resource,
};
use crate::spec::{Pins, Spec, parse};
use crate::state::{Record, State};

/// Breaks no rule on [`TODAY`].
pub const SOUND: &str = r#"
name = "small"

[vcenter]
server = "vcenter.example.org"
username = { env = "VCENTER_USERNAME" }
password = { env = "VCENTER_PASSWORD" }
datacenter = "DC1"
cluster = "Cluster1"
datastore = "ds1"
storage_account = { principal = "storage@vsphere.local", password = { env = "STORAGE_PASSWORD" } }

[ssh]
user = "ubuntu"
authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEChAJ2L7FMvMDZzS4E0nTqyBNYjXWkDdxL4qzHDXm"]
from = ["10.20.0.5/32"]

[network]
ingress_from = ["10.20.1.10/32"]

[machines]
network = "VM Network"
template = "ubuntu"
subnet = "10.20.0.0/24"
gateway = "10.20.0.1"
dns = ["10.20.0.2"]

[servers]
count = 3
name = "server-{}"
addresses = "10.20.0.11-13"
cpus = 4
memory = "8GiB"
disk = "50GiB"

[agents]
count = 3
name = "agent-{}"
addresses = "10.20.0.21-23"
cpus = 8
memory = "32GiB"
disk = "50GiB"

[k3s]
version = "v1.35.9+k3s1"
token = { env = "K3S_TOKEN" }
agent_token = { env = "K3S_AGENT_TOKEN" }

[storage]
class = "vmware-sc"

[backup]
mode = "managed"

[backup.etcd.s3]
endpoint = "s3.example.org"
bucket = "etcd"
access_key = { env = "S3_ACCESS_KEY" }
secret_key = { env = "S3_SECRET_KEY" }

[rules]
no-snapshots = "allow"

[projects]
count = 4
name = "county-{}"
domain = "cht.example.org"

[projects.defaults]
cht = "5.3.1"
couchdb = { nodes = 3 }
"#;

/// The day on which tests happen.
pub const TODAY: Date = date(2026, 11, 22);

/// What a rule may look at besides the spec.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// See [`Facts::live`].
    pub live: Option<Live>,
    /// See [`Facts::plan`].
    pub plan: Option<Plan>,
    /// See [`Facts::desired`].
    pub desired: Desired,
    /// See [`Facts::lock`].
    pub lock: Option<Standing>,
    /// See [`Facts::prior`].
    pub prior: Option<State>,
}

/// The sound spec with one text after the other replaced.
pub fn spec(edits: &[(&str, &str)]) -> Spec {
    let mut text = SOUND.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from:?} is not in the sound spec");
        text = text.replacen(from, to, 1);
    }
    let parsed = parse("f", &text);
    parsed.spec.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics))
}

/// What the rules say on [`TODAY`].
pub fn findings(spec: &Spec, world: &World) -> Vec<Finding> {
    findings_on(TODAY, spec, world)
}

/// What the rules say on a day.
pub fn findings_on(today: Date, spec: &Spec, world: &World) -> Vec<Finding> {
    let (lock, live, plan) = (world.lock.as_ref(), world.live.as_ref(), world.plan.as_ref());
    let prior = world.prior.as_ref();
    run(&Facts { spec, lock, desired: &world.desired, prior, live, plan, today })
}

/// The spec alone.
pub fn nothing() -> World {
    World::default()
}

/// A lock that holds `locked` of what the spec leaves open, where this boma takes `newest`.
pub fn locked(locked: &[(&'static str, &str)], newest: &[(&'static str, &str)]) -> World {
    let pins = |values: &[(&'static str, &str)]| Pins {
        values: values.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
        ..Pins::default()
    };
    let mut held = pins(newest);
    held.values.extend(pins(locked).values);
    let standing = Standing { locked: Some(pins(locked)), held, newest: pins(newest) };
    World { lock: Some(standing), ..nothing() }
}

/// Live machines with these attributes, by name.
pub fn machines(attributes: &[(&str, Json)]) -> World {
    let reading = |(name, attributes): &(&str, Json)| {
        let object =
            Object { id: (*name).into(), attributes: Attributes::new(attributes), mark: None };
        (Address::of("vsphere/vm", name), Reading::Present(object))
    };
    World { live: Some(attributes.iter().map(reading).collect()), ..nothing() }
}

/// Objects with these attributes, by address.
pub fn readings(attributes: &[(&str, Json)]) -> World {
    let reading = |(address, attributes): &(&str, Json)| {
        let object =
            Object { id: (*address).into(), attributes: Attributes::new(attributes), mark: None };
        (Address::from(*address), Reading::Present(object))
    };
    World { live: Some(attributes.iter().map(reading).collect()), ..nothing() }
}

/// The same, and a plan with these changes of `k3s/…`, each of which disturbs its machine.
pub fn disturbing(attributes: &[(&str, Json)], changes: &[(&str, Action)]) -> World {
    let of = |(address, action): &(&str, Action)| {
        let address = Address::from(*address);
        let kind = address.as_str().rsplit_once('/').and_then(|(kind, _)| Kind::named(kind));
        let machine = Address::of("vsphere/vm", address.name());
        Change {
            kind: kind.expect("a kind of the product"),
            window: Some(machine),
            address,
            ..change("server-1", *action)
        }
    };
    let mut world = plan(changes.iter().map(of).collect());
    if let Some(plan) = &mut world.plan {
        let machines = plan.changes.iter().filter_map(|change| change.window.clone());
        let window =
            |machine| Window { machine, group: "nodes".into(), nodes: Vec::new(), disrupts: true };
        plan.windows = machines.map(window).collect();
    }
    World { live: readings(attributes).live, ..world }
}

/// The same, and a plan that does nothing to any of them but what `edit` makes of it.
pub fn standing(attributes: &[(&str, Json)], edit: impl Fn(&mut Change)) -> World {
    let of = |(address, tree): &(&str, Json)| {
        let address = Address::from(*address);
        let name = address.as_str().rsplit('/').nth(1).unwrap_or_default();
        let kind = Kind::named(&format!("kubernetes/{name}")).unwrap_or(Kind::object());
        let live = Some(Attributes::new(tree));
        let mut change = Change { kind, address, live, ..change("server-1", Action::NoOp) };
        edit(&mut change);
        change
    };
    World { live: readings(attributes).live, ..plan(attributes.iter().map(of).collect()) }
}

/// The same world, with records of objects of the cluster: address, kind, namespace, attributes.
pub fn recorded(world: World, records: &[(&str, &str, &str, Json)]) -> World {
    let record = |(address, kind, namespace, attributes): &(&str, &str, &str, Json)| {
        let place = Attributes::new(&json!({"namespace": namespace}));
        let attributes = Attributes::new(attributes);
        let record = Record {
            kind: Kind::named(&format!("kubernetes/{kind}")).unwrap_or(Kind::object()),
            endpoint: Endpoint::kubernetes(),
            id: "1".into(),
            place,
            seen: attributes.digest(),
            attributes,
            outputs: Attributes::default(),
            edges: Vec::new(),
            protected: false,
        };
        (Address::from(*address), record)
    };
    let mut prior = State::new("l".into(), &[0; 32]);
    prior.resources = records.iter().map(record).collect();
    World { prior: Some(prior), ..world }
}

/// A resource of the cluster that is asked for: its address, kind and attributes.
pub fn wanted(address: &str, kind: &str, attributes: &Json) -> World {
    let resource = Resource {
        address: Address::from(address),
        kind: Kind::named(&format!("kubernetes/{kind}")).unwrap_or(Kind::object()),
        endpoint: Endpoint::kubernetes(),
        attributes: Attributes::new(attributes),
        place: Attributes::new(&json!({"kind": kind})),
        edges: Vec::new(),
        origin: Place { file: "f".into(), line: 1, column: 1, span: (0, 1) },
        origins: Default::default(),
        adopt: false,
        protected: false,
    };
    let mut world = nothing();
    world.desired.resources.insert(resource.address.clone(), resource);
    world
}

/// What was seen of the site, and a plan that clones `server-1`.
pub fn cloning(seen: &Json) -> World {
    let mut clone = change("server-1", Action::Create);
    clone.steps = vec![Step {
        address: clone.address.clone(),
        kind: clone.kind,
        endpoint: Endpoint::vcenter(),
        operation: Operation::Create,
        fields: Vec::new(),
        guard: None,
        guard_s: 0,
        done: Condition::Exists,
        deadline_s: 1,
    }];
    let object = Object { id: "/DC1".into(), attributes: Attributes::new(seen), mark: None };
    let reading = (Address::of(Kind::site().name, "DC1"), Reading::Present(object));
    World { live: Some(Live::from([reading])), ..plan(vec![clone]) }
}

/// A plan with these changes of machines.
pub fn plan(changes: Vec<Change>) -> World {
    let basis = Basis {
        name: "small".into(),
        spec: "f".into(),
        spec_digest: String::new(),
        lineage: "l".into(),
        serial: 1,
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
    World { plan: Some(plan), ..nothing() }
}

/// A change of one machine, without steps.
pub fn change(name: &str, action: Action) -> Change {
    Change {
        address: Address::of("vsphere/vm", name),
        kind: Kind::named("vsphere/vm").expect("a kind of the product"),
        endpoint: Endpoint::vcenter(),
        action,
        reasons: vec![Reason::SpecChanged],
        attributes: Vec::new(),
        steps: Vec::new(),
        opening: Vec::new(),
        closing: Vec::new(),
        window: None,
        origin: None,
        desired: Attributes::default(),
        locator: Locator::default(),
        live: Some(Attributes::new(&json!({"foreign_disks": []}))),
        edges: Vec::new(),
        protected: false,
        assumed: Default::default(),
    }
}
