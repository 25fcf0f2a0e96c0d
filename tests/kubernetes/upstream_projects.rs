//! CHT projects as boma lowers them against those that Medic's charts make.

use std::collections::BTreeMap;

use boma::lower::lower;
use boma::plan::diff;
use boma::resource::Resource;
use boma::spec::{Spec, parse};
use serde_json::{Value as Json, json};

use super::compare::compare;
use super::upstream::{manifest, upstream};

const SMALL: &str = include_str!("../fixtures/small.toml");

/// What every chart has in another way.
const CHT: &[(&str, &str)] = &[
    ("Namespace/cht-county-01", "helm makes it beside the release"),
    ("*: metadata.annotations.meta.helm.sh/*", "helm's own mark"),
    ("*: metadata.labels.app.kubernetes.io/managed-by", "helm's own mark"),
    ("Secret/cht-couchdb-credentials: stringData.*", "told as it is stored"),
    ("Secret/cht-couchdb-credentials: data.*", "the values are the spec's"),
];

/// What 4.x has in another way.
const CHT_4: &[(&str, &str)] = &[
    (
        "Deployment/cht-couchdb*: *.tolerations[*",
        "no machine of boma's has the taint; where it is, it stays",
    ),
    ("RoleBinding/*: subjects[*.apiGroup", "as it is stored"),
    (
        "Deployment/upgrade-service: *.fieldRef.apiVersion",
        "as it is stored: the value has one owner",
    ),
];

/// What clustered 4.x has besides.
const CHT_4_CLUSTERED: &[(&str, &str)] = &[
    ("PersistentVolume/*", "it stays as it is, and is the claim's"),
    ("Service/couchdb-*: spec.ports[cluster-api].*", "CouchDB 3 does not listen there"),
];

/// What 5.2 has in another way.
const CHT_5: &[(&str, &str)] = &[
    ("Service/ingress-nginx-controller-admission", "leads to nothing: k3s has Traefik"),
    ("Ingress/api-ingress: spec.rules[*", "projects share the entry, so each has its host"),
];

/// The project's override, as an adopted one, against a file of the charts.
fn check(keys: &str, file: &str, intended: &[&[(&str, &str)]]) {
    let rendered: Vec<Json> =
        project(keys).iter().map(|resource| plain(manifest(resource))).collect();
    let theirs: Vec<Json> = upstream(&[&format!("cht/{file}")]).into_iter().map(plain).collect();
    let found = compare(&rendered, &theirs, &intended.concat());
    assert!(found.is_empty(), "{file}:\n{}", found.join("\n"));
}

/// What the adopted project still changes of what a chart made and an API server filled in: paths
/// of objects. What is live and not the project's stays as it is.
fn check_live(keys: &str, file: &str, expected: &[&str]) {
    let live: BTreeMap<(String, String), Json> = upstream(&[&format!("cht/live-1.25/{file}")])
        .into_iter()
        .map(|object| (name(&object["kind"], &object["metadata"]["name"]), object))
        .collect();
    let mut found = Vec::new();
    let mut alike = 0;
    for resource in project(keys) {
        let place = resource.place.tree();
        let Some(live) = live.get(&name(&place["kind"], &place["name"])) else {
            assert_eq!(place["kind"], "Namespace", "{} is not live", resource.address);
            continue;
        };
        let differences = diff(resource.kind, &resource.attributes.tree(), None, &attributes(live));
        alike += usize::from(differences.is_empty());
        let paths = differences.iter().map(|one| format!("{}: {}", resource.address, one.path));
        found.extend(paths);
    }
    assert_eq!(found, expected, "{file}");
    assert!(alike > 12, "{file}: {alike}");
}

fn name(kind: &Json, name: &Json) -> (String, String) {
    let word = |json: &Json| json.as_str().unwrap().to_owned();
    (word(kind), word(name))
}

/// A live object in the shape that resources have. Nobody knows the credentials, which are the
/// project's own in every case.
fn attributes(live: &Json) -> Json {
    let mut rest = live.clone();
    for key in ["labels", "annotations"] {
        rest[key] = live["metadata"][key].clone();
    }
    let map = rest.as_object_mut().unwrap();
    for key in ["apiVersion", "kind", "metadata", "status"] {
        map.remove(key);
    }
    if live["kind"] == "Secret" {
        map["data"]["COUCHDB_USER"] = json!("medic");
    }
    rest
}

