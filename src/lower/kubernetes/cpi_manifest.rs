//! CPI as boma renders it: the objects that upstream ships for the same minor, with the spec's
//! values in them (kubernetes/cloud-provider-vsphere, `releases/`).

use serde_json::{Value as Json, json};

use super::cpi_conf::{self, CA, CA_FOLDER, CONFIG, NAMESPACE, SECRET};
use super::{images, servers, upstream};
use crate::spec::Spec;

/// The DaemonSet, and the name of its pods' label.
pub const DAEMON_SET: &str = "vsphere-cloud-controller-manager";
const ACCOUNT: &str = "cloud-controller-manager";
const CLUSTER_ROLE: &str = "system:cloud-controller-manager";
const COMPONENT: &str = "cloud-controller-manager";

/// The ConfigMap.
pub fn config(spec: &Spec) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(CONFIG, "config"),
        "data": cpi_conf::conf(spec),
    })
}

/// The Secret with the account.
pub fn secret(spec: &Spec) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(SECRET, "secret"),
        "type": "Opaque",
        "data": cpi_conf::account(spec),
    })
}

/// The Secret with the vCenter's CA. `None` where the spec names no file.
pub fn ca(spec: &Spec) -> Option<Json> {
    Some(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(CA, "secret"),
        "type": "Opaque",
        "data": cpi_conf::ca(spec)?,
    }))
}

/// Account and rights; `slices`: endpoint slices are among them.
pub fn rights(slices: bool) -> [Json; 4] {
    let user = json!({ "apiGroup": RBAC, "kind": "User", "name": ACCOUNT });
    let account = json!({ "kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE });
    [
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(ACCOUNT, "service-account"),
        }),
        json!({
            "apiVersion": format!("{RBAC}/v1"),
            "kind": "ClusterRole",
            "metadata": labelled(CLUSTER_ROLE, "role"),
            "rules": rules(slices),
        }),
        json!({
            "apiVersion": format!("{RBAC}/v1"),
            "kind": "ClusterRoleBinding",
            "metadata": labelled(CLUSTER_ROLE, "cluster-role-binding"),
            "roleRef": { "apiGroup": RBAC, "kind": "ClusterRole", "name": CLUSTER_ROLE },
            "subjects": [account, user],
        }),
        json!({
            "apiVersion": format!("{RBAC}/v1"),
            "kind": "RoleBinding",
            "metadata": metadata(
                "servicecatalog.k8s.io:apiserver-authentication-reader",
                "role-binding",
            ),
            "roleRef": {
                "apiGroup": RBAC,
                "kind": "Role",
                "name": "extension-apiserver-authentication-reader",
            },
            "subjects": [account, user],
        }),
    ]
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn metadata(name: &str, what: &str) -> Json {
    let mut metadata = labelled(name, what);
    metadata["namespace"] = NAMESPACE.into();
    metadata
}

fn labelled(name: &str, what: &str) -> Json {
    json!({ "name": name, "labels": { "vsphere-cpi-infra": what, "component": COMPONENT } })
}

fn rules(slices: bool) -> Vec<Json> {
    let mut rules = vec![
        rule("", "events", &["create", "patch", "update"]),
        rule("", "nodes", &["*"]),
        rule("", "nodes/status", &["patch"]),
        rule("", "services", &["list", "patch", "update", "watch"]),
        rule("", "services/status", &["patch"]),
        rule("", "serviceaccounts", &["create", "get", "list", "watch", "update"]),
        rule("", "persistentvolumes", &["get", "list", "update", "watch"]),
        rule("", "endpoints", &["create", "get", "list", "watch", "update"]),
        rule("", "secrets", &["get", "list", "watch"]),
        rule("coordination.k8s.io", "leases", &["create", "get", "list", "watch", "update"]),
    ];
    if slices {
        rules.insert(8, rule("discovery.k8s.io", "endpointslices", &["get", "list", "watch"]));
    }
    rules
}

fn rule(group: &str, resource: &str, verbs: &[&str]) -> Json {
    json!({ "apiGroups": [group], "resources": [resource], "verbs": verbs })
}

/// The manager itself: on every server, before anything else can be scheduled there.
pub fn daemon_set(spec: &Spec) -> Json {
    let labels = json!({ "component": COMPONENT, "tier": "control-plane" });
    let mut pod_labels = labels.clone();
    pod_labels["name"] = DAEMON_SET.into();
    let mut daemon_set = json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": { "name": DAEMON_SET, "namespace": NAMESPACE, "labels": labels },
        "spec": {
            "selector": { "matchLabels": { "name": DAEMON_SET } },
            "updateStrategy": { "type": "RollingUpdate" },
            "template": { "metadata": { "labels": pod_labels }, "spec": pod(spec) },
        },
    });
    adjust(spec, &mut daemon_set["spec"]["template"]["spec"]);
    daemon_set
}

