//! Objects that another program made as part of a release, and would write back as it made them.

use serde_json::Value as Json;

use super::decide::Prior;
use super::diff::FieldDiff;
use super::{After, Cause};
use crate::resource::{Effect, Object};

/// Where an object of the cluster says which program that is. Empty once boma has its place.
pub const MANAGED_BY: &str = "managed_by";

/// That boma takes the place of a program, as a difference of the object: everything boma keeps is
/// written by it, even where nothing else differs. What it is no more owner of, the program does
/// not put back by itself, and boma can take off what the spec leaves out. `None` where there is
/// none.
pub(super) fn difference(object: Option<&Object>, prior: Prior) -> Option<FieldDiff> {
    let live = object?.attributes.tree();
    let program = live.get(MANAGED_BY).filter(|program| program.is_string())?;
    Some(FieldDiff {
        path: MANAGED_BY.into(),
        before: Some(program.clone()),
        after: After::Known(Json::from("boma")),
        // What boma had taken over already was deployed again by that program.
        cause: if prior == Prior::Recorded { Cause::Drift } else { Cause::Spec },
        effect: Effect::InPlace,
        sensitive: false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::Attributes;

    fn check(live: &Json, prior: Prior, expected: Option<Cause>) {
        let object = Object { id: "1".into(), attributes: Attributes::new(live), mark: None };
        let found = difference(Some(&object), prior);
        assert_eq!(found.map(|one| one.cause), expected, "{live}");
    }

    #[test]
    fn a_program_that_holds_an_object_is_a_difference() {
        check(&json!({"managed_by": "helm"}), Prior::None, Some(Cause::Spec));
        check(&json!({"managed_by": "helm"}), Prior::Tentative, Some(Cause::Spec));
        check(&json!({"managed_by": "helm"}), Prior::Recorded, Some(Cause::Drift));
        check(&json!({"managers": {"spec": "helm"}}), Prior::None, None);
        assert_eq!(difference(None, Prior::None), None);
    }
}
