//! Whether a service account may do something.

use serde_json::Value as Json;

use super::json::{Stored, list, text};
use super::work::Work;
use crate::lab::kubernetes::Key;

/// A request, as roles name it.
pub(super) struct Ask<'a> {
    pub verb: &'a str,
    pub group: &'a str,
    pub resource: &'a str,
    /// Empty for all namespaces.
    pub namespace: &'a str,
}

/// Whether an account's bindings let it do something.
pub(super) fn may(work: &Work<'_>, namespace: &str, account: &str, ask: &Ask<'_>) -> bool {
    let group = "rbac.authorization.k8s.io";
    let mut bindings = work.list(group, "clusterrolebindings");
    if !ask.namespace.is_empty() {
        let all = work.list(group, "rolebindings");
        bindings.extend(all.into_iter().filter(|(key, _)| key.namespace == ask.namespace));
    }
    let binds = |(key, binding): &&Stored| {
        list(binding, "/subjects")
            .iter()
            .any(|subject| is(subject, namespace, account, &key.namespace))
    };
    bindings.iter().filter(binds).any(|(key, binding)| {
        let name = text(binding, "/roleRef/name");
        let role = match text(binding, "/roleRef/kind") {
            "Role" => Key::new(group, "roles", &key.namespace, name),
            _ => Key::new(group, "clusterroles", "", name),
        };
        work.get(&role).is_some_and(|role| list(&role, "/rules").iter().any(|it| allows(it, ask)))
    })
}

/// The API server's words for what an account may not do.
pub(super) fn forbidden(namespace: &str, account: &str, ask: &Ask<'_>) -> String {
    let Ask { verb, group, resource, .. } = ask;
    let place = match ask.namespace {
        "" => "at the cluster scope".to_owned(),
        space => format!("in the namespace \"{space}\""),
    };
    format!(
        "{resource} is forbidden: User \"system:serviceaccount:{namespace}:{account}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}"
    )
}

/// Whether a subject of a binding in some namespace is an account.
fn is(subject: &Json, namespace: &str, account: &str, binding: &str) -> bool {
    let name = text(subject, "/name");
    match text(subject, "/kind") {
        "ServiceAccount" => {
            let own = text(subject, "/namespace");
            name == account && (if own.is_empty() { binding } else { own }) == namespace
        }
        "User" => name == format!("system:serviceaccount:{namespace}:{account}"),
        "Group" => {
            name == "system:serviceaccounts"
                || name == format!("system:serviceaccounts:{namespace}")
        }
        _ => false,
    }
}

fn allows(rule: &Json, ask: &Ask<'_>) -> bool {
    let has = |path: &str, wanted: &str| {
        list(rule, path).iter().any(|known| known == wanted || known == "*")
    };
    has("/verbs", ask.verb) && has("/apiGroups", ask.group) && has("/resources", ask.resource)
}
