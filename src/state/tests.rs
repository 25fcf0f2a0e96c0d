//! The state on disk: what a reader and the next writer find after anything that can happen.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::error::Error;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use tempfile::{TempDir, tempdir};

use super::samples::{entries, header, intent, journal, journal_bytes, note, owner, put, state};
use super::{Entry, State, Store, apply, encode_entry, encode_header, fold, load};
use crate::resource::{Address, EdgeKind};

fn open(dir: &Path) -> Store {
    Store::open(dir, || state(0), owner()).unwrap()
}

/// A directory with these files.
fn dir_with(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| fs::write(dir.path().join(name), bytes).unwrap());
    dir
}

fn json_bytes(state: &State) -> Vec<u8> {
    serde_json::to_vec(state).unwrap()
}

/// The same apart from how often it was written.
fn check_same(found: &State, expected: &State) {
    assert_eq!(State { serial: 0, ..found.clone() }, State { serial: 0, ..expected.clone() });
}

fn after(entries: &[Entry]) -> State {
    fold(state(0), &journal(0, entries.to_vec())).unwrap()
}

/// A reader finds the expected state, so does the next writer, and what that records is kept.
fn check(files: &[(&str, &[u8])], expected: &State) {
    let dir = dir_with(files);
    check_same(&load(dir.path()).unwrap().unwrap(), expected);
    let mut store = open(dir.path());
    check_same(store.state(), expected);
    store.append(put("next", &[])).unwrap();
    let mut next = expected.clone();
    apply(&mut next, put("next", &[]));
    drop(store);
    check_same(&load(dir.path()).unwrap().unwrap(), &next);
}

/// What the chain of errors says, without the directory.
fn check_refused(files: &[(&str, &[u8])], expected: &str) {
    let dir = dir_with(files);
    let before: Vec<_> =
        files.iter().map(|(name, _)| fs::read(dir.path().join(name)).ok()).collect();
    let opened = Store::open(dir.path(), || state(0), owner()).map(drop);
    for error in [load(dir.path()).unwrap_err(), opened.unwrap_err()] {
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        let text =
            format!("{error}: {cause}").replace(&dir.path().display().to_string(), "state/x");
        assert!(text.contains(expected), "{text}");
    }
    let now: Vec<_> = files.iter().map(|(name, _)| fs::read(dir.path().join(name)).ok()).collect();
    assert!(before == now, "a refused state is left as it was");
}

#[test]
fn what_is_recorded_is_read_again() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempdir().unwrap();
    let dir = home.path().join("state/national");
    assert_eq!(load(&dir).unwrap(), None);
    let mut store = open(&dir);
    entries().into_iter().for_each(|entry| store.append(entry).unwrap());
    let recorded = store.state().clone();
    assert_eq!(load(&dir).unwrap().as_ref(), Some(&recorded), "while it is open");
    store.close().unwrap();

    let closed = load(&dir).unwrap().unwrap();
    assert_eq!(closed, State { serial: recorded.serial + 1, ..recorded });
    let journal = fs::read(dir.join("journal")).unwrap();
    assert_eq!(journal, encode_header(&header(closed.serial)).unwrap());
    let mode = |name: &str| fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(["", "state.json", "journal", "lock"].map(mode), [0o700, 0o600, 0o600, 0o600]);
    let mut names: Vec<_> =
        fs::read_dir(&dir).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["journal", "lock", "state.json"]);
}

#[test]
fn opening_and_closing_changes_nothing() {
    let dir = tempdir().unwrap();
    open(dir.path()).close().unwrap();
    let first = load(dir.path()).unwrap();
    open(dir.path()).close().unwrap();
    assert_eq!(load(dir.path()).unwrap(), first);
}

#[test]
fn a_journal_cut_at_any_byte_counts_up_to_its_last_whole_record() {
    let entries = [intent("a"), note("a", 1), put("a", &[])];
    let mut journal = encode_header(&header(0)).unwrap();
    let mut expected = vec![(journal.len(), after(&[]))];
    for (count, entry) in entries.iter().enumerate() {
        journal.extend(encode_entry(entry).unwrap());
        expected.push((journal.len(), after(&entries[..=count])));
    }
    let state = json_bytes(&state(0));
    for length in 0..=journal.len() {
        let whole = expected.iter().rev().find(|(end, _)| *end <= length).unwrap_or(&expected[0]);
        check(&[("state.json", &state), ("journal", &journal[..length])], &whole.1);
    }
}

