//! vSphere's cloud provider: it initialises nodes, and deletes those whose machine is gone.

use serde_json::Value as Json;

use super::cloud_config::{self, Config, Login};
use super::crash::{self, Crash, Program};
use super::json::text;
use super::work::{About, Work};
use super::{images, kubelet, pod};
use crate::lab::k3s::{Node, UNINITIALIZED, take_away};
use crate::lab::vsphere::CloudMachine;

/// From this minor on a node is found by its provider id alone, where it has one (InstancesV2).
const BY_PROVIDER_ID: (u64, u64) = (1, 35);
const PREFIX: &str = "vsphere://";
const BY: &str = "cloud-node-controller";

/// Whether a pod with that configuration stays up.
///
/// # Errors
/// The line that it ends with.
pub(super) fn judge(work: &Work<'_>, pod: &Json, container: &Json) -> Result<(), Crash> {
    cloud_config::read(work, pod, container).map(|_| ())
}

/// Does what the leader among the pods does. Nothing while none runs.
pub(super) fn run(work: &mut Work<'_>) {
    let leader = kubelet::first_running(work, |pod| crash::is(pod, Program::CloudProvider));
    let Some((_, pod)) = leader else { return };
    let Some((container, _)) = crash::known(&pod) else { return };
    // What it logged in with before holds as long as its session does.
    let Ok(config) = cloud_config::read(work, &pod, container) else { return };
    let version = images::version(text(container, "/image"));
    let by_id = version.is_none_or(|version| version >= BY_PROVIDER_ID);
    let keeps = !pod::env(container, "SKIP_NODE_DELETION").is_empty();
    let nodes: Vec<Node> = work.cluster().nodes.values().cloned().collect();
    for node in nodes {
        let waits = node.taints.iter().any(|taint| taint.key == UNINITIALIZED);
        if waits && node.running {
            initialise(work, &config, node, by_id);
        } else if !node.running {
            lost(work, &node, keeps);
        }
    }
}

fn initialise(work: &mut Work<'_>, config: &Config, mut node: Node, by_id: bool) {
    let found = match config.zones {
        true => Err("failed to get zone: no region or zone tag found for the machine".to_owned()),
        false => find(work, config, &node, by_id),
    };
    let object = node.to_json(work.cluster(), work.now_ms);
    let about = |warns| About { object: &object, api: "v1", kind: "Node", by: BY, warns };
    let machine = match found {
        Ok(machine) => machine,
        Err(why) => {
            let text = format!("failed to initialize node {}: {why}", node.name);
            return work.event(&about(true), "FailedInitialization", &text);
        }
    };
    node.taints.retain(|taint| taint.key != UNINITIALIZED);
    if node.provider_id.is_empty() {
        node.provider_id = format!("{PREFIX}{}", machine.uuid.to_lowercase());
    }
    let kind = format!(
        "vsphere-vm.cpu-{}.mem-{}gb.os-ubuntu",
        machine.cpus,
        (machine.memory_mib + 1023) / 1024
    );
    for label in ["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"] {
        node.labels.insert(label.to_owned(), kind.clone());
    }
    work.put_node(node);
    work.event(&about(false), "Synced", "Node synced successfully");
}

/// The machine of a node, as the provider of that version looks for it.
fn find(
    work: &Work<'_>,
    config: &Config,
    node: &Node,
    by_id: bool,
) -> Result<CloudMachine, String> {
    let id = node.provider_id.trim_start_matches(PREFIX).to_lowercase();
    let uuid = |uuid: &str| {
        let uuid = uuid.to_lowercase();
        seen(work, config, &move |machine| machine.uuid.to_lowercase() == uuid)
    };
    let name = || seen(work, config, &|machine| machine.guest_name == node.name);
    let found = match (by_id, id.is_empty()) {
        (true, false) => uuid(&id),
        (true, true) => name(),
        // Older ones find it by the name that VMware Tools report where the id leads nowhere.
        (false, false) => uuid(&id).or_else(name),
        (false, true) => uuid(&node.system_uuid),
    };
    let machine = found.ok_or_else(|| match id.as_str() {
        "" => format!("failed to get instance metadata: VM {} not found", node.name),
        id => {
            format!("failed to get instance metadata: VM with provider ID {PREFIX}{id} not found")
        }
    })?;
    if !machine.tools || machine.guest_name.is_empty() || machine.address.is_empty() {
        return Err(format!("VM {}: VM GuestNicInfo is empty", machine.name));
    }
    Ok(machine)
}

fn seen(
    work: &Work<'_>,
    config: &Config,
    is: &dyn Fn(&CloudMachine) -> bool,
) -> Option<CloudMachine> {
    let in_reach = |login: &Login, machine: &CloudMachine| {
        let all = login.datacenters.is_empty();
        let named = |one: &String| one.trim_matches('/') == machine.datacenter;
        all || login.datacenters.iter().any(named)
    };
    config.logins.iter().find_map(|login| {
        let machine = work.world.find_machine(&login.principal, is)?;
        in_reach(login, &machine).then_some(machine)
    })
}

/// A Node that is not Ready and whose machine nobody knows is deleted.
fn lost(work: &mut Work<'_>, node: &Node, keeps: bool) {
    let id = node.provider_id.trim_start_matches(PREFIX).to_lowercase();
    if id.is_empty() || work.world.has_bios_uuid(&id) {
        return;
    }
    let object = node.to_json(work.cluster(), work.now_ms);
    let about = About {
        object: &object,
        api: "v1",
        kind: "Node",
        by: "cloud-node-lifecycle-controller",
        warns: keeps,
    };
    if keeps {
        return work.event(
            &about,
            "SkippedDeletion",
            "VM not found, and SKIP_NODE_DELETION is set",
        );
    }
    let text =
        format!("Deleting node {} because it does not exist in the cloud provider", node.name);
    work.event(&about, "DeletingNode", &text);
    take_away(&mut work.draft, &node.name, work.now_ms);
}
