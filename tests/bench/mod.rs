//! Figures, printed and not asserted: a loaded computer must not fail a test.
//!
//! `cargo test --release --test all bench:: -- --ignored --nocapture`

mod hosts;

use std::path::Path;
use std::time::{Duration, Instant};

use boma::resource::{Address, Attributes, Digest, Endpoint, Kind};
use boma::state::{Entry, Owner, Record, State, Store};
use serde_json::json;

/// How many changes are recorded at each size.
const ROUNDS: usize = 200;

/// Recording a change appends to the journal, so its cost does not grow with the state.
#[test]
#[ignore = "prints figures; run by hand or by .ci/run"]
fn the_cost_of_recording_one_change() {
    for records in [100, 100_000] {
        // On the disk of the build, since a temporary folder may be in memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut costs = append_costs(folder.path(), records);
        costs.sort();
        let (median, most) = (costs[costs.len() / 2], costs[costs.len() - 1]);
        println!("append at {records:>7} records: median {median:.1?}, most {most:.1?}");
    }
}

fn append_costs(folder: &Path, records: usize) -> Vec<Duration> {
    let mut store = Store::open(folder, || state(records), owner()).unwrap();
    let round = |number: usize| {
        let begun = Instant::now();
        store.append(Entry::Put { address: address(number), record: record(number) }).unwrap();
        begun.elapsed()
    };
    (0..ROUNDS).map(round).collect()
}

fn state(records: usize) -> State {
    let resources = (0..records).map(|number| (address(number), record(number))).collect();
    State { resources, ..State::new("bench".into(), &[7; 32]) }
}

fn address(number: usize) -> Address {
    Address::of("vsphere/vm", &format!("machine-{number}"))
}

/// A VM as an apply records it.
fn record(number: usize) -> Record {
    let name = format!("machine-{number}");
    let attributes = json!({
        "cpus": 48, "datastore": "vsanDatastore", "disk_uuid": true, "folder": "/DC1/vm/cht",
        "hardware_version": 15, "memory_mib": 196_608, "name": name, "network": "VM Network",
        "pool": "Cluster1", "power": "on", "template": "ubuntu-22.04",
    });
    let outputs = json!({
        "bios_uuid": "42d9cef9-41d4-4931-a0e6-74ddbe13ae4f", "host": "esxi-01.example.org",
        "instance_uuid": "50c5950a-378d-44a5-a08e-d6c2ba2bc5ea", "moref": format!("vm-{number}"),
        "path": format!("/DC1/vm/cht/{name}"),
    });
    Record {
        kind: Kind::named("vsphere/vm").unwrap(),
        endpoint: Endpoint::vcenter(),
        id: format!("id-{number}"),
        place: Attributes::new(&json!({ "path": format!("/DC1/vm/cht/{name}") })),
        attributes: Attributes::new(&attributes),
        outputs: Attributes::new(&outputs),
        seen: Digest::of(name.as_bytes()),
        edges: Vec::new(),
        protected: false,
    }
}

fn owner() -> Owner {
    Owner {
        pid: std::process::id(),
        host: String::new(),
        user: String::new(),
        command: "bench".into(),
        since: String::new(),
    }
}
