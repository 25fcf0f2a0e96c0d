//! Prior against live.

use super::diff::diff;
use super::drift::{DriftAttribute, DriftReport, Drifted, Unread};
use super::{After, Live};
use crate::resource::{Address, Identity, Object, Reading};
use crate::state::{Record, State};

/// What somebody changed outside boma: owned fields of recorded resources only.
pub fn drift(name: &str, prior: &State, live: &Live) -> DriftReport {
    let mut report = DriftReport { name: name.to_owned(), ..DriftReport::default() };
    for (address, record) in &prior.resources {
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
    let found = diff(record.kind, &record.attributes.tree(), None, &object.attributes.tree());
    let attributes: Vec<DriftAttribute> = found
        .into_iter()
        .map(|one| DriftAttribute {
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
