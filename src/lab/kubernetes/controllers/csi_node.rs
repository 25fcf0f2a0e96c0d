//! vSphere's storage driver on the nodes: it registers with the kubelet.

use serde_json::{Value as Json, json};

use super::crash::{self, Crash, Program};
use super::csi::{self, DRIVER};
use super::json::{list, text};
use super::pod;
use super::work::Work;
use crate::lab::k3s::Node;
use crate::lab::kubernetes::Key;

/// Volumes that a node can carry: four controllers of fifteen, less the root disk.
const VOLUMES_MAX: i64 = 59;
const TOPOLOGIES: &str = "csinodetopologies.cns.vmware.com";

/// Whether the driver's pod on a node stays up.
///
/// # Errors
/// The line that it ends with.
pub(super) fn judge(work: &Work<'_>, _pod: &Json, node: &Node) -> Result<(), Crash> {
    let definition = Key::new("apiextensions.k8s.io", "customresourcedefinitions", "", TOPOLOGIES);
    let fail =
        |why: String| Err(Crash::new(format!("failed to register node {}: {why}", node.name)));
    if !work.has(&definition) {
        return fail(
            "no matches for kind \"CSINodeTopology\" in version \"cns.vmware.com/v1alpha1\""
                .to_owned(),
        );
    }
    if node.provider_id.is_empty() {
        return fail(format!("node {} has no ProviderID", node.name));
    }
    let known = match csi::driver(work) {
        None => return fail(waited(&node.name)),
        Some(Err(why)) => return fail(why),
        Some(Ok(driver)) => driver,
    };
    let uuid = node.system_uuid.to_lowercase();
    let is = |machine: &crate::lab::vsphere::CloudMachine| machine.uuid.to_lowercase() == uuid;
    match work.world.find_machine(&known.principal, &is) {
        Some(_) => Ok(()),
        None => {
            fail(format!("{}: couldn't find VM instance with nodeUUID {uuid}", waited(&node.name)))
        }
    }
}

fn waited(node: &str) -> String {
    format!(
        "timed out while waiting for topology labels to be updated in \"{node}\" CSINodeTopology instance"
    )
}

/// Registers the driver where its pod runs, and takes it back where there is none.
pub(super) fn run(work: &mut Work<'_>) {
    let nodes: Vec<Node> = work.cluster().nodes.values().cloned().collect();
    let pods = work.pods();
    for node in nodes {
        let reference = json!([{
            "apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.uid,
        }]);
        let key = Key::new("storage.k8s.io", "csinodes", "", &node.name);
        work.ensure(&key, || {
            json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "CSINode",
                "metadata": {"ownerReferences": reference}, "spec": {"drivers": []},
            })
        });
        let mine = |pod: &Json| pod::node(pod) == node.name && crash::is(pod, Program::CsiNode);
        let here = pods.iter().find(|(_, pod)| mine(pod));
        match here {
            Some((_, pod)) if pod::is_ready(pod) => register(work, &key, &node, &reference),
            // A pod that only restarts leaves its registration.
            Some(_) => {}
            None => write(work, &key, None),
        }
    }
}

fn register(work: &mut Work<'_>, key: &Key, node: &Node, reference: &Json) {
    let id = node.system_uuid.to_lowercase();
    let own = json!({
        "name": DRIVER, "nodeID": id, "topologyKeys": null, "allocatable": {"count": VOLUMES_MAX},
    });
    write(work, key, Some(own));
    let topology = Key::new("cns.vmware.com", "csinodetopologies", "", &node.name);
    work.ensure(&topology, || {
        json!({
            "apiVersion": "cns.vmware.com/v1alpha1", "kind": "CSINodeTopology",
            "metadata": {"ownerReferences": reference},
            "spec": {"nodeID": node.name, "nodeuuid": id}, "status": {"status": "Success"},
        })
    });
}

/// Puts the driver's own entry in place, or takes it out.
fn write(work: &mut Work<'_>, key: &Key, own: Option<Json>) {
    let Some(known) = work.get(key) else { return };
    let others = list(&known, "/spec/drivers").iter().filter(|one| text(one, "/name") != DRIVER);
    let drivers: Vec<Json> = others.cloned().chain(own).collect();
    let mut changed = (*known).clone();
    changed["spec"]["drivers"] = json!(drivers);
    work.put(key, changed);
}
