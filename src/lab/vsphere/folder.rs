//! Places in the inventory: folders, moving, renaming and destroying.

use super::answer::Answer;
use super::call::Call;
use super::clone::vacant;
use super::disk;
use super::fault::Fault;
use super::task::{Operation, Outcome, start};
use super::world::{Detail, Effect, Entity, Origin, Ref, World};

/// `CreateFolder`.
pub(super) fn create(call: &Call<'_>) -> Result<Answer, Fault> {
    let parent = call.entity()?;
    call.require(parent, "Folder.Create")?;
    let name = stored_name(call.text("name"))?;
    vacant(call.world, &parent.id, &name)?;
    let Detail::Folder { child_types } = &parent.detail else {
        return Err(Fault::gone(&call.this));
    };
    let path = format!("{}/{name}", call.world.path(&parent.id).trim_end_matches('/'));
    let prefix = match child_types.iter().find(|class| *class != "Folder").map(String::as_str) {
        Some("VirtualMachine") => "group-v",
        Some("ComputeResource") => "group-h",
        Some("Datastore") => "group-s",
        Some("Network") => "group-n",
        _ => "group-d",
    };
    let folder = Entity {
        id: call.world.fresh_entity(prefix, &path),
        name,
        parent: Some(parent.id.clone()),
        origin: Origin::Client,
        born: path,
        detail: parent.detail.clone(),
    };
    let mut answer = Answer::object(&folder.reference());
    answer.effects.push(Effect::Put(Box::new(folder)));
    Ok(answer)
}

/// `MoveIntoFolder_Task`.
pub(super) fn move_into(call: &Call<'_>) -> Result<Answer, Fault> {
    let folder = call.entity()?;
    let mut entities = Vec::new();
    for object in call.objects("list") {
        let entity = call.find(&object)?;
        let machine = entity.machine().is_some();
        call.require(
            entity,
            if machine { "VirtualMachine.Inventory.Move" } else { "Folder.Move" },
        )?;
        call.require(
            folder,
            if machine { "VirtualMachine.Inventory.Move" } else { "Folder.Move" },
        )?;
        entities.push(entity.id.clone());
    }
    Ok(Answer::task(start(call, folder, Operation::Move { entities })?))
}

/// `Rename_Task`.
pub(super) fn rename(call: &Call<'_>) -> Result<Answer, Fault> {
    let entity = call.entity()?;
    let privilege = match entity.detail {
        Detail::Machine(_) => "VirtualMachine.Config.Rename",
        Detail::Folder { .. } => "Folder.Rename",
        _ => return Err(Fault::unsimulated(&format!("renaming a {}", entity.class()))),
    };
    call.require(entity, privilege)?;
    let name = stored_name(call.text("newName"))?;
    Ok(Answer::task(start(call, entity, Operation::Rename { name })?))
}

/// `Destroy_Task`.
pub(super) fn destroy(call: &Call<'_>) -> Result<Answer, Fault> {
    let entity = call.entity()?;
    let privilege = match entity.detail {
        Detail::Machine(_) => "VirtualMachine.Inventory.Delete",
        Detail::Folder { .. } => "Folder.Delete",
        _ => return Err(Fault::unsimulated(&format!("destroying a {}", entity.class()))),
    };
    call.require(entity, privilege)?;
    if let Some(parent) = entity.parent.as_deref().and_then(|id| call.world.get(id)) {
        call.require(parent, privilege)?;
    }
    if fixed(call.world, entity) {
        return Err(Fault::new(
            "NotSupported",
            "This folder belongs to its datacenter and cannot be destroyed.",
        ));
    }
    Ok(Answer::task(start(call, entity, Operation::Destroy)?))
}

/// Removes an entity with all that lies in it. A running machine stops it before anything is lost.
pub(super) fn finish_destroy(world: &World, entity: &Entity) -> Outcome {
    let inside: Vec<&Entity> =
        world.entities.values().filter(|other| world.is_below(&other.id, &entity.id)).collect();
    if inside.iter().any(|other| other.machine().is_some_and(|machine| machine.powered_on)) {
        return Err(Fault::power(Some("poweredOff"), "poweredOn"));
    }
    let mut effects: Vec<Effect> =
        inside.iter().flat_map(|other| disk::lost(world, other)).collect();
    effects.extend(inside.iter().map(|other| Effect::Remove(other.id.clone())));
    Ok((effects, None))
}

pub(super) fn finish_rename(world: &World, entity: &Entity, name: &str) -> Outcome {
    if !entity.name.eq_ignore_ascii_case(name) {
        vacant(world, entity.parent.as_deref().unwrap_or_default(), name)?;
    }
    let name = name.to_owned();
    let renamed = Entity { name, ..entity.clone() };
    Ok((vec![Effect::Put(Box::new(renamed))], None))
}

pub(super) fn finish_move(world: &World, folder: &Entity, entities: &[String]) -> Outcome {
    let mut effects = Vec::new();
    for id in entities {
        let entity = world.get(id).ok_or_else(|| Fault::gone(&Ref::new("ManagedEntity", id)))?;
        if !may_hold(folder, entity.class()) || world.is_below(&folder.id, id) {
            return Err(Fault::new(
                "InvalidFolder",
                "The object cannot be moved into this folder.",
            )
            .object("target", &folder.reference()));
        }
        if entity.parent.as_ref() == Some(&folder.id) {
            continue;
        }
        vacant(world, &folder.id, &entity.name)?;
        let parent = Some(folder.id.clone());
        effects.push(Effect::Put(Box::new(Entity { parent, ..entity.clone() })));
    }
    Ok((effects, None))
}

/// Whether a folder takes children of a class.
pub(super) fn may_hold(folder: &Entity, class: &str) -> bool {
    match &folder.detail {
        Detail::Folder { child_types } => child_types.iter().any(|known| known == class),
        _ => false,
    }
}

/// Whether this is one of the four folders that a datacenter comes with, or the root folder.
pub(super) fn fixed(world: &World, entity: &Entity) -> bool {
    let parent = entity.parent.as_deref().and_then(|id| world.get(id));
    match parent {
        Some(parent) => {
            matches!(parent.detail, Detail::Datacenter)
                && matches!(entity.detail, Detail::Folder { .. })
        }
        None => true,
    }
}

/// A name as vCenter stores it: `%`, `/` and `\` are escaped unless they are already.
///
/// # Errors
/// `InvalidName` when empty or longer than 80 characters.
pub(super) fn stored_name(name: &str) -> Result<String, Fault> {
    let mut stored = String::new();
    for (at, character) in name.char_indices() {
        let rest = name.get(at..at + 3).unwrap_or_default().to_lowercase();
        let escaped = matches!(rest.as_str(), "%25" | "%2f" | "%5c");
        match character {
            '%' if !escaped => stored.push_str("%25"),
            '/' => stored.push_str("%2f"),
            '\\' => stored.push_str("%5c"),
            other => stored.push(other),
        }
    }
    if stored.is_empty() || stored.chars().count() > 80 {
        return Err(
            Fault::new("InvalidName", format!("The name '{name}' is invalid.")).text("name", name)
        );
    }
    Ok(stored)
}
