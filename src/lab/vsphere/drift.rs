//! Changes behind a client's back, as somebody with the vSphere client would make them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::lab::Drifted;

use super::disk;
use super::ids;
use super::machine::Machine;
use super::privilege;
use super::role::ALWAYS;
use super::rule::Rule;
use super::world::{Effect, Entity, Entry, Origin, Permission, Role, World};

/// Changes up to `count` things that clients made, one change each; the same seed on the same
/// world always changes the same things. Nothing is applied: the record is returned. A machine goes
/// down only where `ends` says yes to its id.
pub(in crate::lab) fn drift(
    world: &World,
    seed: u64,
    count: usize,
    ends: &mut dyn FnMut(&str) -> bool,
) -> (Entry, Vec<Drifted>) {
    let mut things = things(world);
    things.sort_by_key(|(identity, _)| ids::draw(seed, &["drift", identity]));
    let mut effects = Vec::new();
    let mut drifted = Vec::new();
    for (identity, thing) in things {
        if drifted.len() >= count {
            break;
        }
        let choice = ids::draw(seed, &["drift of", &identity]);
        let change = match thing {
            Thing::Machine(entity, machine) => machine_change(world, entity, machine, choice, ends),
            Thing::Role(role) => Some(role_change(role, choice)),
            Thing::Permission(permission) => Some(permission_change(world, permission, choice)),
            Thing::Rule(rule) => Some(rule_change(world, rule, choice)),
        };
        if let Some((effect, change)) = change {
            effects.push(effect);
            drifted.push(change);
        }
    }
    (Entry { effects }, drifted)
}

enum Thing<'a> {
    Machine(&'a Entity, &'a Machine),
    Role(&'a Role),
    Permission(&'a Permission),
    Rule(&'a Rule),
}

fn things(world: &World) -> Vec<(String, Thing<'_>)> {
    let entities = world.entities.values().filter(|entity| entity.origin == Origin::Client);
    let machines = entities.filter_map(|entity| {
        let machine = entity.machine().filter(|machine| !machine.template)?;
        Some((world.path(&entity.id), Thing::Machine(entity, machine)))
    });
    let roles = world.roles.values().filter(|role| role.origin == Origin::Client);
    let roles = roles.map(|role| (format!("role {}", role.name), Thing::Role(role)));
    let held = world.permissions.values().flat_map(|held| held.values());
    let held = held.filter(|permission| permission.origin == Origin::Client);
    let held = held.map(|permission| {
        let identity = format!("{} {}", world.path(&permission.entity), permission.principal);
        (identity, Thing::Permission(permission))
    });
    let rules = world.rules.values().flat_map(|rules| rules.values());
    let rules = rules.filter(|rule| rule.origin == Origin::Client);
    let rules = rules.map(|rule| (format!("rule {}", rule.title(world)), Thing::Rule(rule)));
    machines.chain(roles).chain(held).chain(rules).collect()
}

/// One in this many machines that could be deleted is.
const DELETED_ONE_IN: u64 = 8;

fn machine_change(
    world: &World,
    entity: &Entity,
    machine: &Machine,
    choice: u64,
    ends: &mut dyn FnMut(&str) -> bool,
) -> Option<(Effect, Drifted)> {
    let path = world.path(&entity.id);
    let told = |property: &str, before: Value, after: Value| Drifted {
        object_type: "VirtualMachine".to_owned(),
        name: path.clone(),
        principal: None,
        property: property.to_owned(),
        before,
        after,
    };
    // A deleted machine takes its permissions, its place in rules and foreign disks along, which
    // would be more than one change.
    let mut rules = world.rules.values().flat_map(|rules| rules.values());
    let alone = !world.permissions.contains_key(&entity.id)
        && disk::foreign(machine).next().is_none()
        && !rules.any(|rule| rule.vms.contains(&entity.id));
    if alone && choice.is_multiple_of(DELETED_ONE_IN) {
        return ends(&entity.id).then(|| {
            (Effect::Remove(entity.id.clone()), told("exists", json!(true), json!(false)))
        });
    }
    let mut changed = machine.clone();
    changed.changes += 1;
    let kinds = 2
        + u64::from(machine.disk_uuid)
        + u64::from(machine.powered_on)
        + u64::from(elsewhere(world, entity).is_some());
    let mut kind = (choice / DELETED_ONE_IN) % kinds;
    if kind == 0 {
        changed.cpus = if machine.cpus > 1 { machine.cpus / 2 } else { 2 };
        changed.cores_per_socket = 1;
        return Some((
            entity.with(changed.clone()),
            told("config.hardware.numCPU", json!(machine.cpus), json!(changed.cpus)),
        ));
    }
    if kind == 1 {
        changed.memory_mib += 1024;
        return Some((
            entity.with(changed.clone()),
            told("config.hardware.memoryMB", json!(machine.memory_mib), json!(changed.memory_mib)),
        ));
    }
    kind -= 2;
    if machine.disk_uuid {
        if kind == 0 {
            changed.set_disk_uuid(false);
            return Some((
                entity.with(changed),
                told("config.flags.diskUuidEnabled", json!(true), json!(false)),
            ));
        }
        kind -= 1;
    }
    if machine.powered_on && kind == 0 {
        if !ends(&entity.id) {
            return None;
        }
        changed.powered_on = false;
        return Some((
            entity.with(changed),
            told("runtime.powerState", json!("poweredOn"), json!("poweredOff")),
        ));
    }
    let target = elsewhere(world, entity)?;
    let parent = entity.parent.as_deref().unwrap_or_default();
    let change = told("parent", json!(world.path(parent)), json!(world.path(&target.id)));
    let parent = Some(target.id.clone());
    Some((Effect::Put(Box::new(Entity { parent, ..entity.clone() })), change))
}

/// The datacenter's VM folder, where a machine is not in it yet and its name is free there.
fn elsewhere<'a>(world: &'a World, entity: &Entity) -> Option<&'a Entity> {
    let datacenter = world.datacenter_of(&entity.id)?;
    let top = world.child(&datacenter.id, "vm")?;
    let free =
        entity.parent.as_ref() != Some(&top.id) && world.child(&top.id, &entity.name).is_none();
    free.then_some(top)
}

