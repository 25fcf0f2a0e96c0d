//! A provider id that is not the one desired, on a node that stands.

use super::diff::FieldDiff;
use crate::resource::Object;

const FIELD: &str = "provider_id";

/// Leaves a provider id as it is while some node has one that is not its VM's, unless the user
/// names the node. No provider id changes in place, and nodes that cloud-provider-vsphere does not
/// find are made anew one at a time: the rule `wrong-provider-id` says how.
pub fn leave(found: &mut Vec<FieldDiff>, object: Option<&Object>, named: bool) {
    let some_wrong = object.is_some_and(|object| {
        let tree = object.attributes.tree();
        tree["wrong_provider_ids"].as_array().is_some_and(|names| !names.is_empty())
    });
    if some_wrong && !named {
        found.retain(|one| one.path != FIELD);
    }
}
