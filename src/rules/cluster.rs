//! What was read of the cluster, and what is planned for it, for the rules that look inside.

use serde_json::Value as Json;

use super::Facts;
use crate::plan::{Action, Change};
use crate::resource::Address;

/// Live objects of a kind, whichever part of the cluster or project they belong to.
pub fn live<'a>(facts: &Facts<'a>, kind: &'a str) -> impl Iterator<Item = (&'a Address, Json)> {
    let readings = facts.live.into_iter().flatten();
    readings
        .filter(move |(address, _)| kind_of(address) == Some(kind))
        .filter_map(|(address, reading)| Some((address, reading.object()?.attributes.tree())))
}

/// One live object. `None` where there is none, or nobody looked.
pub fn object(facts: &Facts<'_>, address: &str) -> Option<Json> {
    Some(facts.live?.get(&Address::from(address))?.object()?.attributes.tree())
}

/// Changes of objects of a kind, those that change nothing left out.
pub fn changes<'a>(facts: &Facts<'a>, kind: &'a str) -> impl Iterator<Item = &'a Change> {
    let changes = facts.plan.into_iter().flat_map(|plan| &plan.changes);
    changes
        .filter(|change| change.action != Action::NoOp)
        .filter(move |change| kind_of(&change.address) == Some(kind))
}

/// Whether the plan does anything to an object.
pub fn is_changed(facts: &Facts<'_>, address: &Address) -> bool {
    let mut changes = facts.plan.into_iter().flat_map(|plan| &plan.changes);
    changes.any(|change| change.address == *address && change.action != Action::NoOp)
}

/// `DaemonSet` of `cluster/cpi/DaemonSet/vsphere-cloud-controller-manager`.
fn kind_of(address: &Address) -> Option<&str> {
    let (first, rest) = address.as_str().split_once('/')?;
    let kind = rest.rsplit('/').nth(1);
    kind.filter(|_| matches!(first, "cluster" | "project"))
}

/// Containers of a pod template, those of its start included.
pub fn containers(workload: &Json) -> impl Iterator<Item = &Json> {
    let pod = &workload["spec"]["template"]["spec"];
    let lists = ["containers", "initContainers"].map(|list| pod[list].as_array());
    lists.into_iter().flatten().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Option<&str>) {
        assert_eq!(kind_of(&Address::from(address)), expected, "{address}");
    }

    #[test]
    fn the_kind_stands_before_the_name() {
        check("cluster/cpi/DaemonSet/a", Some("DaemonSet"));
        check("cluster/StorageClass/a", Some("StorageClass"));
        check("project/county-1/Deployment/cht-api", Some("Deployment"));
        check("cluster/node/agent-1", Some("node"));
        check("vsphere/vm/agent-1", None);
    }
}