fn role_change(role: &Role, choice: u64) -> (Effect, Drifted) {
    let own: Vec<&String> =
        role.privileges.iter().filter(|id| !ALWAYS.contains(&id.as_str())).collect();
    let mut privileges: BTreeSet<String> = role.privileges.clone();
    if choice.is_multiple_of(2) && !own.is_empty() {
        let place = (choice / 2) as usize % own.len();
        privileges.remove(own[place]);
    } else {
        let others: Vec<&str> =
            privilege::all().filter(|id| !role.privileges.contains(*id)).collect();
        let place = (choice / 2) as usize % others.len().max(1);
        privileges.extend(others.get(place).map(|&id| id.to_owned()));
    }
    let change = Drifted {
        object_type: "Role".to_owned(),
        name: role.name.clone(),
        principal: None,
        property: "privilege".to_owned(),
        before: json!(role.privileges),
        after: json!(privileges),
    };
    (Effect::PutRole(Role { privileges, ..role.clone() }), change)
}

fn permission_change(world: &World, permission: &Permission, choice: u64) -> (Effect, Drifted) {
    let told = |property: &str, before: Value, after: Value| Drifted {
        object_type: "Permission".to_owned(),
        name: world.path(&permission.entity),
        principal: Some(permission.principal.clone()),
        property: property.to_owned(),
        before,
        after,
    };
    match choice % 3 {
        0 => {
            let revoke = Effect::Revoke {
                entity: permission.entity.clone(),
                principal: permission.principal.clone(),
            };
            (revoke, told("exists", json!(true), json!(false)))
        }
        1 => {
            let role = if permission.role == -2 { -3 } else { -2 };
            let changed = Permission { role, ..permission.clone() };
            (Effect::Permit(changed), told("roleId", json!(permission.role), json!(role)))
        }
        _ => {
            let propagate = !permission.propagate;
            let changed = Permission { propagate, ..permission.clone() };
            (
                Effect::Permit(changed),
                told("propagate", json!(permission.propagate), json!(propagate)),
            )
        }
    }
}

/// Disabled, deleted, or, where that leaves two, without its last machine.
fn rule_change(world: &World, rule: &Rule, choice: u64) -> (Effect, Drifted) {
    let told = |property: &str, before: Value, after: Value| Drifted {
        object_type: "ClusterRule".to_owned(),
        name: rule.title(world),
        principal: None,
        property: property.to_owned(),
        before,
        after,
    };
    match choice % 3 {
        0 => {
            let drop = Effect::DropRule { cluster: rule.cluster.clone(), key: rule.key };
            (drop, told("exists", json!(true), json!(false)))
        }
        1 if rule.vms.len() > 2 => {
            let names = |vms: &[String]| -> Vec<String> {
                vms.iter().filter_map(|id| Some(world.get(id)?.name.clone())).collect()
            };
            let rest = rule.vms.get(..rule.vms.len() - 1).unwrap_or_default();
            let change = told("vm", json!(names(&rule.vms)), json!(names(rest)));
            (Effect::PutRule(Rule { vms: rest.to_vec(), ..rule.clone() }), change)
        }
        _ => {
            let enabled = !rule.enabled;
            let change = told("enabled", json!(rule.enabled), json!(enabled));
            (Effect::PutRule(Rule { enabled, ..rule.clone() }), change)
        }
    }
}