/// The resources of the project, as an adopted one.
fn project(keys: &str) -> Vec<Resource> {
    let all = lower(&spec(keys)).resources.into_values();
    all.filter(|resource| resource.address.as_str().starts_with("project/county-01/")).collect()
}

/// A spec with machines of the names that the files pin pods to.
pub fn three_agents(small: &str) -> String {
    let agents = small.replace("agent-{}", "agent-{:02}").replace("count     = 2", "count     = 3");
    agents.replace("10.20.0.21-22", "10.20.0.21-23")
}

/// A spec that takes the project over.
pub fn text(keys: &str) -> String {
    let agents = three_agents(SMALL);
    format!("{agents}\n[projects.overrides.county-01]\nadopt = true\n{keys}\n")
}

fn spec(keys: &str) -> Spec {
    let parsed = parse("small.toml", &text(keys));
    parsed.spec.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics))
}

/// Without what the API fills in by itself, and what says nothing.
fn plain(mut manifest: Json) -> Json {
    drop_defaults(&mut manifest);
    manifest
}

fn drop_defaults(value: &mut Json) {
    const DEFAULTS: [(&str, &str); 3] =
        [("protocol", "TCP"), ("restartPolicy", "Always"), ("type", "ClusterIP")];
    match value {
        Json::Object(map) => {
            map.retain(|key, value| {
                let named =
                    DEFAULTS.iter().any(|(name, said)| key == name && *value == json!(said));
                let empty = ["strategy", "resources", "status"].contains(&key.as_str())
                    && *value == json!({});
                !named && !empty
            });
            map.values_mut().for_each(drop_defaults);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_defaults),
        _ => {}
    }
}

const THREE: &str = "placement = \"spread\"\nagents = [\"agent-01\", \"agent-02\", \"agent-03\"]";

pub fn cluster_of_4() -> String {
    format!(
        "cht = \"4.22.0\"\n{THREE}\ntls = {{ secret = \"api-tls-secret\" }}
[projects.overrides.county-01.couchdb]
nodes = 3
storage = \"50GiB\"
storage_class = \"local-storage\"
volumes = [
    \"couchdb-pv-cht-county-01-1\", \"couchdb-pv-cht-county-01-2\", \"couchdb-pv-cht-county-01-3\",
]"
    )
}

pub const LONE_OF_4: &str = "cht = \"4.22.0\"
agents = [\"agent-01\"]
tls = { secret = \"api-tls-secret\" }
couchdb = { nodes = 1, host_path = \"/var/lib/cht-county-01-couchdb\" }";

pub fn cluster_of_5() -> String {
    format!("cht = \"5.2.0\"\n{THREE}\ncouchdb = {{ nodes = 3, storage = \"50GiB\" }}")
}

pub const LONE_OF_5: &str = "cht = \"5.2.0\"\ncouchdb = { storage = \"50GiB\" }";

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn a_cluster_of_4_x_is_what_its_chart_makes() {
    let keys = cluster_of_4();
    check(&keys, "cht-4x-clustered-installed", &[CHT, CHT_4, CHT_4_CLUSTERED]);
    let vsphere = keys.replace("local-storage", "vsphere-storage-class");
    let raw = [("*: metadata.namespace", "helm sends the release's")];
    let intended = [&CHT[..1], &CHT[3..], CHT_4, CHT_4_CLUSTERED, &raw];
    check(&vsphere, "cht-4x-clustered-vsphere", &intended);
}

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn a_lone_node_of_4_x_is_what_its_chart_makes() {
    check(LONE_OF_4, "cht-4x-single-installed", &[CHT, CHT_4]);
}

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn a_cluster_of_5_2_is_what_its_chart_makes() {
    check(&cluster_of_5(), "cht-5x-clustered-installed", &[CHT, CHT_5]);
}

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn a_lone_node_of_5_2_is_what_its_chart_makes() {
    check(LONE_OF_5, "cht-5x-single-installed", &[CHT, CHT_5]);
}

/// But for the host, which charts of 5.x leave out.
#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn what_charts_made_is_adopted_as_it_stands() {
    check_live(&cluster_of_4(), "cht-4x-clustered", &[]);
    check_live(LONE_OF_4, "cht-4x-single", &[]);
    let rules = ["project/county-01/Ingress/api-ingress: spec.rules"];
    check_live(&cluster_of_5(), "cht-5x-clustered", &rules);
    check_live(LONE_OF_5, "cht-5x-single", &rules);
}
