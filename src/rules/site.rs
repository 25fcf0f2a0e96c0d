//! `site`: what the spec names and vCenter does not have is said before the first write. What only
//! clones need (template, network, pool) is asked for only while something is cloned.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::words::{count, names};
use super::{Facts, Problem, Rule};
use crate::diag::Place;
use crate::plan::{Action, Operation};
use crate::resource::{Address, Kind};
use crate::spec::{Machine, Spec};

/// See the file's head.
pub const RULE: Rule = Rule::deny("site", check).of_plan();

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let (Some(seen), true) = (seen(facts), changes(facts)) else { return };
    let cloned: Vec<&Machine> =
        facts.spec.all_machines().filter(|one| is_cloned(facts, one)).collect();
    for one in seen["missing"].as_array().into_iter().flatten() {
        report.extend(missing(facts.spec, &cloned, one));
    }
    let mut seen_templates: BTreeMap<&str, &Machine> = BTreeMap::new();
    for machine in cloned.iter().filter(|machine| machine.template.is_some()) {
        let name = machine.template.as_ref().map_or("", |template| template.as_str());
        report.extend(too_large(&seen["templates"][name], machine));
        seen_templates.entry(name).or_insert(machine);
    }
    for (name, machine) in seen_templates {
        report.extend(template(&seen["templates"][name], name, machine));
    }
    report.extend(too_full(&seen["free_gib"], &cloned));
    report.extend(unreached(facts.spec, &seen["unmounted"]));
    report.extend(no_such_url(facts.spec, &seen["datastore_urls"]));
    report.extend(no_such_policy(facts.spec, &seen["policies"]));
}

/// What was seen of the site. `None` where nobody looked or could.
pub fn seen(facts: &Facts<'_>) -> Option<Json> {
    let address = Address::of(Kind::site().name, &facts.spec.vcenter.datacenter);
    Some(facts.live?.get(&address)?.object()?.attributes.tree())
}

/// Whether something is made or changed. What is only removed supposes nothing.
fn changes(facts: &Facts<'_>) -> bool {
    facts.plan.is_some_and(|plan| {
        let mut changes = plan.changes.iter();
        !plan.basis.destroy && changes.any(|change| change.action != Action::NoOp)
    })
}

fn is_cloned(facts: &Facts<'_>, machine: &Machine) -> bool {
    let address = Address::of("vsphere/vm", &machine.name);
    let creates = |change: &crate::plan::Change| {
        change.address == address
            && change.steps.iter().any(|step| step.operation == Operation::Create)
    };
    facts.plan.is_some_and(|plan| plan.changes.iter().any(creates))
}

fn missing(spec: &Spec, cloned: &[&Machine], one: &Json) -> Option<Problem> {
    let (what, name) = (one["what"].as_str()?, one["name"].as_str()?);
    let place = match what {
        "cluster" => Some(&spec.vcenter.cluster.place),
        "host" => spec.vcenter.hosts.iter().find(|host| host.value == name).map(|host| &host.place),
        "datastore" if spec.vcenter.datastore.value == name => Some(&spec.vcenter.datastore.place),
        _ => cloned.iter().find_map(|machine| named_by(machine, what, name)),
    }?;
    let help =
        "name one that is there, or make it in vCenter; boma's account must be allowed to see it";
    Some(Problem::at(place, one["reason"].as_str()?, help))
}

fn named_by<'a>(machine: &'a Machine, what: &str, name: &str) -> Option<&'a Place> {
    let named = match what {
        "datastore" => Some(&machine.datastore),
        "network" => Some(&machine.network),
        "resource pool" => machine.resource_pool.as_ref(),
        "template" => machine.template.as_ref(),
        _ => None,
    };
    named.filter(|named| named.value == name).map(|named| &named.place)
}

/// What a template must have for its clones to come up. Whether cloud-init with the VMware data
/// source is in it, nothing tells as long as it is off; that something else comes before that data
/// source does show. A clone tells the rest, and the wait for it says so.
fn template(seen: &Json, name: &str, machine: &Machine) -> Vec<Problem> {
    let Some(place) = machine.template.as_ref().map(|template| &template.place) else {
        return Vec::new();
    };
    if seen["template"] == false {
        let help = "convert it to a template in vCenter, or name another";
        return vec![Problem::at(place, format!("{name} is a VM, not a template"), help)];
    }
    let tools = (seen["tools"] == false).then(|| {
        let message = format!("VMware Tools were never seen in template {name}");
        let help = "install open-vm-tools in it: without them boma cannot see whether a machine \
            came up, and the cloud provider finds no address of a node";
        Problem::at(place, message, help).warn()
    });
    tools.into_iter().chain(vapp(&seen["vapp_properties"], name, place)).collect()
}

