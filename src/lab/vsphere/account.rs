//! Accounts with privileges of their own, and roles made by hand, as a setup names them.

use std::collections::BTreeSet;

use crate::lab::{AccountSetup, GrantSetup, RoleSetup};

use super::ids;
use super::role::{self, ALWAYS};
use super::world::{Effect, Origin, Permission, Role, World};

/// What makes an account: its name, its groups, and for each grant a role and a permission. A grant
/// that was made once does not come back; one on a path where nothing is makes nothing.
pub(super) fn effects(world: &World, account: &AccountSetup) -> Vec<Effect> {
    let principal = ids::principal(&account.principal);
    let mut effects = Vec::new();
    if !world.principals.contains(&principal) {
        effects.push(Effect::Know(principal.clone()));
    }
    let groups = account.grants.iter().filter_map(|grant| grant.group.as_ref());
    for group in account.groups.iter().chain(groups).map(|group| ids::principal(group)) {
        if !world.groups.get(&group).is_some_and(|members| members.contains(&principal)) {
            effects.push(Effect::Join { group, member: principal.clone() });
        }
    }
    for (place, grant) in account.grants.iter().enumerate() {
        effects.extend(granted(world, &principal, place, grant).into_iter().flatten());
    }
    effects
}

/// What makes a role that somebody made by hand, and its permissions. A path where nothing is gets
/// none.
pub(super) fn by_hand(world: &World, setup: &RoleSetup) -> Vec<Effect> {
    let known = world.roles.values().find(|role| role.name == setup.name);
    let id = known.map_or_else(|| role::fresh(world, &setup.name), |role| role.id);
    let own = setup.privileges.iter().map(String::as_str);
    let made = known.is_none().then(|| Role {
        id,
        name: setup.name.clone(),
        system: false,
        origin: Origin::Standing,
        privileges: own.chain(ALWAYS.iter().copied()).map(str::to_owned).collect(),
    });
    let entity = |path: &String| match path.as_str() {
        "/" => world.get(super::world::ROOT),
        path => world.at(path),
    };
    let given = setup.on.iter().filter_map(entity).map(|entity| Permission {
        entity: entity.id.clone(),
        principal: ids::principal(&setup.principal),
        group: false,
        role: id,
        propagate: setup.propagate,
        origin: Origin::Standing,
    });
    made.map(Effect::PutRole).into_iter().chain(given.map(Effect::Permit)).collect()
}

fn granted(
    world: &World,
    principal: &str,
    place: usize,
    grant: &GrantSetup,
) -> Option<[Effect; 2]> {
    let entity =
        if grant.path == "/" { world.get(super::world::ROOT) } else { world.at(&grant.path) };
    let entity = entity?.id.clone();
    let account = principal.rsplit('\\').next().unwrap_or(principal);
    let name = format!("lab-{account}-{place}");
    if world.generations.contains_key(&format!("role {name}")) {
        return None;
    }
    let own = grant.privileges.iter().map(String::as_str);
    let privileges: BTreeSet<String> =
        own.chain(ALWAYS.iter().copied()).map(str::to_owned).collect();
    let id = role::fresh(world, &name);
    let role = Role { id, name, system: false, origin: Origin::World, privileges };
    let holder = grant.group.as_ref().map(|group| ids::principal(group));
    let permission = Permission {
        entity,
        group: holder.is_some(),
        principal: holder.unwrap_or_else(|| principal.to_owned()),
        role: id,
        propagate: grant.propagate,
        origin: Origin::World,
    };
    Some([Effect::PutRole(role), Effect::Permit(permission)])
}