#[test]
fn a_fold_cut_anywhere_loses_and_repeats_nothing() {
    let expected = after(&entries());
    let (old, old_journal) = (json_bytes(&state(0)), journal_bytes(0));
    let new = json_bytes(&State { serial: 1, ..expected.clone() });
    let new_journal = encode_header(&header(1)).unwrap();
    let half = &new[..new.len() / 2];
    check(&[("state.json", &old), ("journal", &old_journal)], &expected);
    check(&[("state.json", &old), ("journal", &old_journal), ("state.json.tmp", half)], &expected);
    check(&[("state.json", &old), ("journal", &old_journal), ("state.json.tmp", &new)], &expected);
    check(&[("state.json", &new), ("journal", &old_journal)], &expected);
    check(&[("state.json", &new), ("journal", &old_journal), ("journal.tmp", b"0000")], &expected);
    check(&[("state.json", &new), ("journal", &new_journal)], &expected);
}

#[test]
fn a_first_run_cut_anywhere_begins_anew() {
    let first = State { serial: 1, ..state(0) };
    check(&[("state.json", &json_bytes(&first))], &first);
    check(&[("state.json", &json_bytes(&first)), ("journal", b"")], &first);
    let dir = dir_with(&[("state.json.tmp", b"{\"format\""), ("lock", b"")]);
    assert_eq!(load(dir.path()).unwrap(), None);
    check_same(open(dir.path()).state(), &first);
}

