//! What the driver's objects are made of, and their order.

use std::collections::BTreeMap;

use super::*;
use crate::lower::kubernetes::images;
use crate::lower::kubernetes::snapshot::snapshots;
use crate::lower::kubernetes::storage::classes;
use crate::lower::testing::spec;
use crate::resource::Digest;

fn edited(keys: &str) -> BTreeMap<String, Resource> {
    let spec = spec(&[("[csi]\n", &format!("[csi]\n{keys}\n"))]);
    let csi = csi(&spec, &Sources::default()).into_iter();
    csi.map(|one| (one.address.to_string(), one)).collect()
}

fn attributes(keys: &str, address: &str) -> Json {
    edited(keys)[&format!("cluster/csi/{address}")].attributes.tree()
}

/// The container of a pod template by its name; null where there is none.
fn container(keys: &str, address: &str, name: &str) -> Json {
    let tree = attributes(keys, address);
    let containers = tree["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    containers.iter().find(|one| one["name"] == name).cloned().unwrap_or_default()
}

const DEPLOYMENT: &str = "Deployment/vsphere-csi-controller";
const DAEMON_SET: &str = "DaemonSet/vsphere-csi-node";

#[test]
fn replicas_fit_the_servers() {
    let check = |edits: &[(&str, &str)], replicas: usize| {
        let spec = spec(edits);
        let tree = csi_controller::deployment(&spec, csi_release(&spec.csi.version));
        assert_eq!(tree["spec"]["replicas"], replicas, "{edits:?}");
    };
    check(&[], 3);
    check(&[("count     = 3", "count     = 1"), ("11-13", "11")], 1);
    check(&[("count     = 3", "count     = 5"), ("11-13", "11-15")], 3);
    check(&[("[csi]", "[csi]\nreplicas = 2")], 2);
}

#[test]
fn each_release_has_what_it_knows_and_nothing_else() {
    let check = |release: &str, flags: [bool; 4], tag: &str, states: usize| {
        let keys = format!("version = \"{release}\"");
        let has = |name: &str, argument: &str| {
            let container = container(&keys, DEPLOYMENT, name);
            container["args"].as_array().unwrap().iter().any(|found| found == argument)
        };
        let found = [
            has("csi-attacher", "--worker-threads=100"),
            has("csi-snapshotter", "--extra-create-metadata"),
            has("vsphere-syncer", "--enable-profile-server=false"),
            has("csi-resizer", "--feature-gates=RecoverVolumeExpansionFailure=false"),
        ];
        assert_eq!(found, flags, "{release}");
        let image = &container(&keys, DEPLOYMENT, "csi-attacher")["image"];
        let expected = format!("registry.k8s.io/sig-storage/csi-attacher:{tag}");
        assert_eq!(*image, expected, "{release}");
        let features = attributes(&keys, &format!("ConfigMap/{FEATURES}"));
        assert_eq!(features["data"].as_object().unwrap().len(), states, "{release}");
    };
    check("v2.7.2", [false, false, false, false], "v3.5.0", 15);
    check("v3.5.1", [true, false, false, false], "v4.8.1", 2);
    check("v3.7.0", [true, true, true, false], "v4.9.0", 2);
    check("v3.7.2", [true, true, true, false], "v4.9.0", 3);
    check("v3.8.0", [true, true, true, true], "v4.10.0", 3);
}

#[test]
fn only_old_releases_take_the_number_of_volumes_from_the_environment() {
    let check = |release: &str, expected: bool| {
        let keys = format!("version = \"{release}\"");
        let driver = container(&keys, DAEMON_SET, "vsphere-csi-node");
        let mut names = driver["env"].as_array().unwrap().iter().map(|one| &one["name"]);
        assert_eq!(names.any(|name| name == "MAX_VOLUMES_PER_NODE"), expected, "{release}");
    };
    check("v3.7.0", true);
    check("v3.7.1", false);
    let features = format!("ConfigMap/{FEATURES}");
    assert_eq!(attributes("", &features)["data"][DENSITY], "false");
    assert_eq!(attributes("high_density = true", &features)["data"][DENSITY], "true");
}

#[test]
fn the_controller_runs_wherever_k3s_says_true() {
    for release in ["v2.7.2", "v3.5.1", "v3.7.2", "v3.8.0"] {
        let keys = format!("version = \"{release}\"");
        let pod = &attributes(&keys, DEPLOYMENT)["spec"]["template"]["spec"];
        assert_eq!(pod["nodeSelector"], Json::Null, "{release}");
        let required =
            &pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        let asked = &required["nodeSelectorTerms"][0]["matchExpressions"][0];
        let expected =
            json!({ "key": "node-role.kubernetes.io/control-plane", "operator": "Exists" });
        assert_eq!(*asked, expected, "{release}");
    }
}

#[test]
fn sidecars_and_digests_of_the_spec_win() {
    let keys = "sidecars = { csi-resizer = \"v1.13.2\" }";
    let image = &container(keys, DEPLOYMENT, "csi-resizer")["image"];
    assert_eq!(*image, "registry.k8s.io/sig-storage/csi-resizer:v1.13.2");
    let digest = format!("sha256:{}", "ab".repeat(32));
    let keys = format!("digests = {{ driver = \"{digest}\" }}");
    let image = &container(&keys, DAEMON_SET, "vsphere-csi-node")["image"];
    assert_eq!(*image, format!("registry.k8s.io/csi-vsphere/driver:v3.7.2@{digest}"));
}

#[test]
fn without_snapshots_nothing_waits_for_them() {
    let off = [("[storage]", "[snapshots]\nenabled = false\n[storage]")];
    let spec = spec(&off);
    assert!(snapshots(&spec).is_empty());
    let tree = csi_controller::deployment(&spec, csi_release(&spec.csi.version)).to_string();
    assert!(!tree.contains("csi-snapshotter"), "{tree}");
}

#[test]
fn an_upstream_manifest_gets_what_only_the_spec_knows() {
    let yaml = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: vsphere-csi-controller, namespace: vmware-system-csi }
spec:
  replicas: 3
  template:
    spec:
      nodeSelector: { node-role.kubernetes.io/control-plane: '' }
      containers: [{ name: a, image: 'r.io/a:v1' }]
---
apiVersion: v1
kind: Secret
metadata: { name: vsphere-config-secret, namespace: vmware-system-csi }
stringData: { csi-vsphere.conf: example }
";
    let digest = Digest::of(yaml.as_bytes());
    let keys =
        format!("[csi]\nreplicas = 1\nmanifest = {{ from = \"csi.yaml\", sha256 = \"{digest}\" }}");
    let images = "[images]\nreplace = { \"r.io/a\" = \"m.io/a\" }\n\n[storage]";
    let spec = spec(&[("[csi]", &keys), ("[storage]", images)]);
    assert!(csi(&spec, &Sources::default()).is_empty());
    let mut sources = Sources::default();
    sources.add(spec.csi.manifest.as_ref().unwrap(), yaml.as_bytes()).unwrap();
    let found = csi(&spec, &sources);
    let addresses: Vec<&str> = found.iter().map(|one| one.address.as_str()).collect();
    let controller = format!("cluster/csi/{DEPLOYMENT}");
    let namespace = format!("cluster/csi/Namespace/{NAMESPACE}");
    assert_eq!(addresses, [&controller, &namespace, &format!("cluster/csi/Secret/{SECRET}")]);
    let spec = &found[0].attributes.tree()["spec"];
    let pod = &spec["template"]["spec"];
    assert_eq!((&spec["replicas"], &pod["nodeSelector"]), (&json!(1), &Json::Null));
    assert_eq!(pod["containers"][0]["image"], "m.io/a:v1");
    assert!(found[2].attributes.tree()["data"][KEY]["$secret"].is_object());
}

