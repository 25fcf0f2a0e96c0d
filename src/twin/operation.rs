//! What a step does to the world, and what a real endpoint would refuse.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::merge::merge;
use super::world::{Data, Site, Standing};
use crate::plan::{Operation, Step};
use crate::provider::Inputs;
use crate::resource::{Effect, Kind, Lifecycle, Mode, Reading};

const POWER: &str = "power";
const HARDWARE_VERSION: &str = "hardware_version";

/// The virtual hardware of a fresh clone: a template's is older than what most specs ask for.
const TEMPLATE_HARDWARE: u64 = 13;

/// Carries out one step. The reading is the object afterwards.
///
/// # Errors
/// The endpoint's refusal in words; nothing has happened.
pub fn carry_out(data: &mut Data, step: &Step, inputs: &Inputs) -> Result<Reading, String> {
    if step.operation == Operation::Create {
        return create(data, step, inputs);
    }
    let mut locator = inputs.locator.clone();
    locator.id = inputs.object.as_ref().map(|object| object.id.clone()).or(locator.id);
    if step.operation == Operation::Expel && data.find(step.kind, &locator).is_none() {
        return Ok(Reading::Absent);
    }
    let site = data.find(step.kind, &locator).ok_or("the object is not there")?;
    let standing = data.standing.get(&site).ok_or("the object is not there")?;
    match step.operation {
        Operation::Create | Operation::Wait | Operation::EtcdSnapshot => {}
        Operation::Expel | Operation::RotateToken => {}
        Operation::Update => return update(data, step, inputs, &site),
        Operation::Delete if standing.is_running() => return Err("the machine is running".into()),
        Operation::Delete if data.has_data(&site) => return Err("it holds data".into()),
        Operation::Delete | Operation::Abandon => {
            data.remove(&site);
            return Ok(Reading::Absent);
        }
        Operation::PowerOff if !standing.is_running() => {
            return Err("the machine is off already".into());
        }
        Operation::PowerOff => set(data, &site, POWER, json!("off")),
        Operation::PowerOn if standing.is_running() => {
            return Err("the machine is running already".into());
        }
        Operation::PowerOn => set(data, &site, POWER, json!("on")),
        Operation::UpgradeHardware if standing.is_running() => {
            return Err("the machine is running".into());
        }
        Operation::UpgradeHardware => {
            let version = inputs.attributes[HARDWARE_VERSION]
                .as_u64()
                .ok_or("no hardware version is given")?;
            if standing.fields.get(HARDWARE_VERSION).and_then(Json::as_u64) >= Some(version) {
                return Err("the hardware is that new already".into());
            }
            set(data, &site, HARDWARE_VERSION, json!(version));
        }
        Operation::InitCluster | Operation::Join
            if standing.fields.get("joined") == Some(&json!("yes")) =>
        {
            return Err("the node has joined already".into());
        }
        Operation::Start if standing.fields.get("joined") == Some(&json!("no")) => {
            return Err("the node has no cluster".into());
        }
        Operation::InitCluster | Operation::Join | Operation::Start | Operation::Restart => {
            for (key, value) in NODE_UP {
                set(data, &site, key, json!(value));
            }
        }
        Operation::Drain => set(data, &site, "schedulable", json!(false)),
        Operation::Uncordon => set(data, &site, "schedulable", json!(true)),
    }
    Ok(show(data, &site))
}

fn create(data: &mut Data, step: &Step, inputs: &Inputs) -> Result<Reading, String> {
    let place = &inputs.locator.place;
    let site = Site::of(step.kind, place);
    if data.standing.contains_key(&site) {
        return Err(format!("{} already exists at {}", step.kind.name, place.as_str()));
    }
    if !inputs.generated.is_empty() && step.kind.holds_data && data.has_data_beside(&site) {
        return Err("data beside it was made with other secrets".into());
    }
    let fields = inputs.attributes.as_object().cloned().unwrap_or_default();
    if let Some(key) = fields.keys().find(|key| is_the_worlds(step.kind, key)) {
        return Err(format!("{key} cannot be written"));
    }
    let mut standing = data.make(step.kind, place, fields, inputs.mark.clone());
    if step.kind.lifecycle == Lifecycle::Machine {
        standing.fields.insert(POWER.into(), json!("off"));
        if let Some(version) = standing.fields.get_mut(HARDWARE_VERSION) {
            *version = json!(
                version.as_u64().map_or(TEMPLATE_HARDWARE, |asked| asked.min(TEMPLATE_HARDWARE))
            );
        }
    }
    if step.kind.lifecycle.is_node() {
        standing.fields.extend(new_node());
    }
    data.standing.insert(site.clone(), standing);
    Ok(show(data, &site))
}

