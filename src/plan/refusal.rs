//! Wishes that cannot be granted, in words.

use serde_json::Value as Json;

use super::diff::FieldDiff;
use super::{After, BlockCause};
use crate::resource::{Effect, Object, Resource};

/// Why a resource whose place is taken is refused.
pub fn taken(resource: &Resource, object: Option<&Object>) -> BlockCause {
    let address = &resource.address;
    let (owner, id) =
        object.map_or((None, ""), |object| (object.mark.as_ref(), object.id.as_str()));
    let message = match owner {
        Some(mark) if mark.address == *address => format!(
            "an object of another boma state (lineage {}) stands in its place, id {id}",
            mark.lineage
        ),
        Some(mark) => format!("the object of {} stands in its place, id {id}", mark.address),
        None => format!("an object that boma did not make stands in its place, id {id}"),
    };
    let help = format!(
        "to take it over, add `adopt = [\"{address}\"]` to the spec or run `boma import SPEC {address} {id}`; \
         otherwise rename one of the two"
    );
    BlockCause::Refused { message, help }
}

/// Why a change that the kind does not allow is refused.
pub fn refusal(refused: &FieldDiff) -> BlockCause {
    let help = match refused.effect {
        Effect::Refuse(help) => help.to_owned(),
        _ => String::new(),
    };
    let print = |value: &Json| match refused.sensitive {
        true => "(secret)".to_owned(),
        false => value.to_string(),
    };
    let show = |value: &Option<Json>| value.as_ref().map_or_else(|| "nothing".into(), print);
    let after = match &refused.after {
        After::Known(value) => print(value),
        After::Unknown(owner) => format!("what {owner} says"),
        After::Removed => "nothing".into(),
    };
    let message =
        format!("{} cannot change from {} to {after}", refused.path, show(&refused.before));
    BlockCause::Refused { message, help }
}
