//! What the upgrade-service may do in its project.

use serde_json::json;

use super::form::Form;
use crate::lower::kubernetes::rbac;
use crate::resource::{Address, Resource};

/// The account's name.
pub const ACCOUNT: &str = "cht-upgrade-service-user";

const ROLE: &str = "deployment-manager";
const BINDING: &str = "deployment-manager-cht";
const VERBS: &str = "get update watch patch list";

/// The binding's address; it comes after the account and the role.
pub fn address(form: &Form<'_>) -> Address {
    form.address("RoleBinding", BINDING)
}

/// Lowers account, role and binding. Nothing where the project does not upgrade itself.
pub fn access(form: &Form<'_>) -> Vec<Resource> {
    if !form.project.has_upgrade_service() {
        return Vec::new();
    }
    let namespace = &form.project.namespace;
    let rules = [("apps", "deployments", VERBS), ("", "pods", VERBS)];
    let before = [form.address("ServiceAccount", ACCOUNT), form.address("Role", ROLE)];
    let mut binding = rbac::role_binding(BINDING, ROLE, namespace, ACCOUNT);
    // The charts name no namespace, which means the binding's own.
    binding["subjects"] = json!([{ "kind": "ServiceAccount", "name": ACCOUNT }]);
    vec![
        form.resource(rbac::account(namespace, ACCOUNT), &[]),
        form.resource(rbac::role(namespace, ROLE, &rules), &[]),
        form.resource(binding, &before),
    ]
}
