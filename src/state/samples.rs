//! Small states, entries and journals that tests of this folder alter.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::{Entry, FORMAT, Header, Journal, Open, Owner, Record, State};
use super::{encode_entry, encode_header};
use crate::resource::{Address, Attributes, Edge, EdgeKind, Endpoint, Kind};

pub fn state(serial: u64) -> State {
    State { serial, ..State::new("lineage-1".into(), &[7; 32]) }
}

pub fn header(serial: u64) -> Header {
    Header { format: FORMAT, lineage: "lineage-1".into(), serial }
}

pub fn owner() -> Owner {
    Owner {
        pid: 4242,
        host: "ops-1".into(),
        user: "alice".into(),
        command: "boma apply national.toml".into(),
        since: "2026-03-01T08:00:00Z".into(),
    }
}

pub fn intent(address: &str) -> Entry {
    let open = Open {
        removing: false,
        kind: role(),
        endpoint: Endpoint::vcenter(),
        place: Attributes::new(&json!({"name": address})),
        notes: Vec::new(),
    };
    Entry::Intent { address: address.into(), operation: "create".into(), open }
}

pub fn note(address: &str, data: i32) -> Entry {
    Entry::Note { address: address.into(), data: json!(data) }
}

pub fn put(address: &str, edges: &[&str]) -> Entry {
    let attributes = Attributes::new(&json!({"name": address, "privileges": ["System.Read"]}));
    let record = Record {
        kind: role(),
        endpoint: Endpoint::vcenter(),
        id: format!("id of {address}"),
        place: Attributes::new(&json!({"name": address})),
        seen: attributes.digest(),
        attributes,
        outputs: Attributes::default(),
        edges: edges.iter().map(|to| edge(to)).collect(),
        protected: false,
    };
    Entry::Put { address: address.into(), record }
}

/// One entry of each sort.
pub fn entries() -> Vec<Entry> {
    let address = || Address::from("a");
    vec![
        Entry::Identity { endpoint: "vcenter".into(), identity: "uuid-1".into() },
        intent("a"),
        note("a", 1),
        Entry::Failed { address: address(), message: "connection reset, \"mid\" reply".into() },
        Entry::Closed { address: address() },
        put("a", &[]),
        put("b", &["a"]),
        Entry::Move { from: address(), to: "c".into() },
        intent("d"),
        Entry::Remove { address: "b".into() },
        Entry::Remove { address: "e".into() },
    ]
}

pub fn journal(serial: u64, entries: Vec<Entry>) -> Journal {
    Journal { header: Some(header(serial)), entries, ..Journal::default() }
}

/// The file of a journal that holds [`entries`].
pub fn journal_bytes(serial: u64) -> Vec<u8> {
    let mut bytes = encode_header(&header(serial)).unwrap();
    entries().iter().for_each(|entry| bytes.extend(encode_entry(entry).unwrap()));
    bytes
}

fn role() -> Kind {
    Kind::named("vsphere/role").unwrap()
}

fn edge(to: &str) -> Edge {
    Edge { kind: EdgeKind::After, to: to.into() }
}
