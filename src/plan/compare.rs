//! Prior against live.

use super::diff::diff;
use super::difference::manager;
use super::drift::{DriftAttribute, DriftReport, Drifted, Unread};
use super::{After, Live};
use crate::resource::{Address, EdgeKind, Identity, Lifecycle, Object, Reading};
use crate::state::{Record, State};

/// What somebody changed outside boma: owned fields of recorded resources only. Of something that
/// was deleted, only itself is told, not what was in it.
pub fn drift(name: &str, prior: &State, live: &Live) -> DriftReport {
    let mut report = DriftReport { name: name.to_owned(), ..DriftReport::default() };
    for (address, record) in &prior.resources {
        if went_along(record, prior, live) {
            report.checked += 1;
            continue;
        }
        let drifted = match live.get(address) {
            Some(Reading::Present(object)) if is_same(address, record, prior, object) => {
                differences(address, record, object)
            }
            Some(Reading::Present(_) | Reading::Absent) => {
                Some(Drifted::deleted(address.clone(), record.kind))
            }
            Some(Reading::Unread(reason)) => {
                report.unread.push(Unread { address: address.clone(), reason: reason.clone() });
                continue;
            }
            None => continue,
        };
        report.checked += 1;
        report.drifted.extend(drifted);
    }
    report
}

/// Whether a resource lives in one that is gone.
fn went_along(record: &Record, prior: &State, live: &Live) -> bool {
    let is_gone = |home: &Address| match (prior.resources.get(home), live.get(home)) {
        (Some(record), Some(Reading::Present(object))) => !is_same(home, record, prior, object),
        (Some(_), Some(Reading::Absent)) => true,
        _ => false,
    };
    let lost_home = |record: &Record| {
        record.edges.iter().any(|edge| edge.kind == EdgeKind::LivesIn && is_gone(&edge.to))
    };
    lost_home(record) || in_cluster(record) && is_lost(prior, live, &lost_home)
}

fn in_cluster(record: &Record) -> bool {
    record.kind.lifecycle == Lifecycle::Applied
}

/// Whether the cluster went with the last of its servers.
fn is_lost(prior: &State, live: &Live, lost_home: &dyn Fn(&Record) -> bool) -> bool {
    let is_server = |record: &Record| record.kind.lifecycle == Lifecycle::Server;
    let mut servers = prior.resources.iter().filter(|(_, record)| is_server(record)).peekable();
    let gone = |(address, record): (&Address, &Record)| {
        live.get(address) == Some(&Reading::Absent) || lost_home(record)
    };
    servers.peek().is_some() && servers.all(gone)
}

/// Whether an object is the recorded one and not another in its place.
fn is_same(address: &Address, record: &Record, prior: &State, object: &Object) -> bool {
    object.id == record.id
        || record.kind.identity == Identity::NaturalKey
        || object.mark.as_ref() == Some(&prior.mark(address))
}

fn differences(address: &Address, record: &Record, object: &Object) -> Option<Drifted> {
    if record.seen == object.attributes.digest() {
        return None;
    }
    let live = object.attributes.tree();
    let found = diff(record.kind, &record.attributes.tree(), None, &live);
    let attributes: Vec<DriftAttribute> = found
        .into_iter()
        .map(|one| DriftAttribute {
            changed_by: manager(&live, &one.path).map(str::to_owned),
            path: one.path,
            recorded: match one.after {
                After::Known(value) => Some(value),
                After::Unknown(_) | After::Removed => None,
            },
            live: one.before,
            sensitive: one.sensitive,
        })
        .collect();
    (!attributes.is_empty()).then(|| Drifted {
        address: address.clone(),
        kind: record.kind,
        attributes,
        exists_live: true,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::resource::{Attributes, Edge, Endpoint, Kind};

    const VM: &str = "vsphere/vm/a";
    const NODE: &str = "k3s/agent/a";

    fn machine() -> Kind {
        Kind::named("vsphere/vm").unwrap()
    }

    fn agent() -> Kind {
        Kind::named("k3s/agent").unwrap()
    }

    fn record(kind: Kind, attributes: &Json, home: Option<&str>) -> Record {
        let attributes = Attributes::new(attributes);
        Record {
            kind,
            endpoint: Endpoint::vcenter(),
            id: kind.name.into(),
            place: Attributes::default(),
            seen: attributes.digest(),
            attributes,
            outputs: Attributes::default(),
            edges: home
                .map(|home| Edge { kind: EdgeKind::LivesIn, to: home.into() })
                .into_iter()
                .collect(),
            protected: false,
        }
    }

    fn present(kind: Kind, attributes: &Json) -> Reading {
        let attributes = Attributes::new(attributes);
        Reading::Present(Object { id: kind.name.into(), attributes, mark: None })
    }

    /// A machine and what lives in it, as found, and what is told of them.
    fn check(vm: Reading, node: Reading, expected: &[(&str, &str)]) {
        let mut prior = State::new("lineage".into(), &[0; 32]);
        let on = record(machine(), &json!({"power": "on"}), None);
        let runs = record(agent(), &json!({"service": "active"}), Some(VM));
        prior.resources.extend([(VM.into(), on), (NODE.into(), runs)]);
        let live = Live::from([(VM.into(), vm), (NODE.into(), node)]);
        let report = drift("n", &prior, &live);
        let told = report.drifted.iter().flat_map(|one| {
            let attributes = one.attributes.iter();
            attributes.map(|attribute| (one.address.as_str(), attribute.path.as_str()))
        });
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert_eq!((report.checked, report.unread), (2, Vec::new()));
    }

    #[test]
    fn what_was_in_a_deleted_machine_is_not_told() {
        let on = || present(machine(), &json!({"power": "on"}));
        check(on(), Reading::Absent, &[(NODE, "exists")]);
        check(Reading::Absent, Reading::Absent, &[(VM, "exists")]);
        check(Reading::Absent, Reading::Unread("no route".into()), &[(VM, "exists")]);
        check(
            present(machine(), &json!({"power": "off"})),
            present(agent(), &json!({"service": "active"})),
            &[(VM, "power")],
        );
    }

    #[test]
    fn what_was_in_a_cluster_without_servers_is_not_told() {
        const SERVER: &str = "k3s/server/a";
        const CLASS: &str = "cluster/StorageClass/a";
        let kind = |name: &str| Kind::named(name).unwrap();
        let check = |server: Reading, expected: &[&str]| {
            let mut prior = State::new("lineage".into(), &[0; 32]);
            let runs = record(kind("k3s/server"), &json!({}), None);
            let stands = record(kind("kubernetes/StorageClass"), &json!({}), None);
            prior.resources.extend([(SERVER.into(), runs), (CLASS.into(), stands)]);
            let live = Live::from([(SERVER.into(), server), (CLASS.into(), Reading::Absent)]);
            let report = drift("n", &prior, &live);
            let told: Vec<&str> = report.drifted.iter().map(|one| one.address.as_str()).collect();
            assert_eq!(told, expected);
        };
        check(Reading::Absent, &[SERVER]);
        check(present(kind("k3s/server"), &json!({})), &[CLASS]);
    }

    #[test]
    fn another_machine_in_its_place_is_a_deleted_one() {
        let other = Object { id: "other".into(), attributes: Attributes::default(), mark: None };
        check(Reading::Present(other), Reading::Absent, &[(VM, "exists")]);
    }
}