#[test]
fn an_upstream_namespace_keeps_its_labels() {
    let yaml =
        "{apiVersion: v1, kind: Namespace, metadata: {name: vmware-system-csi, labels: {a: b}}}";
    let digest = Digest::of(yaml.as_bytes());
    let keys = format!("[csi]\nmanifest = {{ from = \"csi.yaml\", sha256 = \"{digest}\" }}");
    let spec = spec(&[("[csi]", &keys)]);
    let mut sources = Sources::default();
    sources.add(spec.csi.manifest.as_ref().unwrap(), yaml.as_bytes()).unwrap();
    let found = csi(&spec, &sources);
    assert_eq!((found.len(), &found[0].attributes.tree()["labels"]), (2, &json!({"a": "b"})));
}

#[test]
fn the_controller_comes_after_the_nodes_and_before_the_node_plugin() {
    let resources = edited("");
    let before = |address: &str| -> Vec<String> {
        let edges = &resources[&format!("cluster/csi/{address}")].edges;
        edges.iter().map(|edge| edge.to.to_string()).collect()
    };
    let controller = before(DEPLOYMENT);
    for wanted in [
        "cluster/cpi/DaemonSet/vsphere-cloud-controller-manager",
        "cluster/csi/Secret/vsphere-config-secret",
        "cluster/node/server-1",
        "cluster/node/server-3",
        "cluster/snapshots/CustomResourceDefinition/volumesnapshots.snapshot.storage.k8s.io",
    ] {
        assert!(controller.contains(&wanted.to_owned()), "{wanted}: {controller:?}");
    }
    assert!(before(DAEMON_SET).contains(&format!("cluster/csi/{DEPLOYMENT}")));
}