/// What the spec adds to the manager's pod, be it boma's or upstream's: the vCenter's CA, and an
/// environment that keeps nodes from being deleted (`pkg/cloudprovider/vsphere/instances.go`).
pub fn adjust(spec: &Spec, pod: &mut Json) {
    let mut mounts = Vec::new();
    if cpi_conf::ca(spec).is_some() {
        mounts.push(json!({ "mountPath": CA_FOLDER, "name": "vcenter-ca", "readOnly": true }));
        let volume = json!({ "name": "vcenter-ca", "secret": { "secretName": CA } });
        append(pod, "volumes", vec![volume]);
    }
    let mut environment = Vec::new();
    if spec.cloud_provider.skip_node_deletion.value {
        environment.push(json!({ "name": "SKIP_NODE_DELETION", "value": "true" }));
    }
    let containers = pod.get_mut("containers").and_then(Json::as_array_mut);
    for container in containers.into_iter().flatten() {
        append(container, "volumeMounts", mounts.clone());
        append(container, "env", environment.clone());
    }
}

fn append(parent: &mut Json, key: &str, items: Vec<Json>) {
    let Some(parent) = parent.as_object_mut().filter(|_| !items.is_empty()) else { return };
    let list = parent.entry(key).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.extend(items);
    }
}

fn pod(spec: &Spec) -> Json {
    let cpi = &spec.cloud_provider;
    json!({
        "serviceAccountName": ACCOUNT,
        "priorityClassName": "system-node-critical",
        "hostNetwork": true,
        "securityContext": { "runAsUser": 1001 },
        "tolerations": tolerations(spec),
        "affinity": { "nodeAffinity": upstream::on_servers() },
        "containers": [{
            "name": DAEMON_SET,
            "image": images::name(spec, &cpi.image, &cpi.version),
            "args": [
                "--cloud-provider=vsphere",
                "--v=2",
                "--cloud-config=/etc/cloud/vsphere.conf",
            ],
            "resources": { "requests": { "cpu": "200m" } },
            "volumeMounts": [{
                "mountPath": "/etc/cloud",
                "name": "vsphere-config-volume",
                "readOnly": true,
            }],
        }],
        "volumes": [{ "name": "vsphere-config-volume", "configMap": { "name": CONFIG } }],
    })
}

/// Every node has `uninitialized` until CPI has seen it, and CPI is the first pod there is. What
/// the spec taints its servers with comes after upstream's own.
fn tolerations(spec: &Spec) -> Vec<Json> {
    let exists = |key: &str| json!({ "key": key, "operator": "Exists", "effect": "NoSchedule" });
    let mut tolerations = vec![
        json!({
            "key": "node.cloudprovider.kubernetes.io/uninitialized",
            "value": "true",
            "effect": "NoSchedule",
        }),
        exists("node-role.kubernetes.io/master"),
        exists("node-role.kubernetes.io/control-plane"),
        exists("node.kubernetes.io/not-ready"),
    ];
    let more = servers::tolerations(spec).into_iter();
    let more: Vec<Json> = more.filter(|one| !tolerations.contains(one)).collect();
    tolerations.extend(more);
    tolerations
}
