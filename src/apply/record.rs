//! What is recorded of an object after boma wrote or took it over.

use serde_json::{Map, Value as Json};

use crate::plan::{Change, project};
use crate::resource::{Attributes, Mode, Object};
use crate::state::Record;

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

fn outputs(change: &Change, live: &Json) -> Json {
    let computed =
        |key: &str| matches!(change.kind.field(key).mode, Mode::Computed | Mode::Volatile);
    let fields = live.as_object().into_iter().flatten();
    Json::Object(
        fields
            .filter(|(key, value)| computed(key) && !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Map<String, Json>>(),
    )
}
