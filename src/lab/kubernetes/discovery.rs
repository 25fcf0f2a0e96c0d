//! What the server tells of itself: versions, groups, resources, OpenAPI.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::call::Answer;
use super::refusal::Refusal;
use super::request::{Request, Target};
use super::resource::{self, Resource};
use crate::lab::k3s::Cluster;

/// By this clients tell that all groups came at once.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Answers paths that are about no resource; `None` for all others.
pub(super) fn answer(cluster: &Cluster, request: &Request) -> Option<Result<Answer, Refusal>> {
    let path = request.path.trim_end_matches('/');
    let grouped = request.accept.contains("as=APIGroupDiscoveryList");
    let all = || resource::all(&cluster.store);
    let found = match path {
        "/version" => Ok(version(cluster.version())),
        "/healthz" | "/readyz" | "/livez" => return Some(Ok(Answer::text(200, "ok"))),
        "/api" if grouped => Ok(aggregated(&all(), true)),
        "/apis" if grouped => Ok(aggregated(&all(), false)),
        "/api" => Ok(json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}],
        })),
        "/apis" => Ok(groups(&all())),
        "/openapi/v3" => Ok(documents(&all())),
        path if path.starts_with("/openapi/v3/") => document(&all(), path),
        path if path.starts_with("/openapi") => Err(Refusal::no_resource()),
        path => {
            let target = Target::read(path)?.ok().filter(|target| target.plural.is_empty())?;
            resources(&all(), &target)
        }
    };
    if request.method != "GET" {
        return Some(Err(Refusal::no_method()));
    }
    let grouped = grouped && (path == "/api" || path == "/apis");
    let media = if grouped { AGGREGATED } else { "application/json" };
    Some(found.map(|body| Answer { media, ..Answer::json(200, &body) }))
}

fn version(k3s: &str) -> Json {
    let bare = k3s.trim_start_matches('v');
    let mut parts = bare.split('.');
    json!({
        "major": parts.next().unwrap_or_default(), "minor": parts.next().unwrap_or_default(),
        "gitVersion": k3s, "gitTreeState": "clean", "goVersion": "go1.24", "compiler": "gc",
        "platform": "linux/amd64",
    })
}

/// Groups with their versions, the newest first.
fn by_group(all: &[Resource]) -> BTreeMap<&str, Vec<&str>> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in all {
        let versions = groups.entry(&one.group).or_default();
        if !versions.contains(&one.version.as_str()) {
            versions.push(&one.version);
        }
    }
    groups
}

fn group(name: &str, versions: &[&str]) -> Json {
    let version =
        |version: &&str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let versions: Vec<Json> = versions.iter().map(version).collect();
    let preferred = versions.first().cloned().unwrap_or_default();
    json!({"name": name, "versions": versions, "preferredVersion": preferred})
}

fn groups(all: &[Resource]) -> Json {
    let groups = by_group(all);
    let named = groups.iter().filter(|(name, _)| !name.is_empty());
    let groups: Vec<Json> = named.map(|(name, versions)| group(name, versions)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// A group, or the resources of one version of it.
fn resources(all: &[Resource], target: &Target) -> Result<Json, Refusal> {
    if target.version.is_empty() {
        let groups = by_group(all);
        let versions = groups.get(target.group.as_str()).ok_or_else(Refusal::no_resource)?;
        let mut found = group(&target.group, versions);
        found["kind"] = json!("APIGroup");
        found["apiVersion"] = json!("v1");
        return Ok(found);
    }
    let here = |one: &&Resource| one.group == target.group && one.version == target.version;
    let mut found = Vec::new();
    for one in all.iter().filter(here) {
        found.push(json!({
            "name": one.plural, "singularName": one.singular, "namespaced": one.namespaced,
            "kind": one.kind, "verbs": VERBS, "shortNames": one.short,
        }));
        for subresource in &one.subresources {
            let (kind, verbs) = subresource_of(one, subresource);
            found.push(json!({
                "name": format!("{}/{subresource}", one.plural), "singularName": "",
                "namespaced": one.namespaced, "kind": kind, "verbs": verbs,
            }));
        }
    }
    if found.is_empty() {
        return Err(Refusal::no_resource());
    }
    let version = match target.group.as_str() {
        "" => target.version.clone(),
        group => format!("{group}/{}", target.version),
    };
    Ok(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
        "resources": found}))
}

