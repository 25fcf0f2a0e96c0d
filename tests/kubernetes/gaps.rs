//! What Kubernetes 1.20.2, the newest that Debian has sources of, does otherwise than the versions
//! that boma is for. The provider is never bent to fit one.

use boma::plan::Desired;
use boma::resource::Attributes;
use serde_json::{Value as Json, json};

/// One difference, by which a manifest is changed before it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Server-side apply wants the whole key of a port, also what has a default (until 1.20).
    PortsWithoutProtocol,
    /// Rules in a definition's schema are unknown (until 1.23).
    SchemaRules,
    /// Windows containers with the node's rights are unknown (until 1.22).
    HostProcess,
}

/// Changes a manifest into what this version takes. Says which gaps it met.
pub fn bridge(manifest: &mut Json) -> Vec<Gap> {
    let mut met = Vec::new();
    if manifest["kind"] == "Service" {
        let ports = manifest.pointer_mut("/spec/ports").and_then(Json::as_array_mut);
        for port in ports.into_iter().flatten() {
            if port["protocol"].is_null() {
                port["protocol"] = json!("TCP");
                met.push(Gap::PortsWithoutProtocol);
            }
        }
    }
    if manifest["kind"] == "CustomResourceDefinition" && without_rules(manifest) {
        met.push(Gap::SchemaRules);
    }
    let windows = manifest.pointer_mut("/spec/template/spec/securityContext/windowsOptions");
    if windows
        .is_some_and(|options| options.as_object_mut().unwrap().remove("hostProcess").is_some())
    {
        met.push(Gap::HostProcess);
    }
    met
}

/// The same for everything that boma itself renders.
pub fn bridge_all(desired: &mut Desired) {
    for resource in desired.resources.values_mut() {
        let kind = resource.place.tree()["kind"].clone();
        if kind == "CustomResourceDefinition" || kind == "Service" {
            let mut tree = resource.attributes.tree();
            tree["kind"] = kind;
            bridge(&mut tree);
            tree.as_object_mut().unwrap().remove("kind");
            resource.attributes = Attributes::new(&tree);
        }
    }
}

fn without_rules(tree: &mut Json) -> bool {
    let mut found = false;
    match tree {
        Json::Object(map) => {
            found |= map.remove("x-kubernetes-validations").is_some();
            map.values_mut().for_each(|value| found |= without_rules(value));
        }
        Json::Array(items) => items.iter_mut().for_each(|item| found |= without_rules(item)),
        _ => {}
    }
    found
}
