//! Permissions: who may do what, where, and below it.

use crate::xml::Element;

use super::answer::Answer;
use super::call::{Call, flag, number};
use super::fault::Fault;
use super::folder::fixed;
use super::ids;
use super::role::{ADMIN, NO_ACCESS};
use super::world::{Detail, Effect, Entity, Origin, Permission, ROOT, Ref, World};

/// Whether a principal holds a privilege on an entity. The nearest entity upwards with an entry
/// decides: the principal's own, else those of its groups together. Entries above count only when
/// they propagate.
pub(super) fn holds(world: &World, principal: &str, entity: &str, privilege: &str) -> bool {
    let deciding = world.lineage(entity).find_map(|above| {
        let held = world.permissions.get(&above.id)?;
        let counts = |permission: &&Permission| permission.propagate || above.id == entity;
        let own = held.get(principal).filter(|permission| !permission.group).filter(counts);
        if let Some(own) = own {
            return Some(vec![own]);
        }
        let groups = held.values().filter(counts).filter(|permission| {
            let members = world.groups.get(&permission.principal);
            permission.group && members.is_some_and(|members| members.contains(principal))
        });
        Some(groups.collect()).filter(|groups: &Vec<_>| !groups.is_empty())
    });
    let roles = deciding.into_iter().flatten().filter_map(|held| world.roles.get(&held.role));
    let mut roles = roles.into_iter();
    roles.any(|role| role.id == ADMIN || role.privileges.contains(privilege))
}

/// `SetEntityPermissions`: adds or replaces one entry per principal and leaves all others. Entries
/// are taken in order; the lab refuses the whole list where vpxd would stop in the middle.
pub(super) fn set(call: &Call<'_>) -> Result<Answer, Fault> {
    let entity = target(call)?;
    call.require(entity, "Authorization.ModifyPermissions")?;
    if !may_carry(call.world, entity) {
        return Err(Fault::argument("entity"));
    }
    let mut effects = Vec::new();
    for element in call.body.children_named("permission") {
        let permission = read(call, entity, element)?;
        guard_last_administrator(call.world, &permission)?;
        effects.push(Effect::Permit(permission));
    }
    Ok(Answer::done(effects))
}

/// `RemoveEntityPermission`.
pub(super) fn remove(call: &Call<'_>) -> Result<Answer, Fault> {
    let entity = target(call)?;
    call.require(entity, "Authorization.ModifyPermissions")?;
    let principal = ids::principal(call.text("user"));
    let group = flag(call.body, "isGroup").unwrap_or(false);
    let held = call.world.permissions.get(&entity.id).and_then(|held| held.get(&principal));
    let permission = held.filter(|permission| permission.group == group).ok_or_else(|| {
        Fault::new("NotFound", "The object or item referred to could not be found.")
    })?;
    guard_last_administrator(call.world, &Permission { role: NO_ACCESS, ..permission.clone() })?;
    let entity = entity.id.clone();
    Ok(Answer::done(vec![Effect::Revoke { entity, principal }]))
}

/// `RetrieveEntityPermissions`; with `inherited`, propagating entries from above where nothing
/// nearer speaks of the same principal.
pub(super) fn of_entity(call: &Call<'_>) -> Result<Answer, Fault> {
    let entity = target(call)?;
    call.require(entity, "System.Read")?;
    let inherited = flag(call.body, "inherited").unwrap_or(false);
    let mut found: Vec<&Permission> = Vec::new();
    for above in call.world.lineage(&entity.id) {
        let own = above.id == entity.id;
        if !own && !inherited {
            break;
        }
        for permission in
            call.world.permissions.get(&above.id).into_iter().flat_map(|held| held.values())
        {
            let known = found.iter().any(|nearer| nearer.principal == permission.principal);
            if !known && (own || permission.propagate) {
                found.push(permission);
            }
        }
    }
    Ok(answer(call.world, found.into_iter()))
}

/// `RetrieveAllPermissions`.
pub(super) fn all(call: &Call<'_>) -> Result<Answer, Fault> {
    let held = call.world.permissions.values().flat_map(|held| held.values());
    Ok(answer(call.world, held))
}

/// `HasPrivilegeOnEntities`, for the session that it names.
pub(super) fn has_privileges(call: &Call<'_>) -> Result<Answer, Fault> {
    let asked = call.text("sessionId");
    let session = call.world.sessions.get(asked).ok_or_else(|| Fault::argument("sessionId"))?;
    availability(call, "entity", "System.Read", &session.principal)
}

