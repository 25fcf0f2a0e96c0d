//! Random installations of the product's kinds, and what random people do to them.

use boma::plan::Desired;
use boma::resource::{Address, Attributes, Edge, EdgeKind, Lifecycle, Mode, Resource, Value};
use boma::twin::World;
use serde_json::{Value as Json, json};

use crate::engine::scenario::{desired, kind, resource};
use crate::seeds::Dice;

/// One wave of an installation: which resources are asked for, and how, follows from seed and
/// wave. What a resource is and what it depends on mostly stays from wave to wave.
pub fn wave(seed: u64, number: usize) -> Desired {
    let mut resources: Vec<Resource> = Vec::new();
    let count = 6 + Dice::new(seed, "count").below(14);
    for slot in 0..count {
        let mut fixed = Dice::new(seed, &format!("slot {slot}"));
        let mut moving = Dice::new(seed, &format!("slot {slot} wave {number}"));
        if moving.chance(25) {
            continue;
        }
        resources.extend(one(slot, &resources, &mut fixed, &mut moving));
    }
    let mut wave = desired(resources);
    for address in wave.resources.keys() {
        if address.as_str().starts_with("vsphere/vm/") {
            wave.groups.insert(address.clone(), format!("group {}", address.as_str().len() % 2));
        }
    }
    wave
}

fn one(slot: usize, before: &[Resource], fixed: &mut Dice, moving: &mut Dice) -> Option<Resource> {
    let name = format!("r{slot}");
    let of = |name: &str| before.iter().filter(|one| one.kind == kind(name)).collect::<Vec<_>>();
    let (roles, folders, vms) = (of("vsphere/role"), of("vsphere/folder"), of("vsphere/vm"));
    let mut one = match fixed.below(4) {
        0 => {
            let privileges: Vec<&str> =
                ["A", "B", "C"].into_iter().filter(|_| moving.chance(60)).collect();
            let mut attributes = vec![
                ("name", Value::from(name.as_str())),
                ("privileges", json!(privileges).into()),
            ];
            if let Some(vm) = vms.first() {
                let parts = vec!["made for ".into(), Value::reference(&vm.address, "bios_uuid")];
                attributes.push(("description", Value::Template(parts)));
            }
            resource(
                kind("vsphere/role"),
                &name,
                Value::map(attributes),
                json!({"name": name}),
                &[],
            )
        }
        1 => {
            let path = format!("/DC1/vm/{name}");
            let attributes = Value::map([("path", path.clone().into())]);
            resource(kind("vsphere/folder"), &name, attributes, json!({"path": path}), &[])
        }
        2 => vm(&name, fixed.pick(&some(folders)?), moving),
        _ => permission(&name, fixed.pick(&some(vms)?), fixed.pick(&some(roles)?), moving),
    };
    let after = before
        .iter()
        .filter(|_| moving.chance(10))
        .map(|to| Edge { kind: EdgeKind::After, to: to.address.clone() });
    one.edges.extend(after);
    one.edges.sort();
    one.edges.dedup();
    Some(one)
}

fn some<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

fn vm(name: &str, folder: &Resource, moving: &mut Dice) -> Resource {
    let mut attributes = vec![
        ("name", Value::from(name)),
        ("folder", Value::reference(&folder.address, "path")),
        ("template", moving.pick(&["ubuntu", "debian"]).into()),
        ("cpus", moving.pick(&[4, 4, 8]).into()),
        ("hardware_version", moving.pick(&[13, 15, 19]).into()),
        ("power", moving.pick(&["on", "on", "off"]).into()),
    ];
    if moving.chance(50) {
        attributes.push(("memory_mib", 8192.into()));
    }
    let place = json!({"path": format!("/DC1/vm/cht/{name}")});
    resource(kind("vsphere/vm"), name, Value::map(attributes), place, &[])
}

fn permission(name: &str, vm: &Resource, role: &Resource, moving: &mut Dice) -> Resource {
    // Which machine it is on is part of its name: a permission never moves.
    let name = &format!("{name} on {}", vm.address.name());
    let principal = format!("VSPHERE.LOCAL\\{name}");
    let attributes = Value::map([
        ("entity", Value::reference(&vm.address, "path")),
        ("principal", principal.clone().into()),
        ("group", moving.chance(10).into()),
        ("role", Value::reference(&role.address, "name")),
    ]);
    let place = json!({"entity": vm.place.tree()["path"], "principal": principal});
    resource(
        kind("vsphere/permission"),
        name,
        attributes,
        place,
        &[(EdgeKind::LivesIn, &vm.address)],
    )
}

/// Edits and deletes things behind boma's back; says what it did.
pub fn meddle(world: &World, dice: &mut Dice) -> Vec<String> {
    let mut done = Vec::new();
    for one in world.standing() {
        if dice.chance(10) {
            world.remove(one.kind, &one.place);
            done.push(format!("deleted {}", one.place.as_str()));
        } else if dice.chance(25) {
            let keys: Vec<&String> = one
                .fields
                .keys()
                .filter(|key| one.kind.field(key).mode != Mode::Computed)
                .collect();
            let key = dice.pick(&keys).clone();
            let value = other(&one.fields[&key], dice);
            let machine = one.kind.lifecycle == Lifecycle::Machine;
            if key == "path" || (key == "foreign_disks" && machine) || key == "children" {
                continue;
            }
            done.push(format!("{} of {}: {value}", key, one.place.as_str()));
            world.edit(one.kind, &one.place, |fields| {
                fields.insert(key, value);
            });
        }
    }
    done
}

fn other(value: &Json, dice: &mut Dice) -> Json {
    match value {
        Json::String(text) if text == "on" => json!("off"),
        Json::String(text) if text == "off" => json!("on"),
        Json::Number(number) => json!(number.as_u64().unwrap_or_default() + 1),
        Json::Bool(value) => json!(!value),
        Json::Array(_) => json!(["Z"]),
        _ => json!(format!("edited {}", dice.below(1000))),
    }
}

/// Puts foreign objects at some places in an empty world; returns those that may not be taken over.
pub fn occupy(world: &World, desired: &mut Desired, dice: &mut Dice) -> Vec<Address> {
    let mut occupied = Vec::new();
    for resource in desired.resources.values_mut() {
        if !dice.chance(15) || resource.edges.iter().any(|edge| edge.kind == EdgeKind::LivesIn) {
            continue;
        }
        let place: &Attributes = &resource.place;

        let mut fields = serde_json::Map::new();
        fields.extend(
            place
                .tree()
                .as_object()
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        fields.retain(|key, _| resource.kind.field(key).mode == Mode::Owned);

        world.put(resource.kind, place, fields, None);
        resource.adopt = dice.chance(60);
        if !resource.adopt {
            occupied.push(resource.address.clone());
        }
    }
    occupied
}
