//! Volumes of projects whose data would go with their claims: whoever made them, they are told to
//! stay.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::object::object;
use crate::lower::k3s;
use crate::plan::{Desired, Live, VOLUMES};
use crate::resource::{Address, Edge, EdgeKind, Reading, Resource};
use crate::spec::{DeletionPolicy, Spec};

const RETAIN: &str = "Retain";

/// Adds each volume that a project's claim has and that is not retained, before anything else of
/// that project; and those that were told so before. Where nobody could read the volumes, that is
/// what the projects wait for.
///
/// `recorded` says whether the state knows a resource. `live` holds a reading of every volume below
/// [`VOLUMES`]; offline only of those that are recorded.
pub fn retain(
    spec: &Spec,
    desired: Desired,
    live: &Live,
    recorded: &dyn Fn(&Address) -> bool,
) -> Desired {
    if spec.storage.reclaim.value != DeletionPolicy::Retain || desired.resources.is_empty() {
        return desired;
    }
    let projects: BTreeMap<&str, &str> = spec
        .projects
        .iter()
        .map(|project| (project.namespace.value.as_str(), project.name.value.as_str()))
        .collect();
    let mut desired = desired;
    if matches!(live.get(&Address::from(VOLUMES)), Some(Reading::Unread(_))) {
        let unread = volume(spec, &Address::from(VOLUMES));
        before(&mut desired, &unread.address, &projects.values().copied().collect());
        desired.resources.insert(unread.address.clone(), unread);
    }
    let prefix = format!("{VOLUMES}/");
    let volumes = live.iter().filter(|(address, _)| address.as_str().starts_with(&prefix));
    for (address, reading) in volumes {
        let Some(object) = reading.object() else { continue };
        let tree = object.attributes.tree();
        let recorded = recorded(address);
        let claim = &tree["spec"]["claimRef"]["namespace"];
        let project = claim.as_str().map(|namespace| projects.get(namespace).copied());
        let retained = tree["spec"]["persistentVolumeReclaimPolicy"] == RETAIN;
        let of = match project {
            Some(Some(project)) if recorded || !retained => Some(project),
            // What was recorded of a volume does not say whose it is.
            None if recorded => None,
            _ => continue,
        };
        before(&mut desired, address, &of.into_iter().collect());
        desired.resources.insert(address.clone(), volume(spec, address));
    }
    desired
}

/// The one field of a volume that is boma's.
fn volume(spec: &Spec, address: &Address) -> Resource {
    let manifest: Json = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": { "name": address.name() },
        "spec": { "persistentVolumeReclaimPolicy": RETAIN },
    });
    let servers: Vec<Address> = spec.servers.iter().map(k3s::address).collect();
    let place = &spec.storage.reclaim.place;
    Resource { adopt: true, ..object(address.clone(), manifest, &servers, place) }
}

/// Has everything of projects come after a volume.
fn before(desired: &mut Desired, volume: &Address, projects: &BTreeSet<&str>) {
    let of_project = |resource: &&mut Resource| {
        resource.address.project().is_some_and(|one| projects.contains(one))
    };
    for resource in desired.resources.values_mut().filter(of_project) {
        resource.edges.push(Edge { kind: EdgeKind::After, to: volume.clone() });
        resource.edges.sort();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::lower;
    use crate::lower::testing::spec;
    use crate::resource::{Attributes, Object};

    const VOLUME: &str = "cluster/PersistentVolume/pvc-1";

    fn live(namespace: &str, policy: &str) -> Live {
        let tree = json!({"spec": {"claimRef": {"namespace": namespace, "name": "couchdb-claim0"},
            "persistentVolumeReclaimPolicy": policy}});
        let attributes = Attributes::new(&tree);
        let object = Object { id: "1".into(), attributes, mark: None };
        [(VOLUMES.into(), Reading::Absent), (VOLUME.into(), Reading::Present(object))].into()
    }

    /// Whether the volume is asked for, and how many objects of projects wait for it.
    fn check(live: &Live, edits: &[(&str, &str)], expected: (bool, bool)) {
        let spec = spec(edits);
        let desired = retain(&spec, lower(&spec), live, &|_| false);
        let volume = |edge: &Edge| edge.to.as_str().starts_with(VOLUMES);
        let waits = |one: &&Resource| one.edges.iter().any(volume);
        let of = |name: &str| {
            let all = desired.resources.values().filter(|one| one.address.project() == Some(name));
            let all: Vec<&Resource> = all.collect();
            (all.len(), all.into_iter().filter(waits).count())
        };
        let (count, waiting) = of("county-01");
        assert_eq!(waiting, if expected.1 { count } else { 0 });
        assert!(count > 0 && of("county-02").1 == 0);
        let found = desired.resources.get(&Address::from(VOLUME));
        assert_eq!(found.is_some_and(|one| one.adopt), expected.0);
    }

    #[test]
    fn volumes_of_projects_are_told_to_stay_before_anything_else() {
        check(&live("cht-county-01", "Delete"), &[], (true, true));
        check(&live("cht-county-01", "Recycle"), &[], (true, true));
        check(&live("cht-county-01", "Retain"), &[], (false, false));
        check(&live("default", "Delete"), &[], (false, false));
        let delete = [("[storage]\n", "[storage]\nreclaim = \"Delete\"\n")];
        check(&live("cht-county-01", "Delete"), &delete, (false, false));
    }

    #[test]
    fn projects_wait_for_volumes_that_nobody_could_read() {
        let spec = spec(&[]);
        let unread = [(VOLUMES.into(), Reading::Unread("no answer".into()))].into();
        let desired = retain(&spec, lower(&spec), &unread, &|_| false);
        assert!(desired.resources.contains_key(&Address::from(VOLUMES)));
        let mut of_projects =
            desired.resources.values().filter(|one| one.address.project().is_some());
        let waits = |one: &Resource| one.edges.iter().any(|edge| edge.to.as_str() == VOLUMES);
        assert!(of_projects.all(waits));
    }
}
