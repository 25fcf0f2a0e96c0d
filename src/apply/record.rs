//! What is recorded of an object after boma wrote or took it over.

use serde_json::{Map, Value as Json};

use crate::plan::{Action, Change, Plan, project};
use crate::resource::{Attributes, Mode, Object, references};
use crate::state::{Entry, Record, State};

/// Records what really stands: owned fields as they are on the object, computed ones as outputs.
/// Secrets in `desired` and `object` are sealed already.
pub fn record(change: &Change, desired: &Json, object: &Object) -> Record {
    let live = object.attributes.tree();
    Record {
        kind: change.kind,
        endpoint: change.endpoint.clone(),
        id: object.id.clone(),
        place: change.locator.place.clone(),
        attributes: Attributes::new(&project(change.kind, desired, &live)),
        outputs: Attributes::new(&outputs(change, &live)),
        seen: object.attributes.digest(),
        edges: change.edges.clone(),
        protected: change.protected,
    }
}

/// What an apply writes down about resources that it leaves alone: where an interrupted run did
/// its work without recording it, or the spec changed only what is recorded, the record follows
/// what was read.
pub fn catch_up(plan: &Plan, state: &State) -> Vec<Entry> {
    let unchanged = plan.changes.iter().filter(|change| change.action == Action::NoOp);
    unchanged
        .filter_map(|change| {
            let desired = change.desired.tree();
            if !references(&desired).is_empty() {
                return None;
            }
            let object = Object {
                id: change.locator.id.clone()?,
                attributes: change.live.clone()?,
                mark: None,
            };
            let record = record(change, &desired, &object);
            let open = state.open.contains_key(&change.address);
            let stale = state.resources.get(&change.address) != Some(&record);
            (open || stale).then(|| Entry::Put { address: change.address.clone(), record })
        })
        .collect()
}

fn outputs(change: &Change, live: &Json) -> Json {
    let computed = |key: &str| !matches!(change.kind.field(key).mode, Mode::Owned | Mode::Initial);
    let fields = live.as_object().into_iter().flatten();
    Json::Object(
        fields
            .filter(|(key, value)| computed(key) && !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Map<String, Json>>(),
    )
}