/// `HasUserPrivilegeOnEntities`, for the user that it names; this is what the storage driver asks.
pub(super) fn has_user_privileges(call: &Call<'_>) -> Result<Answer, Fault> {
    availability(call, "entities", "System.View", &ids::principal(call.text("userName")))
}

fn availability(
    call: &Call<'_>,
    parameter: &str,
    needed: &str,
    principal: &str,
) -> Result<Answer, Fault> {
    let mut returned = Vec::new();
    for object in call.objects(parameter) {
        let entity = call.find(&object)?;
        call.require(entity, needed)?;
        let availability = call.body.children_named("privId").map(|id| {
            let granted = holds(call.world, principal, &entity.id, &id.text);
            Element::new("privAvailability")
                .push(Element::with_text("privId", &id.text))
                .push(Element::with_text("isGranted", granted.to_string()))
        });
        returned
            .push(Element::new("returnval").push(object.element("entity")).extend(availability));
    }
    Ok(Answer::values(returned))
}

/// One permission as the wire shows it.
pub(super) fn element(world: &World, permission: &Permission, name: &str) -> Element {
    let entity = world.get(&permission.entity).map(Entity::reference);
    Element::new(name)
        .extend(entity.map(|entity| entity.element("entity")))
        .push(Element::with_text("principal", shown(&permission.principal)))
        .push(Element::with_text("group", permission.group.to_string()))
        .push(Element::with_text("roleId", permission.role.to_string()))
        .push(Element::with_text("propagate", permission.propagate.to_string()))
}

/// vCenter shows its own administrator with a capital letter.
pub(super) fn shown(principal: &str) -> &str {
    match principal {
        ids::ADMINISTRATOR => r"VSPHERE.LOCAL\Administrator",
        other => other,
    }
}

/// The entity parameter: any managed entity.
fn target<'a>(call: &Call<'a>) -> Result<&'a Entity, Fault> {
    let object = call.object("entity").unwrap_or_else(|| Ref::new("ManagedEntity", ""));
    call.find(&object)
}

/// A datacenter's own folders, a cluster's root resource pool and a standalone host take no
/// permissions of their own.
fn may_carry(world: &World, entity: &Entity) -> bool {
    let parent = entity.parent.as_deref().and_then(|id| world.get(id));
    let below_cluster = parent.is_some_and(|parent| matches!(parent.detail, Detail::Cluster));
    match entity.detail {
        Detail::Folder { .. } => entity.id == ROOT || !fixed(world, entity),
        Detail::Pool => !below_cluster,
        Detail::Host => below_cluster,
        _ => true,
    }
}

fn read(call: &Call<'_>, entity: &Entity, element: &Element) -> Result<Permission, Fault> {
    let name = element.child_text("principal").unwrap_or_default();
    let principal = ids::principal(name);
    let group = flag(element, "group").unwrap_or(false);
    let known = match group {
        true => call.world.groups.contains_key(&principal),
        false => call.world.principals.contains(&principal),
    };
    if !known {
        return Err(Fault::new(
            "UserNotFound",
            format!("The user or group named '{name}' does not exist."),
        )
        .text("principal", name)
        .text("unresolved", "false"));
    }
    let role = number(element, "roleId").and_then(|id| i32::try_from(id).ok());
    let role = role.and_then(|id| call.world.roles.get(&id));
    let role = role.ok_or_else(|| {
        Fault::new("NotFound", "The object or item referred to could not be found.")
    })?;
    for privilege in &role.privileges {
        call.require(entity, privilege)?;
    }
    let existing = call.world.permissions.get(&entity.id).and_then(|held| held.get(&principal));
    Ok(Permission {
        entity: entity.id.clone(),
        principal,
        group,
        role: role.id,
        propagate: flag(element, "propagate").unwrap_or(false),
        origin: existing.map_or(Origin::Client, |known| known.origin),
    })
}

/// vCenter keeps one propagating administrator on the root folder.
fn guard_last_administrator(world: &World, change: &Permission) -> Result<(), Fault> {
    let keeps = |permission: &Permission| permission.role == ADMIN && permission.propagate;
    let held = world.permissions.get(ROOT).into_iter().flat_map(|held| held.values());
    let others =
        held.filter(|permission| permission.principal != change.principal && keeps(permission));
    if change.entity == ROOT && others.count() == 0 && !keeps(change) {
        return Err(Fault::new(
            "AuthMinimumAdminPermission",
            "This change would leave the system with no Administrator permission on the root node.",
        ));
    }
    Ok(())
}

fn answer<'a>(world: &World, permissions: impl Iterator<Item = &'a Permission>) -> Answer {
    Answer::values(permissions.map(|permission| element(world, permission, "returnval")).collect())
}
