//! The way in: the project's host name leads to its api.

use serde_json::{Value as Json, json};

use super::api;
use super::form::Form;
use crate::resource::{Address, Resource};
use crate::spec::Tls;

const NAME: &str = "api-ingress";

/// The class of k3s' own entry.
const CLASS: &str = "traefik";

/// Where cert-manager puts what it gets.
const CERTIFICATE: &str = "api-tls-secret";

/// What tells cert-manager whom to ask.
const ISSUER: &str = "cert-manager.io/cluster-issuer";

/// Lowers the Ingress. The charts name no class, so an adopted project has none either.
pub fn ingress(form: &Form<'_>, after: &[Address]) -> Resource {
    let host = form.project.host.as_str();
    let service = json!({ "name": api::SERVICE, "port": { "number": api::PORT } });
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": { "service": service } });
    let mut spec = json!({ "rules": [{ "host": host, "http": { "paths": [path] } }] });
    if !form.is_adopted() {
        spec["ingressClassName"] = json!(CLASS);
    }
    let mut metadata = form.metadata(NAME, None);
    match form.project.tls.as_ref().map(|tls| &tls.value) {
        Some(Tls::Secret(secret)) => spec["tls"] = tls(host, secret),
        Some(Tls::Issuer(issuer)) => {
            metadata["annotations"] = json!({ ISSUER: issuer });
            spec["tls"] = tls(host, CERTIFICATE);
        }
        None => {}
    }
    let manifest = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": spec,
    });
    form.resource(manifest, after)
}

fn tls(host: &str, secret: &str) -> Json {
    json!([{ "hosts": [host], "secretName": secret }])
}
