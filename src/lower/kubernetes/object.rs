//! From a manifest to a resource.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::lower::k3s;
use crate::resource::{
    Address, Attributes, Edge, EdgeKind, Endpoint, EndpointFacts, Kind, Place, Resource,
};
use crate::spec::Spec;

/// How many calls the API gets at once: an API server refuses none of so few.
const LIMIT: usize = 16;

/// Kinds whose plural is not their lower-case name with an `s`, or that have no namespace.
const IRREGULAR: &[(&str, &str, Scope)] = &[
    ("Namespace", "namespaces", Scope::Cluster),
    ("Node", "nodes", Scope::Cluster),
    ("PersistentVolume", "persistentvolumes", Scope::Cluster),
    ("ClusterRole", "clusterroles", Scope::Cluster),
    ("ClusterRoleBinding", "clusterrolebindings", Scope::Cluster),
    ("CustomResourceDefinition", "customresourcedefinitions", Scope::Cluster),
    ("PriorityClass", "priorityclasses", Scope::Cluster),
    ("StorageClass", "storageclasses", Scope::Cluster),
    ("CSIDriver", "csidrivers", Scope::Cluster),
    ("VolumeSnapshotClass", "volumesnapshotclasses", Scope::Cluster),
    ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", Scope::Cluster),
    ("Ingress", "ingresses", Scope::Namespace),
    ("NetworkPolicy", "networkpolicies", Scope::Namespace),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Cluster,
    Namespace,
}

/// The cluster as an endpoint: it is there as soon as one of its servers is.
pub fn cluster(spec: &Spec) -> (Endpoint, EndpointFacts) {
    let opened_by = spec.servers.iter().map(k3s::address).collect();
    (Endpoint::kubernetes(), EndpointFacts { limit: LIMIT, opened_by })
}

/// A resource of a whole manifest: apiVersion, kind, metadata and the rest. Secrets stand in it
/// encoded, a Secret's `data` is plain text. It comes after `after`; see [`place_in_cluster`].
pub fn object(address: Address, manifest: Json, after: &[Address], origin: &Place) -> Resource {
    let place = place(&manifest);
    let name = manifest["kind"].as_str().unwrap_or_default().to_owned();
    Resource {
        kind: kind(&name),
        address,
        endpoint: Endpoint::kubernetes(),
        attributes: Attributes::new(&attributes(manifest)),
        place: Attributes::new(&place),
        edges: after.iter().cloned().map(self::after).collect(),
        origin: origin.clone(),
        origins: BTreeMap::new(),
        adopt: false,
        protected: false,
    }
}

/// Ties every object of the cluster to what it is in: its namespace, where that is a resource too,
/// and the servers, where it needs nothing else.
pub fn place_in_cluster(spec: &Spec, resources: &mut BTreeMap<Address, Resource>) {
    let servers: Vec<Edge> =
        spec.servers.iter().map(|server| after(k3s::address(server))).collect();
    let in_cluster = |resource: &&Resource| resource.endpoint == Endpoint::kubernetes();
    let namespaces: BTreeMap<String, Address> = resources
        .values()
        .filter(in_cluster)
        .filter_map(|resource| {
            let place = resource.place.tree();
            let name = place["name"].as_str().filter(|_| place["kind"] == "Namespace")?;
            Some((name.to_owned(), resource.address.clone()))
        })
        .collect();
    for resource in resources.values_mut() {
        if resource.endpoint != Endpoint::kubernetes() {
            continue;
        }
        let place = resource.place.tree();
        let namespace = place["namespace"].as_str().and_then(|name| namespaces.get(name));
        let home = namespace.map(|to| Edge { kind: EdgeKind::LivesIn, to: to.clone() });
        resource.edges.extend(home);
        if resource.edges.is_empty() {
            resource.edges.extend(servers.iter().cloned());
        }
        resource.edges.sort();
    }
}

fn after(to: Address) -> Edge {
    Edge { kind: EdgeKind::After, to }
}

/// The kind that has a name in the API, or the one for any object.
fn kind(name: &str) -> Kind {
    let named = Kind::named(&format!("kubernetes/{name}"));
    named.unwrap_or(Kind::object())
}

fn place(manifest: &Json) -> Json {
    let kind = manifest["kind"].as_str().unwrap_or_default();
    let irregular = IRREGULAR.iter().find(|(name, ..)| *name == kind);
    let plural = match irregular {
        Some((_, plural, _)) => (*plural).to_owned(),
        None => format!("{}s", kind.to_lowercase()),
    };
    let mut place = json!({
        "api": manifest["apiVersion"],
        "kind": kind,
        "plural": plural,
        "name": manifest["metadata"]["name"],
    });
    let scope = irregular.map_or(Scope::Namespace, |(.., scope)| *scope);
    if scope == Scope::Namespace {
        let namespace = manifest["metadata"]["namespace"].as_str().unwrap_or("default");
        place["namespace"] = json!(namespace);
    }
    place
}

/// The manifest without what the place says.
fn attributes(manifest: Json) -> Json {
    let Json::Object(mut rest) = manifest else { return Json::Object(Map::new()) };
    let metadata = rest.remove("metadata").unwrap_or_default();
    for key in ["apiVersion", "kind", "status"] {
        rest.remove(key);
    }
    for key in ["labels", "annotations"] {
        if let Some(map) = metadata[key].as_object().filter(|map| !map.is_empty()) {
            rest.insert(key.to_owned(), map.clone().into());
        }
    }
    Json::Object(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(manifest: Json, place: Json, attributes: Json) -> Resource {
        let origin = Place { file: "spec.toml".into(), line: 1, column: 1, span: (0, 0) };
        let resource = object(Address::from("cluster/x"), manifest, &[], &origin);
        assert_eq!((resource.place.tree(), resource.attributes.tree()), (place, attributes));
        resource
    }

    #[test]
    fn a_manifest_is_place_and_attributes() {
        let found = check(
            json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "a",
                "namespace": "kube-system", "labels": {"x": "y"}}, "spec": {"z": 1}, "status": {}}),
            json!({"api": "apps/v1", "kind": "DaemonSet", "plural": "daemonsets",
                "namespace": "kube-system", "name": "a"}),
            json!({"labels": {"x": "y"}, "spec": {"z": 1}}),
        );
        assert_eq!(found.kind.name, "kubernetes/DaemonSet");
    }

    #[test]
    fn some_kinds_have_no_namespace_or_an_odd_plural() {
        check(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}),
            json!({"api": "v1", "kind": "Namespace", "plural": "namespaces", "name": "a"}),
            json!({}),
        );
        let found = check(
            json!({"apiVersion": "x.example/v1", "kind": "Thing", "metadata": {"name": "a"}}),
            json!({"api": "x.example/v1", "kind": "Thing", "plural": "things",
                "namespace": "default", "name": "a"}),
            json!({}),
        );
        assert_eq!(found.kind.name, "kubernetes/Object");
    }
}
