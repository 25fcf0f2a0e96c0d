//! Changes that tests ask for, and no client could make.

use crate::lab::Adjustment;

use super::disk::machine_at;
use super::world::{Detail, Effect, Entity, Entry, World};

/// Carries out an adjustment. Nothing is applied: the record is returned.
///
/// # Errors
/// What is wrong with a path or a value, as text.
pub(in crate::lab) fn adjust(world: &World, wanted: &Adjustment) -> Result<Entry, String> {
    if let Some(datastore) = &wanted.unmount {
        return unmount(world, &wanted.path, datastore);
    }
    let (entity, machine) = machine_at(world, &wanted.path)?;
    let mut machine = machine.clone();
    if let Some(state) = &wanted.connection_state {
        if !STATES.contains(&state.as_str()) {
            return Err(format!("{state} is no connection state: {}", STATES.join(", ")));
        }
        machine.connection.clone_from(state);
    }
    if let Some(other) = &wanted.bios_uuid_of {
        machine.uuid.clone_from(&machine_at(world, other)?.1.uuid);
        machine.changes += 1;
    }
    if let Some(host) = &wanted.host {
        let host = world.at(host).filter(|host| matches!(host.detail, Detail::Host));
        machine.host = host.map(|host| host.id.clone()).ok_or("there is no such host")?;
    }
    if let Some(tools) = wanted.tools {
        machine.tools = tools;
    }
    if let Some(data_source) = wanted.data_source {
        machine.data_source = data_source;
    }
    let changed = Entity { detail: Detail::Machine(Box::new(machine)), ..entity.clone() };
    Ok(Entry { effects: vec![Effect::Put(Box::new(changed))] })
}

fn unmount(world: &World, host: &str, datastore: &str) -> Result<Entry, String> {
    let id = |path: &str| world.at(path).map(|entity| entity.id.clone());
    let host = id(host).ok_or("there is no such host")?;
    let datastore = id(datastore).ok_or("there is no such datastore")?;
    Ok(Entry { effects: vec![Effect::Unmount { host, datastore }] })
}

const STATES: &[&str] = &["connected", "disconnected", "orphaned", "inaccessible", "invalid"];
