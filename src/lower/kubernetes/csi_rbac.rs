//! What the driver may do: its controller in the whole cluster, its node plugin on its machine.
//! Source: `manifests/vanilla/vsphere-csi-driver.yaml` of the releases.

use serde_json::Value as Json;

use super::csi::{CONTROLLER, NAMESPACE, NODE};
use super::csi_release::CsiRelease;
use super::rbac::{Rule, account, cluster_role, cluster_role_binding, role, role_binding};

/// What gives the controller's account its role.
pub const CONTROLLER_BINDING: &str = "vsphere-csi-controller-binding";

/// What gives the node plugin's account its role in the whole cluster.
pub const NODE_CLUSTER_BINDING: &str = "vsphere-csi-node-cluster-role-binding";

/// What gives the node plugin's account its role in its namespace.
pub const NODE_BINDING: &str = "vsphere-csi-node-binding";

const CONTROLLER_ROLE: &str = "vsphere-csi-controller-role";
const NODE_CLUSTER_ROLE: &str = "vsphere-csi-node-cluster-role";
const NODE_ROLE: &str = "vsphere-csi-node-role";

const READ: &str = "get list watch";
const CNS: &str = "cns.vmware.com";
const SNAPSHOTS: &str = "snapshot.storage.k8s.io";

/// The driver makes its own definitions, so it may create them.
const CONTROLLER_RULES: &[Rule] = &[
    ("", "nodes pods configmaps", READ),
    ("", "persistentvolumeclaims", "get list watch update"),
    ("", "persistentvolumeclaims/status", "patch"),
    ("", "persistentvolumes", "get list watch create update delete patch"),
    ("", "events", "get list watch create update patch"),
    ("coordination.k8s.io", "leases", "get list watch create update delete"),
    ("storage.k8s.io", "storageclasses csinodes", READ),
    ("storage.k8s.io", "volumeattachments", "get list watch patch"),
    ("storage.k8s.io", "volumeattachments/status", "patch"),
    (CNS, "triggercsifullsyncs", "get list watch create update"),
    (CNS, "cnsvspherevolumemigrations", "get list watch create update delete"),
    (CNS, "cnsvolumeoperationrequests", "get list create update delete"),
    (CNS, "csinodetopologies", "get list watch update"),
    ("apiextensions.k8s.io", "customresourcedefinitions", "get create update"),
    (SNAPSHOTS, "volumesnapshots", "get list"),
    (SNAPSHOTS, "volumesnapshotclasses", READ),
    (SNAPSHOTS, "volumesnapshotcontents", "get list watch create update delete patch"),
    (SNAPSHOTS, "volumesnapshotcontents/status", "update patch"),
];

/// For releases that make a cluster id and keep records of volumes.
const RECORD_RULES: &[Rule] =
    &[("", "configmaps", "create"), (CNS, "cnsvolumeinfoes", "get list watch create delete")];

const NODE_CLUSTER_RULES: &[Rule] =
    &[(CNS, "csinodetopologies", "create watch get patch"), ("", "nodes", "get")];

const NODE_RULES: &[Rule] = &[("", "configmaps", READ)];

/// Both accounts with their roles.
pub fn rbac(release: &CsiRelease) -> Vec<Json> {
    let mut rules = CONTROLLER_RULES.to_vec();
    if release.keeps_records {
        rules.extend(RECORD_RULES);
    }
    vec![
        account(NAMESPACE, CONTROLLER),
        cluster_role(CONTROLLER_ROLE, &rules),
        cluster_role_binding(CONTROLLER_BINDING, CONTROLLER_ROLE, NAMESPACE, CONTROLLER),
        account(NAMESPACE, NODE),
        cluster_role(NODE_CLUSTER_ROLE, NODE_CLUSTER_RULES),
        cluster_role_binding(NODE_CLUSTER_BINDING, NODE_CLUSTER_ROLE, NAMESPACE, NODE),
        role(NAMESPACE, NODE_ROLE, NODE_RULES),
        role_binding(NODE_BINDING, NODE_ROLE, NAMESPACE, NODE),
    ]
}
