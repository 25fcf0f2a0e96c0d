//! State and journal together: what is recorded now.

use thiserror::Error;

use super::{Entry, Journal, State};
use crate::resource::{Address, Edge};

/// Why a journal does not belong to a state.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FoldError {
    /// They were made apart.
    #[error(
        "the journal belongs to another state (lineage {journal}, state.json has {state}): bring \
         back the two files that belong together from a backup"
    )]
    OtherLineage {
        /// Of the state.
        state: String,
        /// Of the journal.
        journal: String,
    },
    /// What the journal extends is not there.
    #[error(
        "state.json (serial {state}) is older than its journal (serial {journal}), as after \
         restoring one of the two: bring back the state.json with serial {journal}, or restore \
         both from the same backup"
    )]
    OlderState {
        /// Serial of the state.
        state: u64,
        /// Serial of the state that the journal extends.
        journal: u64,
    },
}

/// Applies a journal to the state it extends. One that an earlier state.json was folded with
/// changes nothing: its entries are in the state already.
///
/// # Errors
/// The two do not belong together.
pub fn fold(mut state: State, journal: &Journal) -> Result<State, FoldError> {
    let Some(header) = &journal.header else {
        return Ok(state);
    };
    if header.lineage != state.lineage {
        let journal = header.lineage.clone();
        return Err(FoldError::OtherLineage { state: state.lineage, journal });
    }
    if header.serial > state.serial {
        return Err(FoldError::OlderState { state: state.serial, journal: header.serial });
    }
    if header.serial == state.serial {
        journal.entries.iter().for_each(|entry| apply(&mut state, entry.clone()));
    }
    Ok(state)
}

/// Applies one entry.
pub fn apply(state: &mut State, entry: Entry) {
    match entry {
        Entry::Intent { address, mut open, .. } => {
            if let Some(earlier) = state.open.remove(&address) {
                open.notes.splice(0..0, earlier.notes);
            }
            state.open.insert(address, open);
        }
        Entry::Note { address, data } => {
            if let Some(open) = state.open.get_mut(&address) {
                open.notes.push(data);
            }
        }
        Entry::Put { address, record } => {
            state.open.remove(&address);
            state.resources.insert(address, record);
        }
        Entry::Remove { address } => {
            state.open.remove(&address);
            state.resources.remove(&address);
        }
        Entry::Closed { address } => {
            state.open.remove(&address);
        }
        Entry::Failed { .. } => {}
        Entry::Identity { endpoint, identity } if identity.is_empty() => {
            state.identities.remove(&endpoint);
        }
        Entry::Identity { endpoint, identity } => {
            state.identities.insert(endpoint, identity);
        }
        Entry::Move { from, to } => rename(state, &from, &to),
    }
}

/// A move onto an address that is taken changes nothing: it would lose what stands there.
fn rename(state: &mut State, from: &Address, to: &Address) {
    if state.resources.contains_key(to) || state.open.contains_key(to) {
        return;
    }
    let record = state.resources.remove(from);
    let open = state.open.remove(from);
    if record.is_none() && open.is_none() {
        return;
    }
    state.resources.extend(record.map(|record| (to.clone(), record)));
    state.open.extend(open.map(|open| (to.clone(), open)));
    let points_at_it = |edge: &&mut Edge| edge.to == *from;
    state
        .resources
        .values_mut()
        .flat_map(|record| &mut record.edges)
        .filter(points_at_it)
        .for_each(|edge| edge.to = to.clone());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::samples::{header, intent, journal, note, put, state};

    fn check(entries: Vec<Entry>, recorded: &[&str], open: &[(&str, &[i32])]) -> State {
        let folded = fold(state(0), &journal(0, entries)).unwrap();
        let notes = |notes: &[i32]| notes.iter().map(|note| json!(note)).collect::<Vec<_>>();
        let found: Vec<_> =
            folded.open.iter().map(|(a, o)| (a.as_str(), o.notes.clone())).collect();
        let expected: Vec<_> = open.iter().map(|(a, o)| (*a, notes(o))).collect();
        assert_eq!(folded.resources.keys().map(Address::as_str).collect::<Vec<_>>(), recorded);
        assert_eq!(found, expected);
        folded
    }

    #[test]
    fn an_intent_is_open_until_its_outcome_is_known() {
        let closed = Entry::Closed { address: "a".into() };
        let failed = Entry::Failed { address: "a".into(), message: "timeout".into() };
        let remove = Entry::Remove { address: "a".into() };
        check(vec![intent("a")], &[], &[("a", &[])]);
        check(vec![intent("a"), note("a", 1), note("b", 2)], &[], &[("a", &[1])]);
        check(vec![intent("a"), note("a", 1), failed, intent("a")], &[], &[("a", &[1])]);
        check(vec![intent("a"), note("a", 1), put("a", &[])], &["a"], &[]);
        check(vec![put("a", &[]), intent("a"), closed], &["a"], &[]);
        check(vec![put("a", &[]), intent("a"), remove], &[], &[]);
    }

    #[test]
    fn a_move_takes_edges_along_and_never_overwrites() {
        let to = |from: &str, to: &str| Entry::Move { from: from.into(), to: to.into() };
        let moved = vec![put("a", &[]), intent("a"), put("b", &["a"]), to("a", "c")];
        let state = check(moved, &["b", "c"], &[("c", &[])]);
        assert_eq!(state.resources[&Address::from("b")].edges[0].to.as_str(), "c");
        check(vec![intent("a"), note("a", 1), to("a", "c")], &[], &[("c", &[1])]);
        check(vec![put("a", &[]), intent("b"), to("a", "b")], &["a"], &[("b", &[])]);
        let state = check(vec![put("b", &["a"]), to("a", "c")], &["b"], &[]);
        assert_eq!(state.resources[&Address::from("b")].edges[0].to.as_str(), "a");
    }

    #[test]
    fn an_identity_is_kept_by_endpoint() {
        let identity = |identity: &str| Entry::Identity {
            endpoint: "vcenter".into(),
            identity: identity.into(),
        };
        let state = check(vec![identity("x"), identity("y")], &[], &[]);
        assert_eq!(state.identities["vcenter"], "y");
    }

    #[test]
    fn only_the_journal_of_this_state_counts() {
        let stale = fold(state(4), &journal(3, vec![put("a", &[])]));
        assert_eq!(stale, Ok(state(4)));
        assert_eq!(fold(state(4), &Journal::default()), Ok(state(4)));
        let ahead = fold(state(3), &journal(4, vec![]));
        assert_eq!(ahead, Err(FoldError::OlderState { state: 3, journal: 4 }));
        let mut other = journal(3, vec![]);
        other.header = Some(crate::state::Header { lineage: "other".into(), ..header(3) });
        assert!(matches!(fold(state(3), &other), Err(FoldError::OtherLineage { .. })));
    }
}
