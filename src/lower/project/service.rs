//! The project's services.

use serde_json::{Value as Json, json};

use super::form::{Form, LABEL};
use super::member::Member;
use super::nouveau;
use crate::resource::{Address, Resource};

/// Ports of a node beside CouchDB's own: where nodes find each other, and what they talk over.
const CLUSTER_PORTS: [(&str, u16); 2] = [("epmd", 4369), ("erlang", 9100)];

/// Whether a Service has the label that its pods have: three of the charts' have none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Labelled {
    Yes,
    No,
}

/// The services' addresses.
pub fn addresses(form: &Form<'_>) -> Vec<Address> {
    services(form).into_iter().map(|service| service.address).collect()
}

/// Lowers the services.
pub fn services(form: &Form<'_>) -> Vec<Resource> {
    let mut manifests = vec![
        service(form, "api", "api", Labelled::Yes, &[port(None, 5988)]),
        service(form, "haproxy", "haproxy", Labelled::Yes, &[port(Some("5984"), 5984)]),
        service(form, "healthcheck", "healthcheck", Labelled::No, &[port(None, 5555)]),
    ];
    for member in form.members() {
        manifests.push(couchdb(form, &member));
        manifests.extend(form.has_nouveau(&member).then(|| search(form, &member)));
    }
    if form.project.has_upgrade_service() {
        let ports = [port(Some("upgrade-service"), 5008)];
        manifests.push(service(form, "upgrade-service", "upgrade-service", Labelled::No, &ports));
    }
    manifests.into_iter().map(|manifest| form.resource(manifest, &[])).collect()
}

/// A node's Service leads to its one pod even while that is not ready: nodes must reach each other
/// to become ready, and a node too busy to answer a probe is still the only one with its shards.
fn couchdb(form: &Form<'_>, member: &Member) -> Json {
    let mut ports = vec![port(Some(&member.port()), 5984)];
    ports.extend(CLUSTER_PORTS.map(|(name, number)| port(Some(name), number)));
    let name = member.service();
    let mut service = service(form, &name, &name, Labelled::Yes, &ports);
    if form.has_probes() {
        service["spec"]["publishNotReadyAddresses"] = json!(true);
    }
    service
}

fn search(form: &Form<'_>, member: &Member) -> Json {
    let name = match form.project.has_nouveau_each() {
        true => member.nouveau(),
        false => nouveau::SERVICE.to_owned(),
    };
    let ports = [port(Some("nouveau-service"), nouveau::PORT)];
    let mut service = service(form, &name, &member.service(), Labelled::No, &ports);
    service["metadata"]["labels"] = json!({ LABEL: name });
    if form.has_probes() {
        service["spec"]["publishNotReadyAddresses"] = json!(true);
    }
    service
}

fn service(form: &Form<'_>, name: &str, of: &str, labelled: Labelled, ports: &[Json]) -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": form.metadata(name, (labelled == Labelled::Yes).then_some(of)),
        "spec": { "ports": ports, "selector": { LABEL: of } },
    })
}

/// TCP, which the API fills in.
fn port(name: Option<&str>, number: u16) -> Json {
    let mut port = json!({ "port": number, "targetPort": number, "protocol": "TCP" });
    if let Some(name) = name {
        port["name"] = json!(name);
    }
    port
}
