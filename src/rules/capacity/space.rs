//! Space for volumes on the datastore.

use std::collections::BTreeMap;

use crate::plan::Operation;
use crate::resource::{Address, Reading, Resource};
use crate::rules::projects::{CLAIM, size_mib};
use crate::rules::words::names;
use crate::rules::{Facts, Problem, cluster, site};
use crate::spec::{Project, Spec};

/// What is still to be made or to grow, against what is free. Thin disks may fit all the same, so
/// this warns. Volumes of removed projects keep what they have taken: nothing is expected back.
pub fn check(facts: &Facts<'_>) -> Option<Problem> {
    let spec = facts.spec;
    let store = datastore(spec)?;
    let free = site::seen(facts)?["free_gib"][store].as_u64()?;
    let growing = growing(facts);
    let volumes_mib: u64 = growing.values().sum();
    let machines_gib = machines_gib(facts, store);
    let needed = volumes_mib.div_ceil(1024).saturating_add(machines_gib);
    let largest = growing.iter().max_by_key(|(_, size)| **size)?;
    (needed > free).then(|| {
        let all: Vec<&str> = std::iter::once(*largest.0)
            .chain(growing.keys().copied().filter(|name| name != largest.0))
            .collect();
        let machines = match machines_gib {
            0 => String::new(),
            gib => format!(", {gib} GiB of it for disks of new machines"),
        };
        let message = format!(
            "datastore {store} has {free} GiB free, and volumes of {} need {needed} GiB{machines} \
             (space, {} GiB short)",
            names(&all),
            needed - free
        );
        let project = spec.projects.iter().find(|project| project.name.value == **largest.0);
        let place = project.map_or(&spec.vcenter.datastore.place, size_place);
        Problem::at(place, message, help(facts)).warn()
    })
}

/// Where volumes go. `None` where a policy or a URL says, which names no datastore.
fn datastore(spec: &Spec) -> Option<&str> {
    let elsewhere = spec.storage.policy.is_some() || spec.storage.datastore_url.is_some();
    (!elsewhere).then_some(spec.vcenter.datastore.value.as_str())
}

/// MiB that volumes of projects do not have yet, by project.
fn growing<'a>(facts: &Facts<'a>) -> BTreeMap<&'a str, u64> {
    let mut growing: BTreeMap<&str, u64> = BTreeMap::new();
    for claim in facts.desired.resources.values().filter(|one| one.kind.name == CLAIM) {
        let (Some(project), Some(missing)) = (claim.address.project(), missing(facts, claim))
        else {
            continue;
        };
        if let Some(project) = facts.spec.projects.iter().find(|one| one.name.value == project)
            && project.couchdb.storage_class.value == facts.spec.storage.class.value
            && missing > 0
        {
            *growing.entry(&project.name).or_default() += missing;
        }
    }
    growing
}

/// `None` where nobody could see whether the claim stands.
fn missing(facts: &Facts<'_>, claim: &Resource) -> Option<u64> {
    let wanted = size_mib(&claim.attributes.tree())?;
    match facts.live?.get(&claim.address)? {
        Reading::Present(object) => {
            Some(wanted.saturating_sub(size_mib(&object.attributes.tree())?))
        }
        Reading::Absent => Some(wanted),
        Reading::Unread(_) => None,
    }
}

/// Disks of machines that the plan clones to the datastore.
fn machines_gib(facts: &Facts<'_>, store: &str) -> u64 {
    let changes = facts.plan.into_iter().flat_map(|plan| &plan.changes);
    let made: Vec<&Address> = changes
        .filter(|change| change.steps.iter().any(|step| step.operation == Operation::Create))
        .map(|change| &change.address)
        .collect();
    let machines = facts.spec.all_machines().filter(|machine| machine.datastore.value == store);
    machines
        .filter(|machine| made.contains(&&Address::of("vsphere/vm", &machine.name)))
        .map(|machine| machine.disk_gib.value)
        .sum()
}

fn size_place(project: &Project) -> &crate::diag::Place {
    &project.couchdb.storage_mib.place
}

fn help(facts: &Facts<'_>) -> String {
    let left = left_behind(facts);
    let named: Vec<&str> = left.keys().map(String::as_str).collect();
    let gib = left.values().sum::<u64>().div_ceil(1024);
    let more = match named.is_empty() {
        true => String::new(),
        false => format!(
            "; volumes of removed projects hold up to {gib} GiB ({}), which `boma destroy SPEC \
             --abandon-data PROJECT` gives back once their data is nowhere needed",
            names(&named)
        ),
    };
    format!(
        "extend the datastore, free space on it, or lower `couchdb.storage` of new projects{more}"
    )
}

/// MiB of claims that stand and that the spec does not ask for, by project.
fn left_behind(facts: &Facts<'_>) -> BTreeMap<String, u64> {
    let mut left: BTreeMap<String, u64> = BTreeMap::new();
    for (address, claim) in cluster::live(facts, "PersistentVolumeClaim") {
        let gone = !facts.desired.resources.contains_key(address);
        if let (Some(project), Some(size), true) = (address.project(), size_mib(&claim), gone) {
            *left.entry(project.to_owned()).or_default() += size;
        }
    }
    left
}