/// What is true of a k3s node that runs.
const NODE_UP: [(&str, &str); 4] =
    [("service", "active"), ("running", "current"), ("joined", "yes"), ("ready", "yes")];

/// What is true of one that was put on a disk and never ran.
fn new_node() -> Map<String, Json> {
    let fields = json!({
        "service": "inactive",
        "running": "current",
        "joined": "no",
        "ready": "no",
        "schedulable": true,
        "spare_voters": 1,
        "server_answers": "yes",
        "others_not_ready": [],
        "wrong_provider_ids": [],
    });
    fields.as_object().cloned().unwrap_or_default()
}

/// Writes the fields of the step: those that the inputs lack go away.
fn update(data: &mut Data, step: &Step, inputs: &Inputs, site: &Site) -> Result<Reading, String> {
    let Some(mut standing) = data.standing.get(site).cloned() else {
        return Err("the object is not there".into());
    };
    standing.kind = step.kind;
    let inputs = &keep_generated(inputs, &standing);
    for key in written(step, inputs, &standing) {
        let wanted = inputs.attributes.get(&key).filter(|value| !value.is_null());
        write(&mut standing, &key, wanted)?;
    }
    let moved = Site::of(step.kind, &inputs.locator.place);
    if moved != *site && data.standing.contains_key(&moved) {
        return Err(format!(
            "{} already exists at {}",
            step.kind.name,
            inputs.locator.place.as_str()
        ));
    }
    standing.place = inputs.locator.place.clone();
    data.standing.remove(site);
    data.standing.insert(moved.clone(), standing);
    data.revise(&moved);
    Ok(show(data, &moved))
}

/// What was made up once is never made up again.
fn keep_generated(inputs: &Inputs, standing: &Standing) -> Inputs {
    let mut inputs = inputs.clone();
    let live = Json::Object(standing.fields.clone());
    for pointer in &inputs.generated {
        if let (Some(kept), Some(new)) =
            (live.pointer(pointer), inputs.attributes.pointer_mut(pointer))
        {
            *new = kept.clone();
        }
    }
    inputs
}

/// The fields at the top that a write is about: those of the step, or all that it sends and all
/// that the last one sent.
fn written(step: &Step, inputs: &Inputs, standing: &Standing) -> BTreeSet<String> {
    if step.kind.lifecycle != Lifecycle::Applied {
        return step.fields.iter().cloned().collect();
    }
    let sent = inputs.attributes.as_object().into_iter().flat_map(Map::keys);
    sent.chain(standing.written.keys()).cloned().collect()
}

fn write(standing: &mut Standing, key: &str, wanted: Option<&Json>) -> Result<(), String> {
    let field = standing.kind.field(key);
    let before = standing.fields.get(key).cloned();
    let written = standing.written.get(key);
    let after = wanted.map(|wanted| merge(standing.kind, key, before.clone(), wanted, written));
    if before == after || field.mode == Mode::Initial {
        return Ok(());
    }
    let live = Json::Object(standing.fields.clone());
    for (path, effect) in effects(standing.kind, &live, key, before.as_ref(), after.as_ref()) {
        if is_the_worlds(standing.kind, key)
            || matches!(effect, Effect::Replace | Effect::Refuse(_))
        {
            return Err(format!("{path} cannot be changed"));
        }
        if effect == Effect::PowerCycle && standing.is_running() {
            return Err(format!("{path} cannot be changed while the machine is running"));
        }
        if effect == Effect::Restart && standing.kind.lifecycle.is_node() {
            standing.fields.insert("running".into(), json!("stale"));
        }
    }
    put(&mut standing.fields, key, after);
    put(&mut standing.written, key, wanted.cloned());
    Ok(())
}

/// What changes below a path, and what each change means.
fn effects(
    kind: Kind,
    live: &Json,
    path: &str,
    before: Option<&Json>,
    after: Option<&Json>,
) -> Vec<(String, Effect)> {
    match (before, after) {
        (before, after) if before == after => Vec::new(),
        (Some(Json::Object(before)), Some(Json::Object(after))) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            let below = |key: &String| {
                effects(kind, live, &format!("{path}.{key}"), before.get(key), after.get(key))
            };
            keys.into_iter().flat_map(below).collect()
        }
        _ => vec![(path.to_owned(), kind.field(path).effect.on(live, before, after))],
    }
}

