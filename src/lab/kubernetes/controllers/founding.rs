//! What every cluster has from its first moment on.

use serde_json::{Value as Json, json};

use super::custom;
use super::work::Work;
use crate::lab::k3s::ids;
use crate::lab::kubernetes::Key;

const RBAC: &str = "rbac.authorization.k8s.io";

/// Founds a new cluster.
pub(super) fn found(work: &mut Work<'_>) {
    let system = Key::new("", "namespaces", "", "kube-system");
    if work.has(&system) {
        return;
    }
    let uid = ids::uuid(work.cluster().seed, &[&work.cluster().id, "kube-system"]);
    for name in ["kube-system", "default", "kube-public", "kube-node-lease"] {
        let key = Key::new("", "namespaces", "", name);
        let mut space = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
        });
        if name == "kube-system" {
            space["metadata"]["uid"] = json!(uid);
        }
        work.create(&key, space);
    }
    api(work);
    priorities(work);
    roles(work);
    definitions(work);
}

fn api(work: &mut Work<'_>) {
    let key = Key::new("", "services", "default", "kubernetes");
    work.create(
        &key,
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {"type": "ClusterIP", "sessionAffinity": "None", "ports": [
                {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443},
            ]},
        }),
    );
    let ca = work.cluster().ca.clone();
    let key = Key::new("", "configmaps", "kube-system", "extension-apiserver-authentication");
    work.create(
        &key,
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {},
            "data": {"client-ca-file": ca, "requestheader-username-headers": "[\"X-Remote-User\"]"},
        }),
    );
}

fn priorities(work: &mut Work<'_>) {
    for (name, value) in
        [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)]
    {
        let key = Key::new("scheduling.k8s.io", "priorityclasses", "", name);
        work.create(
            &key,
            json!({
                "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {},
                "value": value, "preemptionPolicy": "PreemptLowerPriority",
            }),
        );
    }
}

fn roles(work: &mut Work<'_>) {
    let rule = |groups: &[&str], resources: &[&str], verbs: &[&str]| json!({"apiGroups": groups, "resources": resources, "verbs": verbs});
    let read = ["get", "list", "watch"];
    let all = rule(&["*"], &["*"], &["*"]);
    let usual = ["pods", "services", "configmaps", "secrets", "persistentvolumeclaims"];
    let roles: [(&str, Json); 5] = [
        ("cluster-admin", json!([all, {"nonResourceURLs": ["*"], "verbs": ["*"]}])),
        ("admin", json!([rule(&["", "apps", "batch"], &["*"], &["*"])])),
        ("edit", json!([rule(&["", "apps", "batch"], &usual, &["*"])])),
        ("view", json!([rule(&["", "apps", "batch"], &usual, &read)])),
        (
            "system:auth-delegator",
            json!([rule(&["authentication.k8s.io"], &["tokenreviews"], &["create"])]),
        ),
    ];
    for (name, rules) in roles {
        put_role(work, Key::new(RBAC, "clusterroles", "", name), "ClusterRole", rules);
    }
    let reader =
        Key::new(RBAC, "roles", "kube-system", "extension-apiserver-authentication-reader");
    let mut only = rule(&[""], &["configmaps"], &read);
    only["resourceNames"] = json!(["extension-apiserver-authentication"]);
    put_role(work, reader, "Role", json!([only]));
    let masters =
        json!({"kind": "Group", "name": "system:masters", "apiGroup": "rbac.authorization.k8s.io"});
    bind(work, "cluster-admin", "cluster-admin", masters);
}

fn put_role(work: &mut Work<'_>, key: Key, kind: &str, rules: Json) {
    work.create(
        &key,
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
            "rules": rules,
        }),
    );
}

/// Binds a cluster role to a subject.
pub(super) fn bind(work: &mut Work<'_>, name: &str, role: &str, subject: Json) {
    let key = Key::new(RBAC, "clusterrolebindings", "", name);
    work.ensure(&key, || {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [subject],
        })
    });
}

/// k3s's own resource definitions.
fn definitions(work: &mut Work<'_>) {
    for (group, kind, plural) in [
        ("helm.cattle.io", "HelmChart", "helmcharts"),
        ("helm.cattle.io", "HelmChartConfig", "helmchartconfigs"),
        ("k3s.cattle.io", "Addon", "addons"),
        ("k3s.cattle.io", "ETCDSnapshotFile", "etcdsnapshotfiles"),
    ] {
        let key = Key::new(
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            "",
            &format!("{plural}.{group}"),
        );
        let scope = if kind == "ETCDSnapshotFile" { "Cluster" } else { "Namespaced" };
        work.create(&key, custom::definition(group, "v1", kind, plural, scope));
    }
}
