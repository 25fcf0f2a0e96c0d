//! From a manifest to a resource.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::served::{Definitions, Served, is_known};
use crate::lower::k3s;
use crate::resource::{
    Address, Attributes, Edge, EdgeKind, Endpoint, EndpointFacts, Kind, Place, Resource,
};
use crate::spec::Spec;

/// How many calls the API gets at once: an API server refuses none of so few.
const LIMIT: usize = 16;

/// The cluster as an endpoint: it is there as soon as one of its servers is.
pub fn cluster(spec: &Spec) -> (Endpoint, EndpointFacts) {
    let opened_by = spec.servers.iter().map(k3s::address).collect();
    (Endpoint::kubernetes(), EndpointFacts { limit: LIMIT, opened_by })
}

/// A resource of a whole manifest: apiVersion, kind, metadata and the rest. Secrets stand in it
/// encoded, a Secret's `data` is plain text. It comes after `after`; see [`place_in_cluster`].
pub fn object(address: Address, manifest: Json, after: &[Address], origin: &Place) -> Resource {
    let place = place(&manifest);
    Resource {
        kind: kind(&manifest),
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

/// Ties every object of the cluster to what it is in: its namespace and the definition of its kind,
/// where those are resources too, and the servers, where it needs nothing else. What boma's own
/// rendering would come after, and somebody's manifest does not have, is not waited for.
pub fn place_in_cluster(spec: &Spec, resources: &mut BTreeMap<Address, Resource>) {
    let servers: Vec<Edge> =
        spec.servers.iter().map(|server| after(k3s::address(server))).collect();
    let known: BTreeSet<Address> = resources.keys().cloned().collect();
    let (definitions, namespaces) = (definitions(resources), namespaces(resources));
    for resource in resources.values_mut().filter(|one| one.endpoint == Endpoint::kubernetes()) {
        resource.edges.retain(|edge| edge.kind != EdgeKind::After || known.contains(&edge.to));
        come_after_definition(resource, &definitions);
        let place = resource.place.tree();
        let namespace = place["namespace"].as_str().and_then(|name| namespaces.get(name));
        let home = namespace.map(|to| Edge { kind: EdgeKind::LivesIn, to: to.clone() });
        resource.edges.extend(home);
        if resource.edges.is_empty() {
            resource.edges.extend(servers.iter().cloned());
        }
        resource.edges.sort();
        resource.edges.dedup();
    }
}

fn definitions(resources: &BTreeMap<Address, Resource>) -> Definitions<Address> {
    let definitions = resources.values().filter(|one| one.kind == Kind::definition());
    let spec = |one: &Resource| one.attributes.tree()["spec"].take();
    Definitions::of(definitions.map(|one| (spec(one), one.address.clone())))
}

fn namespaces(resources: &BTreeMap<Address, Resource>) -> BTreeMap<String, Address> {
    let in_cluster = resources.values().filter(|one| one.endpoint == Endpoint::kubernetes());
    let named = in_cluster.filter_map(|resource| {
        let place = resource.place.tree();
        let name = place["name"].as_str().filter(|_| place["kind"] == "Namespace")?;
        Some((name.to_owned(), resource.address.clone()))
    });
    named.collect()
}

/// An object of a kind that is defined here is served as its definition says, and only after it.
fn come_after_definition(resource: &mut Resource, definitions: &Definitions<Address>) {
    let mut place = resource.place.tree();
    let text = |key: &str| place[key].as_str().unwrap_or_default();
    let Some((served, address)) = definitions.get(text("api"), text("kind")) else { return };
    serve(&mut place, served);
    resource.place = Attributes::new(&place);
    resource.edges.push(after(address.clone()));
}

fn after(to: Address) -> Edge {
    Edge { kind: EdgeKind::After, to }
}

/// The kind that has a name in the API, or the one for any object.
fn kind(manifest: &Json) -> Kind {
    let text = |key: &str| manifest[key].as_str().unwrap_or_default();
    let named = Kind::named(&format!("kubernetes/{}", text("kind")));
    named.filter(|_| is_known(text("apiVersion"))).unwrap_or(Kind::object())
}

fn place(manifest: &Json) -> Json {
    let text = |key: &str| manifest[key].as_str().unwrap_or_default();
    let mut place = json!({
        "api": manifest["apiVersion"],
        "kind": text("kind"),
        "name": manifest["metadata"]["name"],
    });
    let namespace = &manifest["metadata"]["namespace"];
    if namespace.is_string() {
        place["namespace"] = namespace.clone();
    }
    serve(&mut place, &Served::by_convention(text("apiVersion"), text("kind")));
    place
}

/// Writes into a place what is known of its kind.
fn serve(place: &mut Json, served: &Served) {
    place["plural"] = json!(served.plural);
    if !served.namespaced {
        place.as_object_mut().map(|place| place.remove("namespace"));
    } else if place["namespace"].is_null() {
        place["namespace"] = json!("default");
    }
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

    #[test]
    fn an_object_is_where_its_definition_says_and_comes_after_it() {
        let origin = Place { file: "spec.toml".into(), line: 1, column: 1, span: (0, 0) };
        let manifests = [
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": "kine.example.org"}, "spec": {"group": "example.org",
                "scope": "Cluster", "names": {"kind": "Cow", "plural": "kine"}}}),
            json!({"apiVersion": "example.org/v1", "kind": "Cow",
                "metadata": {"name": "a", "namespace": "left-over"}}),
        ];
        let mut resources = BTreeMap::new();
        for manifest in manifests {
            let kind = manifest["kind"].as_str().unwrap_or_default();
            let address = Address::of("cluster/csi", kind);
            resources.insert(address.clone(), object(address, manifest, &[], &origin));
        }
        place_in_cluster(&crate::lower::testing::spec(&[]), &mut resources);
        let cow = &resources[&Address::from("cluster/csi/Cow")];
        let place = json!({"api": "example.org/v1", "kind": "Cow", "plural": "kine", "name": "a"});
        assert_eq!(cow.place.tree(), place);
        let definition = Address::from("cluster/csi/CustomResourceDefinition");
        assert_eq!(cow.edges, [after(definition)]);
    }
}