/// Until then cloud-init tries the OVF data source before the VMware one (cloud-init pull request
/// 5912, Launchpad bug 1992509), and an OVA's vApp properties are enough for it.
fn vapp(properties: &Json, name: &str, place: &Place) -> Option<Problem> {
    let properties: Vec<&str> = properties.as_array()?.iter().filter_map(Json::as_str).collect();
    if properties.is_empty() {
        return None;
    }
    let message = format!("template {name} has vApp properties: {}", names(&properties));
    let help = "cloud-init before 25.1 takes them instead of what boma gives a machine, which then \
        gets neither address nor user: take its vApp options away in vCenter, or waive this where \
        its cloud-init is newer";
    Some(Problem::at(place, message, help).warn())
}

fn too_large(seen: &Json, machine: &Machine) -> Option<Problem> {
    let gib = seen["disk_gib"].as_u64().filter(|gib| *gib > machine.disk_gib.value)?;
    let template = machine.template.as_ref()?;
    let message = format!(
        "template {} has a disk of {gib} GiB, more than the {} GiB of {}",
        template.value, machine.disk_gib.value, machine.name.value
    );
    let help = format!("no disk can be made smaller: set `disk` to \"{gib}GiB\" or more");
    Some(Problem::at(&machine.disk_gib.place, message, help))
}

/// The driver makes a volume only where the hosts of all nodes reach it, servers included (driver
/// issues 348, 826 and 2377). A node may never come to that host, so this is a warning.
fn unreached(spec: &Spec, unmounted: &Json) -> Option<Problem> {
    let datastore = &spec.vcenter.datastore;
    let hosts = unmounted[datastore.as_str()].as_array()?;
    let hosts: Vec<&str> = hosts.iter().filter_map(Json::as_str).collect();
    let message = format!("datastore {} is not mounted on {}", datastore.value, names(&hosts));
    let help = "mount it there, or keep the machines off: no volume is made while the host of any \
        node does not reach its datastore";
    Some(Problem::at(&datastore.place, message, help).warn())
}

fn no_such_url(spec: &Spec, urls: &Json) -> Option<Problem> {
    let url = spec.storage.datastore_url.as_ref()?;
    let known = urls.as_object().filter(|known| !known.is_empty())?;
    if known.values().any(|known| known == url.as_str()) {
        return None;
    }
    let message = format!("no datastore that boma's account sees has the URL {}", url.value);
    let one =
        |(path, known): (&String, &Json)| format!("{path} has {}", known.as_str().unwrap_or(""));
    let known: Vec<String> = known.iter().map(one).collect();
    Some(Problem::at(&url.place, message, format!("take it from these: {}", known.join(", "))))
}

/// The driver refuses a volume whose class names a policy that vCenter does not have.
fn no_such_policy(spec: &Spec, policies: &Json) -> Option<Problem> {
    let policy = spec.storage.policy.as_ref()?;
    if let Some(reason) = policies.as_str() {
        let message = format!("nobody knows whether there is a storage policy {}", policy.value);
        return Some(Problem::at(&policy.place, message, reason.to_owned()).warn());
    }
    let known: Vec<&str> = policies.as_array()?.iter().filter_map(Json::as_str).collect();
    if known.contains(&policy.as_str()) {
        return None;
    }
    let message = format!("there is no storage policy {}", policy.value);
    let help = match known.is_empty() {
        true => "boma's account sees none: it needs StorageProfile.View on the vCenter".to_owned(),
        false => format!("name one of these, or make it in vCenter: {}", known.join(", ")),
    };
    Some(Problem::at(&policy.place, message, help))
}

/// Thin disks may fit all the same.
fn too_full(free: &Json, cloned: &[&Machine]) -> Vec<Problem> {
    let mut wanted: BTreeMap<&str, (u64, &Place)> = BTreeMap::new();
    for machine in cloned {
        let entry = wanted.entry(&machine.datastore.value).or_insert((0, &machine.datastore.place));
        entry.0 = entry.0.saturating_add(machine.disk_gib.value);
    }
    let short = wanted.into_iter().filter_map(|(name, (wanted, place))| {
        let free = free[name].as_u64().filter(|free| *free < wanted)?;
        let message = format!(
            "datastore {name} has {free} GiB free, and new machines have {wanted} GiB of disk"
        );
        let help = format!("free {} there, or name another datastore", count(wanted - free, "GiB"));
        Some(Problem::at(place, message, help).warn())
    });
    short.collect()
}
