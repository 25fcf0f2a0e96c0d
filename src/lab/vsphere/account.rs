//! Accounts with privileges of their own, as a setup names them.

use std::collections::BTreeSet;

use crate::lab::{AccountSetup, GrantSetup};

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
