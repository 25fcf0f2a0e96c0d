//! Roles.

use std::collections::BTreeSet;

use crate::xml::Element;

use super::answer::Answer;
use super::call::{Call, flag, number};
use super::fault::Fault;
use super::ids;
use super::privilege;
use super::world::{Effect, Origin, Role, World};

/// The role that may do everything.
pub(super) const ADMIN: i32 = -1;
/// The role that denies everything, whatever is inherited.
pub(super) const NO_ACCESS: i32 = -5;

/// Held by every role that somebody made; the server adds them.
pub(super) const ALWAYS: &[&str] = &["System.Anonymous", "System.Read", "System.View"];

/// The roles that come with vCenter.
pub(super) fn system_roles() -> Vec<Role> {
    let role = |id, name: &str, privileges: Vec<&str>| Role {
        id,
        name: name.to_owned(),
        system: true,
        origin: Origin::World,
        privileges: privileges.into_iter().map(str::to_owned).collect(),
    };
    let whole = || privilege::all();
    vec![
        role(ADMIN, "Admin", whole().collect()),
        role(-2, "ReadOnly", ALWAYS.to_vec()),
        role(-3, "View", vec!["System.Anonymous", "System.View"]),
        role(-4, "Anonymous", vec!["System.Anonymous"]),
        role(NO_ACCESS, "NoAccess", Vec::new()),
        role(-6, "NoCryptoAdmin", whole().filter(|id| !id.starts_with("Cryptographer.")).collect()),
    ]
}

/// `AddAuthorizationRole`.
pub(super) fn add(call: &Call<'_>) -> Result<Answer, Fault> {
    may(call)?;
    let name = valid(call.world, call.text("name"), None)?;
    let privileges = privileges(call)?;
    let id = fresh(call.world, &name);
    let role = Role { id, name, system: false, origin: Origin::Client, privileges };
    let mut answer = Answer::text(id.to_string());
    answer.effects.push(Effect::PutRole(role));
    Ok(answer)
}

/// `UpdateAuthorizationRole`: the given privileges replace all the role had.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Fault> {
    may(call)?;
    let role = changeable(call)?;
    let name = valid(call.world, call.text("newName"), Some(role.id))?;
    let privileges = privileges(call)?;
    let role = Role { name, privileges, ..role.clone() };
    Ok(Answer::done(vec![Effect::PutRole(role)]))
}

/// `RemoveAuthorizationRole`; permissions that use it go too unless `failIfUsed`.
pub(super) fn remove(call: &Call<'_>) -> Result<Answer, Fault> {
    may(call)?;
    let role = changeable(call)?;
    let mut held = call.world.permissions.values().flat_map(|held| held.values());
    if flag(call.body, "failIfUsed") == Some(true)
        && held.any(|permission| permission.role == role.id)
    {
        return Err(Fault::new("RemoveFailed", format!("The role '{}' is in use.", role.name)));
    }
    Ok(Answer::done(vec![Effect::RemoveRole(role.id)]))
}

/// A role as `roleList` shows it.
pub(super) fn element(role: &Role) -> Element {
    let info = Element::new("info")
        .push(Element::with_text("label", &role.name))
        .push(Element::with_text("summary", &role.name));
    Element::new("AuthorizationRole")
        .push(Element::with_text("roleId", role.id.to_string()))
        .push(Element::with_text("system", role.system.to_string()))
        .push(Element::with_text("name", &role.name))
        .push(info)
        .extend(role.privileges.iter().map(|id| Element::with_text("privilege", id)))
}

/// An id for a new role of that name.
pub(super) fn fresh(world: &World, name: &str) -> i32 {
    let generation = world.generations.get(&format!("role {name}")).copied().unwrap_or_default();
    let mut probe = 0_u64;
    loop {
        let parts = ["role", name, &generation.to_string(), &probe.to_string()];
        let id = (ids::draw(world.seed, &parts) % 1_000_000_000) as i32 + 100;
        if !world.roles.contains_key(&id) {
            return id;
        }
        probe += 1;
    }
}

fn may(call: &Call<'_>) -> Result<(), Fault> {
    let root = call.world.get(super::world::ROOT).ok_or_else(|| Fault::gone(&call.this))?;
    call.require(root, "Authorization.ModifyRoles")
}

fn changeable<'a>(call: &Call<'a>) -> Result<&'a Role, Fault> {
    let id = number(call.body, "roleId").and_then(|id| i32::try_from(id).ok());
    let role = id.and_then(|id| call.world.roles.get(&id));
    let role = role.ok_or_else(|| {
        Fault::new("NotFound", "The object or item referred to could not be found.")
    })?;
    if role.system {
        return Err(Fault::argument("roleId"));
    }
    Ok(role)
}

fn valid(world: &World, name: &str, own: Option<i32>) -> Result<String, Fault> {
    if name.trim().is_empty() || name.chars().count() > 80 {
        return Err(
            Fault::new("InvalidName", format!("The name '{name}' is invalid.")).text("name", name)
        );
    }
    let other = world
        .roles
        .values()
        .find(|role| role.name.eq_ignore_ascii_case(name) && Some(role.id) != own);
    match other {
        Some(_) => Err(Fault::new(
            "AlreadyExists",
            format!("The specified key, name, or identifier '{name}' already exists."),
        )
        .text("name", name)),
        None => Ok(name.to_owned()),
    }
}

/// The privileges of the request. Nobody can give what they lack.
fn privileges(call: &Call<'_>) -> Result<BTreeSet<String>, Fault> {
    let root = call.world.get(super::world::ROOT).ok_or_else(|| Fault::gone(&call.this))?;
    let mut ids: BTreeSet<String> = ALWAYS.iter().map(|&id| id.to_owned()).collect();
    for id in call.body.children_named("privIds") {
        if !privilege::all().any(|known| known == id.text) {
            return Err(Fault::argument("privIds"));
        }
        call.require(root, &id.text)?;
        ids.insert(id.text.clone());
    }
    Ok(ids)
}
