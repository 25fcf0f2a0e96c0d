//! The snapshot controller: it binds what a user asks for to what a driver made. One serves all
//! drivers of a cluster.

use serde_json::{Value as Json, json};

use super::rbac::{Rule, account, cluster_role, cluster_role_binding, role, role_binding};
use super::{images, servers, snapshot, snapshot_definition, upstream};
use crate::resource::Address;
use crate::spec::Spec;

const NAME: &str = "snapshot-controller";
const NAMESPACE: &str = "kube-system";
const ROLE: &str = "snapshot-controller-runner";
const ROLE_BINDING: &str = "snapshot-controller-role";
const LEASE_ROLE: &str = "snapshot-controller-leaderelection";
const GROUP: &str = "snapshot.storage.k8s.io";

/// Source: `deploy/kubernetes/snapshot-controller/rbac-snapshot-controller.yaml` of
/// external-snapshotter, without its rules for groups of snapshots, which are not installed.
const RULES: &[Rule] = &[
    ("", "persistentvolumes", "get list watch"),
    ("", "persistentvolumeclaims", "get list watch update"),
    ("", "events", "list watch create update patch"),
    (GROUP, "volumesnapshotclasses", "get list watch"),
    (GROUP, "volumesnapshotcontents", "get list watch create update delete patch"),
    (GROUP, "volumesnapshotcontents/status", "patch"),
    (GROUP, "volumesnapshots", "get list watch create update delete patch"),
    (GROUP, "volumesnapshots/status", "update patch"),
];

const LEASE_RULES: &[Rule] =
    &[("coordination.k8s.io", "leases", "get list watch create update delete")];

/// It ends after 30 seconds without its definitions, and is no sooner taken for available.
const READY_AFTER_S: u32 = 35;

/// The address of the Deployment.
pub fn address() -> Address {
    snapshot::address("Deployment", NAME)
}

/// What the Deployment comes after.
pub fn after() -> Vec<Address> {
    let mut after: Vec<Address> = snapshot_definition::addresses().collect();
    after.extend([
        snapshot::address("ServiceAccount", NAME),
        snapshot::address("ClusterRoleBinding", ROLE_BINDING),
        snapshot::address("RoleBinding", LEASE_ROLE),
    ]);
    after
}

/// Its account with its roles.
pub fn rbac() -> Vec<Json> {
    vec![
        account(NAMESPACE, NAME),
        cluster_role(ROLE, RULES),
        cluster_role_binding(ROLE_BINDING, ROLE, NAMESPACE, NAME),
        role(NAMESPACE, LEASE_ROLE, LEASE_RULES),
        role_binding(LEASE_ROLE, LEASE_ROLE, NAMESPACE, NAME),
    ]
}

/// The Deployment: two replicas, of which one works, where there are two servers.
pub fn deployment(spec: &Spec) -> Json {
    let labels = json!({ "app.kubernetes.io/name": NAME });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": NAME, "namespace": NAMESPACE },
        "spec": {
            "replicas": spec.servers.len().clamp(1, 2),
            "selector": { "matchLabels": labels },
            "minReadySeconds": READY_AFTER_S,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 },
            },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "serviceAccountName": NAME,
                    "affinity": { "nodeAffinity": upstream::on_servers() },
                    "tolerations": servers::tolerations(spec),
                    "containers": [container(spec)],
                },
            },
        },
    })
}

/// The image's tag is the spec's: upstream's own file names an older one than its release.
fn container(spec: &Spec) -> Json {
    let name = format!("{}/{NAME}", *spec.csi.sidecar_registry);
    json!({
        "name": NAME,
        "image": images::name(spec, &name, &spec.snapshots.version),
        "args": [
            "--v=5",
            "--leader-election=true",
            "--kube-api-qps=100",
            "--kube-api-burst=100",
        ],
        "imagePullPolicy": "IfNotPresent",
    })
}
