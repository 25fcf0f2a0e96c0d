//! What a change shows of each field.

use serde_json::{Value as Json, json};

use super::diff::FieldDiff;
use super::{After, Cause, Difference, Impact};
use crate::resource::{Kind, Lifecycle, Resource, references};

/// On create, everything desired is a difference.
pub fn all_of(kind: Kind, desired: &Json) -> Vec<Difference> {
    let Some(map) = desired.as_object() else { return Vec::new() };
    map.iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| Difference {
            path: key.clone(),
            before: None,
            after: references(value).into_iter().next().map_or_else(
                || After::Known(value.clone()),
                |reference| After::Unknown(reference.address),
            ),
            cause: Cause::Spec,
            impact: Impact::InPlace,
            sensitive: kind.field(key).sensitive,
            origin: None,
        })
        .collect()
}

/// A difference of a live object. A machine that is off costs nothing to change.
pub fn difference(found: FieldDiff, resource: &Resource, running: bool) -> Option<Difference> {
    // The values of a secret are digests, which no plan holds.
    let hidden = || json!("(secret)");
    let (before, after) = match (found.sensitive, found.after) {
        (true, After::Known(_)) => (found.before.map(|_| hidden()), After::Known(hidden())),
        (true, after) => (found.before.map(|_| hidden()), after),
        (false, after) => (found.before, after),
    };
    let impact = match Impact::of(found.effect)? {
        Impact::PowerCycle if resource.kind.lifecycle == Lifecycle::Machine && !running => {
            Impact::InPlace
        }
        impact => impact,
    };
    Some(Difference {
        path: found.path,
        before,
        after,
        cause: found.cause,
        impact,
        sensitive: found.sensitive,
        origin: None,
    })
}
