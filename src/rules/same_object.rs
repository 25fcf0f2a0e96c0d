//! `same-object`: a manifest has an object that boma makes itself, or two manifests have one. Each
//! apply would take it from the other, for ever.

use std::collections::BTreeMap;

use super::{Facts, Problem, Rule};
use crate::resource::{Address, Endpoint};

/// See the file's head.
pub const RULE: Rule = Rule::deny("same-object", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let mut owners: BTreeMap<String, &Address> = BTreeMap::new();
    let resources = facts.desired.resources.values();
    for resource in resources.filter(|one| one.endpoint == Endpoint::kubernetes()) {
        let place = resource.place.tree();
        // Versions of a group are views of the same object.
        let group =
            place["api"].as_str().and_then(|api| api.split_once('/')).map(|(group, _)| group);
        let key = format!("{group:?} {} {} {}", place["kind"], place["namespace"], place["name"]);
        let Some(first) = owners.insert(key, &resource.address) else { continue };
        let message = format!("it is the same object as {first}");
        let help = "leave it out of the manifest that has it, or out of the spec: each would undo \
                    the other";
        report.push(Problem::at(&resource.origin, message, help).about(&resource.address));
    }
}
