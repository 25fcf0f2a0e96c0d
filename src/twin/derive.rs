//! Values that an endpoint fills in, as functions of a seed and of where the object stands.

use serde_json::{Map, Value as Json, json};

use crate::resource::{Attributes, Condition, Digest, Field, Kind, Mode};

/// What the derived values of one object depend on.
pub struct Origin<'a> {
    /// Of the world.
    pub seed: u64,
    /// Of the object.
    pub kind: Kind,
    /// Its natural key.
    pub place: &'a Attributes,
    /// How many objects stood there before it.
    pub generation: u64,
}

impl Origin<'_> {
    /// The object's id, in the form of a UUID.
    pub fn id(&self) -> String {
        let text = self.text("id", 0);
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }

    /// The computed and volatile top-level fields. Volatile ones change with every revision.
    pub fn fields(&self, revision: u64) -> Map<String, Json> {
        // How a node stands is what steps made of it.
        let steered = |field: &Field| self.kind.lifecycle.is_node() && field.mode == Mode::Volatile;
        let own = |field: &&Field| !field.path.contains(['.', '*']) && !steered(field);
        self.kind
            .fields
            .iter()
            .filter(own)
            .filter_map(|field| match field.mode {
                Mode::Computed | Mode::Follows(_) | Mode::Awaited(_) => {
                    Some((field.path.to_owned(), self.value(field.path, 0)))
                }
                Mode::Volatile => Some((field.path.to_owned(), self.value(field.path, revision))),
                Mode::Owned | Mode::Initial | Mode::Lent(_) => None,
            })
            .collect()
    }

    /// What readiness demands comes true, what stands in the way of a delete is not there, what
    /// the place says is so, and everything else is a text of its own.
    fn value(&self, path: &str, revision: u64) -> Json {
        demanded(&self.kind.ready, path)
            .or_else(|| demanded(&self.kind.deletable, path))
            .or_else(|| self.place.tree().get(path).cloned())
            .unwrap_or_else(|| {
                let text = self.text(path, revision);
                json!(format!("{path}-{}", text.get(..12).unwrap_or_default()))
            })
    }

    fn text(&self, what: &str, revision: u64) -> String {
        let (seed, generation, place) = (self.seed, self.generation, self.place.as_str());
        Digest::of(
            format!("{seed}/{}/{place}/{generation}/{what}/{revision}", self.kind.name).as_bytes(),
        )
        .to_string()
    }
}

/// The value at a path that makes a condition true. `None` where the condition says nothing of it.
fn demanded(condition: &Condition, path: &str) -> Option<Json> {
    match condition {
        Condition::Is(at, text) if at == path => Some(json!(text)),
        Condition::AtLeast(at, number) if at == path => Some(json!(number)),
        Condition::Empty(at) if at == path => Some(json!([])),
        Condition::Set(at) if at == path => Some(json!(true)),
        Condition::All(conditions) => conditions.iter().find_map(|one| demanded(one, path)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn vm(seed: u64, generation: u64, revision: u64) -> (String, Map<String, Json>) {
        let place = Attributes::new(&json!({"path": "/DC1/vm/a"}));
        let origin =
            Origin { seed, kind: Kind::named("vsphere/vm").unwrap(), place: &place, generation };
        (origin.id(), origin.fields(revision))
    }

    #[test]
    fn a_new_object_at_the_same_place_has_new_values() {
        assert_eq!(vm(1, 0, 0), vm(1, 0, 0));
        assert_ne!(vm(1, 0, 0).0, vm(1, 1, 0).0);
        assert_ne!(vm(1, 0, 0).0, vm(2, 0, 0).0);
        assert_ne!(vm(1, 0, 0).1["bios_uuid"], vm(1, 1, 0).1["bios_uuid"]);
    }

    #[test]
    fn only_volatile_fields_change_with_a_write() {
        let (before, after) = (vm(1, 0, 0).1, vm(1, 0, 1).1);
        assert_eq!(before["bios_uuid"], after["bios_uuid"]);
        assert_ne!(before["host"], after["host"]);
    }

    #[test]
    fn place_and_conditions_are_respected() {
        let (_, fields) = vm(1, 0, 0);
        assert_eq!((&fields["path"], &fields["foreign_disks"]), (&json!("/DC1/vm/a"), &json!([])));
    }
}
