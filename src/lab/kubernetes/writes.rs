//! Who wrote what over the APIs of clusters, and how often.

use std::collections::BTreeMap;

use super::request::{Request, Target};
use crate::lab::StatusWrite;

/// Counts by manager, verb and path, since this process opened the world.
#[derive(Clone, Debug, Default)]
pub(in crate::lab) struct Writes(BTreeMap<(String, String, String), u64>);

impl Writes {
    /// Counts a request that changed something.
    pub(in crate::lab) fn note(&mut self, request: &Request) {
        let Some(Ok(target)) = Target::read(&request.path) else { return };
        let query = request.query();
        let manager = match query.get("fieldManager") {
            "" => request.agent(),
            given => given,
        };
        let verb = request.verb(&target);
        let key = (manager.to_owned(), verb.to_owned(), request.path.clone());
        *self.0.entry(key).or_default() += 1;
    }

    /// All of them, by manager, verb and path.
    pub(in crate::lab) fn told(&self) -> Vec<StatusWrite> {
        let one = |((manager, verb, path), times): (&(String, String, String), &u64)| StatusWrite {
            manager: manager.clone(),
            verb: verb.clone(),
            path: path.clone(),
            times: *times,
        };
        self.0.iter().map(one).collect()
    }
}
