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
            changed_by: None,
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
        changed_by: None,
        origin: None,
    })
}

/// Who wrote a field of a live object: the one manager of it or of all that it is in.
pub fn manager<'a>(live: &'a Json, path: &str) -> Option<&'a str> {
    let managers = live.get("managers")?.as_object()?;
    let covers = |above: &str| {
        path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let above = managers.iter().filter(|(above, _)| covers(above));
    above.max_by_key(|(above, _)| above.len())?.1.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_of_a_field_is_that_of_what_it_is_in() {
        let live = json!({"managers": {"spec": "helm", "spec.replicas": "kubectl-edit"}});
        let check = |path: &str, expected| assert_eq!(manager(&live, path), expected, "{path}");
        check("spec.replicas", Some("kubectl-edit"));
        check("spec.template.x", Some("helm"));
        check("specific", None);
        check("data.a", None);
    }
}