/// Every edge leads to what this spec declares, other parts' addresses aside.
#[test]
fn every_edge_leads_somewhere() {
    let spec = spec(&[]);
    let all = [csi(&spec, &Sources::default()), snapshots(&spec), classes(&spec)].concat();
    let known: Vec<&Address> = all.iter().map(|one| &one.address).collect();
    for edge in all.iter().flat_map(|one| &one.edges) {
        let others = ["cluster/cpi/", "cluster/node/"];
        let other = others.iter().any(|part| edge.to.as_str().starts_with(part));
        assert!(other || known.contains(&&edge.to), "{}", edge.to);
    }
}

#[test]
fn every_image_can_be_replaced() {
    let plain = spec(&[]);
    let images = |spec: &Spec| -> Vec<String> {
        let all = [csi(spec, &Sources::default()), snapshots(spec)].concat();
        let texts = all.iter().map(|one| one.attributes.tree().to_string());
        let joined: String = texts.collect();
        let found = joined.split("\"image\":\"").skip(1);
        found.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let names = images(&plain);
    assert_eq!(names.len(), 11);
    let mut lines: Vec<String> = names
        .iter()
        .map(|image| images::bare(image))
        .map(|name| format!("\"{name}\" = \"m.example.org/x\""))
        .collect();
    lines.sort();
    lines.dedup();
    let table = format!("[images.replace]\n{}\n\n[storage]", lines.join("\n"));
    let replaced = images(&spec(&[("[storage]", &table)]));
    assert!(replaced.iter().all(|name| name.starts_with("m.example.org/x:")), "{replaced:?}");
}

/// The pods of the release that most sites have, as a whole.
#[test]
fn the_pods_of_one_release() {
    let pod = |address: &str| shown(&attributes("", address)["spec"]["template"]["spec"]);
    insta::assert_snapshot!("csi_controller", pod(DEPLOYMENT));
    insta::assert_snapshot!("csi_node", pod(DAEMON_SET));
}

/// One line for each container with its image and arguments, then the rest.
fn shown(pod: &Json) -> String {
    let mut text = String::new();
    for container in pod["containers"].as_array().unwrap() {
        text += &format!("{} {}\n", container["name"], container["image"]);
        for (key, value) in container.as_object().unwrap() {
            match value {
                Json::Array(items) => {
                    text += &format!("  {key}\n");
                    items.iter().for_each(|item| text += &format!("    {item}\n"));
                }
                _ if key == "name" || key == "image" => {}
                value => text += &format!("  {key} {value}\n"),
            }
        }
    }
    for (key, value) in pod.as_object().unwrap() {
        match value {
            _ if key == "containers" => {}
            Json::Array(items) => {
                text += &format!("{key}\n");
                items.iter().for_each(|item| text += &format!("  {item}\n"));
            }
            value => text += &format!("{key} {value}\n"),
        }
    }
    text
}