fn subresource_of<'a>(resource: &'a Resource, name: &str) -> (&'a str, Vec<&'static str>) {
    match name {
        "scale" => ("Scale", vec!["get", "patch", "update"]),
        "eviction" => ("Eviction", vec!["create"]),
        "finalize" => ("Namespace", vec!["update"]),
        _ => (&resource.kind, vec!["get", "patch", "update"]),
    }
}

fn aggregated(all: &[Resource], core: bool) -> Json {
    let groups = by_group(all);
    let wanted = groups.iter().filter(|(name, _)| name.is_empty() == core);
    let items: Vec<Json> = wanted
        .map(|(name, versions)| {
            let version = |version: &&str| {
                let here = all.iter().filter(|one| one.group == *name && one.version == *version);
                let resources: Vec<Json> = here.map(aggregated_resource).collect();
                json!({"version": version, "resources": resources, "freshness": "Current"})
            };
            let versions: Vec<Json> = versions.iter().map(version).collect();
            let meta = if core { json!({}) } else { json!({"name": name}) };
            json!({"metadata": meta, "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {}, "items": items})
}

fn aggregated_resource(one: &Resource) -> Json {
    let kind = |kind: &str| json!({"group": one.group, "version": one.version, "kind": kind});
    let subresource = |name: &String| {
        let (of, verbs) = subresource_of(one, name);
        json!({"subresource": name, "responseKind": kind(of), "verbs": verbs})
    };
    json!({
        "resource": one.plural, "responseKind": kind(&one.kind),
        "scope": if one.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": one.singular, "verbs": VERBS, "shortNames": one.short,
        "subresources": one.subresources.iter().map(subresource).collect::<Vec<_>>(),
    })
}

fn root(resource: &Resource) -> String {
    if resource.group.is_empty() {
        format!("api/{}", resource.version)
    } else {
        format!("apis/{}/{}", resource.group, resource.version)
    }
}

/// Where the OpenAPI documents are.
fn documents(all: &[Resource]) -> Json {
    let paths: serde_json::Map<String, Json> = all
        .iter()
        .map(|one| {
            let root = root(one);
            let url = format!("/openapi/v3/{root}");
            (root, json!({"serverRelativeURL": url}))
        })
        .collect();
    json!({"paths": paths})
}

/// Just enough of OpenAPI for clients that look whether the server checks fields.
fn document(all: &[Resource], path: &str) -> Result<Json, Refusal> {
    let wanted = path.trim_start_matches("/openapi/v3/");
    let here: Vec<&Resource> = all.iter().filter(|one| root(one) == wanted).collect();
    if here.is_empty() {
        return Err(Refusal::no_resource());
    }
    let paths: serde_json::Map<String, Json> = here
        .iter()
        .map(|one| {
            let place = if one.namespaced { "/namespaces/{namespace}" } else { "" };
            let path = format!("/{wanted}{place}/{}/{{name}}", one.plural);
            let parameter = |name: &&str| {
                json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}})
            };
            let names = ["dryRun", "fieldManager", "fieldValidation", "force"];
            let operation = json!({
                "operationId": format!("patch{}{}", one.version, one.kind),
                "parameters": names.iter().map(parameter).collect::<Vec<_>>(),
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind":
                    {"group": one.group, "version": one.version, "kind": one.kind},
            });
            (path, json!({"patch": operation}))
        })
        .collect();
    Ok(json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": paths, "components": {"schemas": {}},
    }))
}
