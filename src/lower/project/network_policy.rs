//! What may talk to a project's pods: its own, and the entry.
//!
//! Only what comes in is restricted: names are resolved, and releases fetched, as before. Probes
//! and `exec` come from the pod's own machine, which no policy keeps out.

use serde_json::{Value as Json, json};

use super::api;
use super::form::Form;
use crate::resource::{Address, Resource};
use crate::spec::{AllowOn, Protocol};

const NAME: &str = "cht-neighbours";

/// Where k3s runs Traefik.
const ENTRY: &str = "kube-system";

/// The policy's address. `None` where the project has none.
pub fn address(form: &Form<'_>) -> Option<Address> {
    form.has_network_policy().then(|| form.address("NetworkPolicy", NAME))
}

/// Lowers the policy.
pub fn network_policy(form: &Form<'_>) -> Option<Resource> {
    let entry = json!({ "matchLabels": { "kubernetes.io/metadata.name": ENTRY } });
    let neighbours = json!([{ "podSelector": {} }, { "namespaceSelector": entry }]);
    let mut ingress = vec![json!({ "from": neighbours })];
    ingress.extend(let_in(form));
    let manifest = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": form.metadata(NAME, None),
        "spec": { "podSelector": {}, "policyTypes": ["Ingress"], "ingress": ingress },
    });
    form.has_network_policy().then(|| form.resource(manifest, &[]))
}

/// Whom `[network] allow` lets in at api's port on the machines that pods run on.
fn let_in(form: &Form<'_>) -> Vec<Json> {
    let rules = form.spec.network.allow.iter().filter(|rule| {
        rule.port.value == api::PORT
            && rule.protocol.value == Protocol::Tcp
            && rule.on.value != AllowOn::Servers
    });
    let opened = |rule: &crate::spec::Allow| {
        json!({
            "from": [{ "ipBlock": { "cidr": rule.from.to_string() } }],
            "ports": [{ "port": api::PORT, "protocol": "TCP" }],
        })
    };
    rules.map(opened).collect()
}
