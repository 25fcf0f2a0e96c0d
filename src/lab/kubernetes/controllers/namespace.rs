//! What every namespace gets.

use serde_json::json;

use super::json::{insert, is_going};
use super::work::Work;
use crate::lab::kubernetes::Key;

/// Gives each namespace its phase, its service account and the cluster's CA.
pub(super) fn serve(work: &mut Work<'_>) {
    for (key, space) in work.due_namespaces() {
        if is_going(&space) {
            continue;
        }
        let named = "kubernetes.io/metadata.name";
        let whole = space["status"]["phase"] == "Active" && !space["spec"]["finalizers"].is_null();
        if !whole || space["metadata"]["labels"][named].is_null() {
            let mut active = (*space).clone();
            insert(&mut active, "labels", named, &key.name);
            active["spec"]["finalizers"] = json!(["kubernetes"]);
            active["status"] = json!({"phase": "Active"});
            work.put(&key, active);
        }
        let account = Key::new("", "serviceaccounts", &key.name, "default");
        work.ensure(
            &account,
            || json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}}),
        );
        let ca = work.cluster().ca.clone();
        let root = Key::new("", "configmaps", &key.name, "kube-root-ca.crt");
        work.ensure(&root, || {
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {"ca.crt": ca},
            })
        });
    }
}
