//! The ConfigMap that says where CouchDB's nodes are.

use serde_json::json;

use super::form::Form;
use crate::resource::{Address, Resource};

/// The ConfigMap's name.
pub const NAME: &str = "couchdb-servers-configmap";

/// The ConfigMap's address.
pub fn address(form: &Form<'_>) -> Address {
    form.address("ConfigMap", NAME)
}

/// Lowers the ConfigMap. A lone node has nobody to find.
pub fn config(form: &Form<'_>) -> Resource {
    let hosts: Vec<String> =
        form.members().iter().map(|member| form.host(&member.service())).collect();
    let mut data = json!({ "COUCHDB_SERVERS": hosts.join(",") });
    if let [first, others @ ..] = hosts.as_slice()
        && !others.is_empty()
    {
        data["COUCHDB_SYNC_ADMINS_NODE"] = json!(first);
        data["CLUSTER_PEER_IPS"] = json!(others.join(","));
    }
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": form.metadata(NAME, None),
        "data": data,
    });
    form.resource(manifest, &[])
}