#[test]
fn what_cannot_be_trusted_is_refused_and_left_alone() {
    let (state_0, journal_0) = (json_bytes(&state(0)), journal_bytes(0));
    check_refused(&[("journal", &journal_0)], "state/x/state.json is missing beside its journal");
    check_refused(
        &[("state.json", &state_0), ("journal", &journal_bytes(1))],
        "state in state/x: state.json (serial 0) is older than its journal (serial 1)",
    );
    check_refused(
        &[("state.json", &state_0[..40]), ("journal", &journal_0)],
        "state/x/state.json cannot be read as a state (EOF while parsing",
    );
    check_refused(
        &[("state.json", br#"{"format": 2, "resources": "elsewhere"}"#)],
        "state/x/state.json was written by a newer boma (format 2, this one reads up to 1): use",
    );
    let newer = super::Header { format: 9, ..header(0) };
    check_refused(
        &[("state.json", &state_0), ("journal", &encode_header(&newer).unwrap())],
        "state/x/journal was written by a newer boma (format 9",
    );
    let mut damaged = journal_0;
    damaged[200] ^= 1;
    check_refused(
        &[("state.json", &state_0), ("journal", &damaged)],
        "journal state/x/journal: the record at byte",
    );
}

#[test]
fn two_writers_are_kept_apart_and_readers_are_not() {
    let dir = tempdir().unwrap();
    let store = open(dir.path());
    let error = Store::open(dir.path(), || state(0), owner()).map(drop).unwrap_err();
    assert!(error.to_string().contains("is locked by process 4242 on ops-1"), "{error}");
    assert!(load(dir.path()).unwrap().is_some());
    drop(store);
    open(dir.path());
}

#[test]
fn a_long_journal_is_folded_on_the_way() {
    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    let serial = store.state().serial;
    let data = json!("x".repeat(1 << 20));
    store.append(put("a", &[])).unwrap();
    for _ in 0..5 {
        store.append(Entry::Note { address: "b".into(), data: data.clone() }).unwrap();
    }
    assert_eq!(store.state().serial, serial + 1);
    assert!(fs::metadata(dir.path().join("journal")).unwrap().len() < 2 << 20);
    assert_eq!(load(dir.path()).unwrap().as_ref(), Some(store.state()));
}

/// A directory in the place of the temporary file makes the fold fail at that point.
#[test]
fn a_fold_that_fails_can_be_tried_again() {
    for (obstacle, goes_on) in [("state.json.tmp", true), ("journal.tmp", false)] {
        let dir = tempdir().unwrap();
        let mut store = open(dir.path());
        store.append(put("a", &[])).unwrap();
        fs::create_dir(dir.path().join(obstacle)).unwrap();
        assert!(store.fold().is_err());
        assert_eq!(store.append(put("b", &["a"])).is_ok(), goes_on, "{obstacle}");
        assert_eq!(load(dir.path()).unwrap().as_ref(), Some(store.state()));

        fs::remove_dir(dir.path().join(obstacle)).unwrap();
        store.append(put("c", &[])).unwrap();
        let recorded = store.state().clone();
        store.close().unwrap();
        check_same(&load(dir.path()).unwrap().unwrap(), &recorded);
    }
}

#[test]
fn a_reader_beside_folds_never_goes_back() {
    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    let writer = std::thread::spawn(move || {
        for count in 0..60 {
            store.append(put(&format!("r{count}"), &[])).unwrap();
            store.fold().unwrap();
        }
    });
    let mut seen = 0;
    while !writer.is_finished() {
        let count = load(dir.path()).unwrap().unwrap().resources.len();
        assert!(count >= seen, "{seen} resources, then {count}");
        seen = count;
    }
    writer.join().unwrap();
    assert_eq!(load(dir.path()).unwrap().unwrap().resources.len(), 60);
}

#[test]
fn format_1_loads_for_ever() {
    let state_json = include_bytes!("../../tests/fixtures/state/v1/state.json");
    let journal = include_bytes!("../../tests/fixtures/state/v1/journal");
    let dir = dir_with(&[("state.json", state_json), ("journal", journal)]);
    let state = load(dir.path()).unwrap().unwrap();
    assert_eq!((state.lineage.as_str(), state.serial), ("6f0c1d2e3a4b5c6d", 41));
    assert_eq!(state.identities["vcenter"], "9d3e0a52-1111-2222-3333-444455556677");
    let addresses: Vec<_> = state.resources.keys().map(Address::as_str).collect();
    let expected = ["vsphere/folder/machines", "vsphere/permission/storage", "vsphere/role/CNS-VM"];
    assert_eq!(addresses, expected);
    assert!(state.resources.values().all(|record| record.seen == record.attributes.digest()));
    let permission = &state.resources[&Address::from(expected[1])];
    assert_eq!(permission.place.tree()["principal"], "VSPHERE.LOCAL\\cht-storage");
    let edges: Vec<_> = permission.edges.iter().map(|edge| (edge.kind, edge.to.as_str())).collect();
    assert_eq!(edges, [(EdgeKind::Refers, expected[2]), (EdgeKind::After, expected[0])]);
    let open: Vec<_> =
        state.open.iter().map(|(address, open)| (address.as_str(), &open.notes)).collect();
    let notes = vec![json!({"task": "task-77"}), json!({"task": "task-78"})];
    assert_eq!(open, [("vsphere/vm/agent-1", &notes)]);
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let address = || prop::sample::select(vec!["a", "b", "c", "d"]);
    prop_oneof![
        address().prop_map(intent),
        (address(), 0..100).prop_map(|(address, data)| note(address, data)),
        (address(), address()).prop_map(|(address, to)| put(address, &[to])),
        address().prop_map(|address| Entry::Remove { address: address.into() }),
        address().prop_map(|address| Entry::Closed { address: address.into() }),
        address().prop_map(|a| Entry::Failed { address: a.into(), message: "timeout".into() }),
        (address(), address()).prop_map(|(a, b)| Entry::Move { from: a.into(), to: b.into() }),
        address()
            .prop_map(|id| Entry::Identity { endpoint: "vcenter".into(), identity: id.into() }),
    ]
}

/// What happens to the store after an entry.
#[derive(Clone, Copy, Debug)]
enum Then {
    Go,
    Fold,
    Kill,
    Close,
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 32, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn how_often_it_is_folded_does_not_matter(
        run in prop::collection::vec((any_entry(), prop::sample::select(
            vec![Then::Go, Then::Go, Then::Go, Then::Fold, Then::Kill, Then::Close]
        )), 0..24),
        cut in 0_usize..24,
    ) {
        let entries: Vec<Entry> = run.iter().map(|(entry, _)| entry.clone()).collect();
        let at_once = after(&entries);
        let (first, second) = entries.split_at(cut.min(entries.len()));
        let in_two = fold(after(first), &journal(0, second.to_vec())).unwrap();
        prop_assert_eq!(&in_two, &at_once);

        let dir = tempdir().unwrap();
        let mut store = open(dir.path());
        for (entry, then) in run {
            store.append(entry).unwrap();
            store = match then {
                Then::Go => store,
                Then::Fold => {
                    store.fold().unwrap();
                    store
                }
                Then::Kill => {
                    drop(store);
                    open(dir.path())
                }
                Then::Close => {
                    store.close().unwrap();
                    open(dir.path())
                }
            };
        }
        check_same(store.state(), &at_once);
        check_same(&load(dir.path()).unwrap().unwrap(), &at_once);
    }
}
