//! CHT projects as boma lowers them against those that Medic's charts make.

use boma::lower::lower;
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
    let rendered: Vec<Json> = lower(&spec(keys))
        .resources
        .values()
        .filter(|resource| resource.address.as_str().starts_with("project/county-01/"))
        .map(|resource| plain(manifest(resource)))
        .collect();
    let theirs: Vec<Json> = upstream(&[&format!("cht/{file}")]).into_iter().map(plain).collect();
    let found = compare(&rendered, &theirs, &intended.concat());
    assert!(found.is_empty(), "{file}:\n{}", found.join("\n"));
}

fn spec(keys: &str) -> Spec {
    let agents = SMALL.replace("agent-{}", "agent-{:02}").replace("count     = 2", "count     = 3");
    let agents = agents.replace("10.20.0.21-22", "10.20.0.21-23");
    let text = format!("{agents}\n[projects.overrides.county-01]\nadopt = true\n{keys}\n");
    let parsed = parse("small.toml", &text);
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

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn a_cluster_of_4_x_is_what_its_chart_makes() {
    let keys = format!(
        "cht = \"4.22.0\"\n{THREE}\ntls = {{ secret = \"api-tls-secret\" }}
[projects.overrides.county-01.couchdb]
nodes = 3
storage = \"50GiB\"
storage_class = \"local-storage\"
volumes = [
    \"couchdb-pv-cht-county-01-1\", \"couchdb-pv-cht-county-01-2\", \"couchdb-pv-cht-county-01-3\",
]"
    );
    check(&keys, "cht-4x-clustered-installed", &[CHT, CHT_4, CHT_4_CLUSTERED]);
    let vsphere = keys.replace("local-storage", "vsphere-storage-class");
    let raw = [("*: metadata.namespace", "helm sends the release's")];
    let intended = [&CHT[..1], &CHT[3..], CHT_4, CHT_4_CLUSTERED, &raw];
    check(&vsphere, "cht-4x-clustered-vsphere", &intended);
}

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn a_lone_node_of_4_x_is_what_its_chart_makes() {
    let keys = "cht = \"4.22.0\"
agents = [\"agent-01\"]
tls = { secret = \"api-tls-secret\" }
couchdb = { nodes = 1, host_path = \"/var/lib/cht-county-01-couchdb\" }";
    check(keys, "cht-4x-single-installed", &[CHT, CHT_4]);
}

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn a_cluster_of_5_2_is_what_its_chart_makes() {
    let keys = format!("cht = \"5.2.0\"\n{THREE}\ncouchdb = {{ nodes = 3, storage = \"50GiB\" }}");
    check(&keys, "cht-5x-clustered-installed", &[CHT, CHT_5]);
}

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn a_lone_node_of_5_2_is_what_its_chart_makes() {
    let keys = "cht = \"5.2.0\"\ncouchdb = { storage = \"50GiB\" }";
    check(keys, "cht-5x-single-installed", &[CHT, CHT_5]);
}
