//! What nodes have, and what their pods have taken of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::json::{list, number, text};
use super::pod;
use super::quantity;
use super::work::Work;
use crate::lab::k3s::Node;
use crate::lab::kubernetes::Key;

/// One node's size and burden.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    pub cpu_milli: i128,
    pub memory: i128,
    pub cpu_milli_max: i128,
    pub memory_max: i128,
    pub pods_max: usize,
    pub pods: Vec<Arc<Json>>,
    /// Port, protocol.
    pub ports: BTreeSet<(i64, String)>,
    /// Driver, volume.
    pub volumes: BTreeSet<(String, String)>,
    /// By driver.
    pub volumes_max: BTreeMap<String, usize>,
}

/// Pods that a kubelet takes unless it is told otherwise.
const PODS_MAX: usize = 110;

/// Every node's.
pub(super) fn of_all(work: &Work<'_>) -> BTreeMap<String, Load> {
    let mut loads: BTreeMap<String, Load> =
        work.cluster().nodes.values().map(|node| (node.name.clone(), empty(work, node))).collect();
    for (_, pod) in work.cluster().store.list("", "pods") {
        let ended = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
        if let Some(load) = loads.get_mut(pod::node(pod)).filter(|_| !ended) {
            load.add(work, pod);
        }
    }
    loads
}

fn empty(work: &Work<'_>, node: &Node) -> Load {
    let (cpus, memory_mib) = work.world.size_of(&node.host).unwrap_or((4, 8192));
    let mut load = Load {
        cpu_milli_max: i128::from(cpus) * 1000,
        memory_max: i128::from(memory_mib) << 20,
        pods_max: pods_max(node),
        ..Load::default()
    };
    let known = work.get(&Key::new("storage.k8s.io", "csinodes", "", &node.name));
    for driver in known.iter().flat_map(|known| list(known, "/spec/drivers")) {
        let count = number(driver, "/allocatable/count").and_then(|count| count.try_into().ok());
        if let Some(count) = count {
            load.volumes_max.insert(text(driver, "/name").to_owned(), count);
        }
    }
    load
}

/// The kubelet's own argument, as k3s shows it.
fn pods_max(node: &Node) -> usize {
    let arguments = node.annotations.get("k3s.io/node-args").map_or("", String::as_str);
    let told = arguments.split('"').find_map(|word| word.strip_prefix("max-pods="));
    told.and_then(|count| count.parse().ok()).unwrap_or(PODS_MAX)
}

impl Load {
    pub(super) fn add(&mut self, work: &Work<'_>, pod: &Arc<Json>) {
        let (cpu, memory) = requests(pod);
        self.cpu_milli += cpu;
        self.memory += memory;
        self.ports.extend(ports(pod));
        self.volumes.extend(volumes(work, pod));
        self.pods.push(Arc::clone(pod));
    }
}

/// Thousandths of a CPU, and bytes: the sum of containers, or the largest of the first ones.
pub(super) fn requests(pod: &Json) -> (i128, i128) {
    let of = |container: &Json, name: &str| {
        let resources = &container["resources"];
        let request = resources["requests"].get(name).or_else(|| resources["limits"].get(name));
        request.and_then(quantity::milli).unwrap_or_default()
    };
    let sum = |name: &str| {
        let all: i128 = pod::containers(pod).iter().map(|one| of(one, name)).sum();
        let first = list(pod, "/spec/initContainers").iter().map(|one| of(one, name)).max();
        all.max(first.unwrap_or_default())
    };
    (sum("cpu"), sum("memory") / 1000)
}

/// Ports of the node itself that a pod takes.
pub(super) fn ports(pod: &Json) -> Vec<(i64, String)> {
    let on_host = pod::on_host_network(pod);
    let all = pod::containers(pod).iter().flat_map(|container| list(container, "/ports"));
    let taken = all.filter_map(|port| {
        let own = number(port, "/containerPort").filter(|_| on_host);
        let number = number(port, "/hostPort").filter(|port| *port > 0).or(own)?;
        let protocol = text(port, "/protocol");
        Some((number, if protocol.is_empty() { "TCP" } else { protocol }.to_owned()))
    });
    taken.collect()
}

/// Volumes of storage drivers that a pod mounts.
pub(super) fn volumes(work: &Work<'_>, pod: &Json) -> Vec<(String, String)> {
    let namespace = text(pod, "/metadata/namespace");
    let volumes = pod::claims(pod).filter_map(|claim| {
        let claim = work.get(&Key::new("", "persistentvolumeclaims", namespace, claim))?;
        let name = text(&claim, "/spec/volumeName");
        let volume = work.get(&Key::new("", "persistentvolumes", "", name))?;
        let driver = text(&volume, "/spec/csi/driver").to_owned();
        (!driver.is_empty()).then(|| (driver, name.to_owned()))
    });
    volumes.collect()
}
