//! What is known at plan time: values of other resources, and how a live object compares.

use serde_json::Value as Json;

use super::diff::{FieldDiff, diff};
use super::planner::Planner;
use super::{Action, Assumed};
use crate::resource::{
    Attributes, Kind, Mode, Object, Reference, SecretSource, as_secret, references, resolve,
};
use crate::state::Record;
use std::collections::BTreeMap;

/// Where objects of Kubernetes show what boma wrote of them.
const OWNED: &str = "owned";

impl Planner<'_> {
    /// The differences of a live object; none without looking inside where nobody touched anything.
    pub(super) fn compare(
        &self,
        kind: Kind,
        record: Option<&Record>,
        object: Option<&Object>,
        desired: &Json,
    ) -> Vec<FieldDiff> {
        let Some(object) = object else { return Vec::new() };
        if let Some(record) = record {
            let untouched = record.seen == object.attributes.digest();
            if untouched && record.attributes == Attributes::new(desired) {
                return Vec::new();
            }
        }
        let live = object.attributes.tree();
        // What the endpoint itself remembers of boma's writes stands in for a lost record.
        let prior = record.map(|record| record.attributes.tree());
        let prior = prior.or_else(|| live.get(OWNED).cloned());
        diff(kind, desired, prior.as_ref(), &live)
    }

    /// A desired tree with everything filled in that is known at plan time.
    pub(super) fn known(&self, tree: &Json, secrets: &BTreeMap<SecretSource, Json>) -> Json {
        let known = |reference: &Reference| self.value_of(reference);
        let secret = |source: &SecretSource| secrets.get(source).cloned();
        resolve(tree, &known, &secret)
    }

    pub(super) fn assumed(&self, tree: &Json) -> Vec<Assumed> {
        references(tree)
            .into_iter()
            .filter_map(|reference| {
                let value = self.value_of(&reference).filter(|value| as_secret(value).is_none())?;
                Some(Assumed { reference, value })
            })
            .collect()
    }

    /// The value that a reference has throughout the apply. `None` where its owner is yet to be
    /// made.
    fn value_of(&self, reference: &Reference) -> Option<Json> {
        let change = self.changes.get(&reference.address)?;
        if change.kind.field(&reference.path).mode == Mode::Owned {
            let value = lookup(&change.desired.tree(), &reference.path)?;
            return references(&value).is_empty().then_some(value);
        }
        let may_change = match change.kind.field(&reference.path).mode {
            Mode::Volatile | Mode::Awaited(_) => !change.steps.is_empty(),
            Mode::Follows(owned) => {
                change.attributes.iter().any(|one| owned.contains(&one.path.as_str()))
            }
            Mode::Owned | Mode::Lent(_) | Mode::Initial | Mode::Computed => false,
        };
        match change.action {
            Action::Create | Action::Replace => None,
            _ if may_change => None,
            _ => lookup(&change.live.as_ref()?.tree(), &reference.path),
        }
    }
}

fn lookup(tree: &Json, path: &str) -> Option<Json> {
    path.split('.')
        .try_fold(tree, |tree, key| tree.get(key))
        .filter(|value| !value.is_null())
        .cloned()
}
