//! Accounts of pods and what they may do.

use serde_json::{Value as Json, json};

const API: &str = "rbac.authorization.k8s.io";
const VERSION: &str = "rbac.authorization.k8s.io/v1";

/// What is allowed: an API group (empty for the core), resources, verbs; words are apart by spaces.
pub type Rule = (&'static str, &'static str, &'static str);

/// A ServiceAccount.
pub fn account(namespace: &str, name: &str) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": name, "namespace": namespace },
    })
}

/// A ClusterRole.
pub fn cluster_role(name: &str, rules: &[Rule]) -> Json {
    json!({
        "apiVersion": VERSION,
        "kind": "ClusterRole",
        "metadata": { "name": name },
        "rules": written(rules),
    })
}

/// A Role in a namespace.
pub fn role(namespace: &str, name: &str, rules: &[Rule]) -> Json {
    json!({
        "apiVersion": VERSION,
        "kind": "Role",
        "metadata": { "name": name, "namespace": namespace },
        "rules": written(rules),
    })
}

/// Gives an account a ClusterRole.
pub fn cluster_role_binding(name: &str, role: &str, namespace: &str, account: &str) -> Json {
    json!({
        "apiVersion": VERSION,
        "kind": "ClusterRoleBinding",
        "metadata": { "name": name },
        "subjects": [subject(namespace, account)],
        "roleRef": { "kind": "ClusterRole", "name": role, "apiGroup": API },
    })
}

/// Gives an account a Role of its own namespace.
pub fn role_binding(name: &str, role: &str, namespace: &str, account: &str) -> Json {
    json!({
        "apiVersion": VERSION,
        "kind": "RoleBinding",
        "metadata": { "name": name, "namespace": namespace },
        "subjects": [subject(namespace, account)],
        "roleRef": { "kind": "Role", "name": role, "apiGroup": API },
    })
}

fn subject(namespace: &str, account: &str) -> Json {
    json!({ "kind": "ServiceAccount", "name": account, "namespace": namespace })
}

fn written(rules: &[Rule]) -> Vec<Json> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let rule = |&(group, resources, verbs): &Rule| json!({ "apiGroups": [group], "resources": words(resources), "verbs": words(verbs) });
    rules.iter().map(rule).collect()
}