fn put(map: &mut Map<String, Json>, key: &str, value: Option<Json>) {
    match value {
        Some(value) => map.insert(key.to_owned(), value),
        None => map.remove(key),
    };
}

fn set(data: &mut Data, site: &Site, key: &str, value: Json) {
    if let Some(standing) = data.standing.get_mut(site) {
        standing.fields.insert(key.to_owned(), value);
    }
    data.revise(site);
}

fn show(data: &Data, site: &Site) -> Reading {
    data.standing.get(site).map_or(Reading::Absent, |standing| Reading::Present(standing.object()))
}

fn is_the_worlds(kind: Kind, key: &str) -> bool {
    matches!(kind.field(key).mode, Mode::Computed | Mode::Volatile | Mode::Follows(_))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::resource::{Address, Attributes, Condition, Endpoint, Locator};
    use crate::twin::World;

    /// Runs steps of one VM and compares the last outcome: its power, or the refusal.
    fn check(steps: &[(Operation, Json)], expected: Result<&str, &str>) {
        let world = World::new(1);
        let mut outcome = Ok(Reading::Absent);
        for (operation, attributes) in steps {
            outcome = run(&world, *operation, attributes);
        }
        let power = |reading: Reading| {
            reading.object().map_or_else(
                || "absent".to_owned(),
                |object| object.attributes.tree()[POWER].as_str().unwrap().into(),
            )
        };
        assert_eq!(outcome.map(power), expected.map(str::to_owned).map_err(str::to_owned));
    }

    fn run(world: &World, operation: Operation, attributes: &Json) -> Result<Reading, String> {
        let step = Step {
            address: Address::from("vsphere/vm/a"),
            kind: Kind::named("vsphere/vm").unwrap(),
            endpoint: Endpoint::vcenter(),
            operation,
            fields: attributes.as_object().unwrap().keys().cloned().collect(),
            guard: None,
            guard_s: 0,
            done: Condition::Exists,
            deadline_s: 1,
        };
        let place = Attributes::new(&json!({"path": "/DC1/vm/a"}));
        let locator = Locator { place, ..Locator::default() };
        let inputs = Inputs {
            attributes: attributes.clone(),
            generated: Vec::new(),
            object: None,
            locator,
            mark: None,
        };
        carry_out(&mut world.data(), &step, &inputs)
    }

    #[test]
    fn a_machine_is_made_switched_and_deleted() {
        use Operation::{Create, Delete, PowerOff, PowerOn, Update, UpgradeHardware};
        let none = || json!({});
        let make = (Create, json!({"cpus": 4, "hardware_version": 15, "power": "on"}));
        check(std::slice::from_ref(&make), Ok("off"));
        check(&[make.clone(), (PowerOn, none())], Ok("on"));
        check(
            &[make.clone(), (UpgradeHardware, json!({"hardware_version": 15})), (Delete, none())],
            Ok("absent"),
        );
        check(
            &[make.clone(), (PowerOn, none()), (PowerOff, none()), (Update, json!({"cpus": 8}))],
            Ok("off"),
        );
    }

    #[test]
    fn what_a_real_endpoint_refuses_is_refused() {
        use Operation::{Create, Delete, PowerOff, PowerOn, Update, UpgradeHardware};
        let none = || json!({});
        let make = (Create, json!({"cpus": 4, "hardware_version": 15}));
        let on = (PowerOn, none());
        let exists = "vsphere/vm already exists at {\"path\":\"/DC1/vm/a\"}";
        check(&[make.clone(), make.clone()], Err(exists));
        check(&[(Update, json!({"cpus": 8}))], Err("the object is not there"));
        check(&[make.clone(), on.clone(), on.clone()], Err("the machine is running already"));
        check(&[make.clone(), (PowerOff, none())], Err("the machine is off already"));
        check(&[make.clone(), on.clone(), (Delete, none())], Err("the machine is running"));
        let busy = "cpus cannot be changed while the machine is running";
        check(&[make.clone(), on, (Update, json!({"cpus": 8}))], Err(busy));
        check(&[make.clone(), (Update, json!({"moref": "x"}))], Err("moref cannot be changed"));
        let old = (UpgradeHardware, json!({"hardware_version": 13}));
        check(&[make, old], Err("the hardware is that new already"));
    }
}
