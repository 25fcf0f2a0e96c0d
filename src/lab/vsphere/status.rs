//! What a world looks like from outside.

use std::collections::BTreeMap;

use crate::lab::{Status, StatusDisk, StatusObject, StatusSession};

use super::disk;
use super::dispatch::Desk;
use super::ids;
use super::permission::shown;
use super::task::State;
use super::world::{Detail, World};

/// The world's state in short, for people and tests.
pub(in crate::lab) fn status(desk: &Desk) -> Status {
    let world = &desk.world;
    let inventory = inventory(world);
    let mut objects: BTreeMap<String, usize> = BTreeMap::new();
    for object in &inventory {
        *objects.entry(object.object_type.clone()).or_default() += 1;
    }
    let session = |session: &super::world::Session| StatusSession {
        key: session.key.clone(),
        user: shown(&session.principal).to_owned(),
        agent: session.agent.clone(),
        login_ms: session.login_ms,
        last_active_ms: desk.active.get(&session.key).copied().unwrap_or(session.login_ms),
    };
    Status {
        objects,
        sessions_by_user: sessions_by_user(world),
        sessions: world.sessions.values().map(session).collect(),
        sessions_ever: world.sessions_ever,
        requests: desk.requests.clone(),
        running_tasks: world.tasks.values().filter(|task| task.state == State::Pending).count(),
        digest: digest(world),
        inventory,
        foreign_disks: foreign_disks(world),
        lost_disks: world
            .lost_disks
            .iter()
            .map(|lost| told(&lost.file, Some(&lost.machine)))
            .collect(),
        faults: desk.staging.rules().to_vec(),
        hosts: Vec::new(),
        history: Vec::new(),
        clusters: Vec::new(),
        writes: Vec::new(),
    }
}

fn sessions_by_user(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for session in world.sessions.values() {
        *counts.entry(shown(&session.principal).to_owned()).or_default() += 1;
    }
    counts
}

/// Foreign disks where they hang, then those that hang nowhere.
pub(in crate::lab) fn foreign_disks(world: &World) -> Vec<StatusDisk> {
    let attached = world.entities.values().flat_map(|entity| {
        let path = world.path(&entity.id);
        let files = entity.machine().into_iter().flat_map(disk::foreign);
        files.map(move |file| told(file, Some(&path)))
    });
    let mut all: Vec<StatusDisk> = attached.collect();
    all.sort();
    all.extend(world.disks.keys().map(|file| told(file, None)));
    all
}

fn told(file: &str, machine: Option<&str>) -> StatusDisk {
    StatusDisk { file: file.to_owned(), machine: machine.map(str::to_owned) }
}

/// Objects, roles that are not built in, permissions and rules, by path or name.
fn inventory(world: &World) -> Vec<StatusObject> {
    let object = |object_type: &str, path: String| StatusObject {
        object_type: object_type.to_owned(),
        path,
    };
    let entities =
        world.entities.values().map(|entity| object(entity.class(), world.path(&entity.id)));
    let roles = world
        .roles
        .values()
        .filter(|role| !role.system)
        .map(|role| object("Role", role.name.clone()));
    let held = world.permissions.values().flat_map(|held| held.values());
    let permissions = held.map(|held| {
        object("Permission", format!("{} {}", world.path(&held.entity), shown(&held.principal)))
    });
    let rules = world.rules.values().flat_map(|rules| rules.values());
    let rules = rules.map(|rule| object("ClusterRule", rule.title(world)));
    let mut all: Vec<StatusObject> =
        entities.chain(roles).chain(permissions).chain(rules).collect();
    all.sort();
    all
}

/// A digest of objects, roles, permissions, rules and disks, without histories: no sessions, tasks
/// or counters; and not where machines run, which is for DRS to say.
fn digest(world: &World) -> String {
    let mut entities = world.entities.clone();
    for entity in entities.values_mut() {
        if let Detail::Machine(machine) = &mut entity.detail {
            machine.host.clear();
        }
    }
    let inventory = (&entities, &world.roles, &world.permissions, &world.rules, &world.disks);
    let text = serde_json::to_string(&inventory).unwrap_or_default();
    ids::hex(&ids::digest(world.seed, &[&text]))
}
