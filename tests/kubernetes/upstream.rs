//! boma's own renderings against the manifests that the projects publish.
//!
//! The manifests are in no copy of this repository: `BOMA_UPSTREAM` names the folder of them.

use std::path::PathBuf;

use boma::lower::kubernetes::cpi::cpi;
use boma::lower::kubernetes::csi::csi;
use boma::lower::kubernetes::snapshot::snapshots;
use boma::lower::kubernetes::sources::Sources;
use boma::resource::Resource;
use boma::spec::{Spec, parse};
use serde_json::{Map, Value as Json, json};

use super::compare::compare;
use super::cpi_differences::{CPI, CPI_1_25};

const SMALL: &str = include_str!("../fixtures/small.toml");

/// Differences between CSI as boma renders it and any release's own manifest.
const CSI: &[(&str, &str)] = &[
    ("Namespace/vmware-system-csi", "upstream has it in a file of its own"),
    ("Secret/vsphere-config-secret", "upstream leaves it to the reader"),
    ("DaemonSet/vsphere-csi-node-windows", "no machine runs Windows"),
    (
        "*.imagePullPolicy",
        "a tag is never pushed again, and a machine without its registry must start pods",
    ),
    (
        "Deployment/vsphere-csi-controller: *].ports[2113].name",
        "a port's name is there once in a pod",
    ),
];

/// What v2.7.2 has in another way.
const CSI_2_7: &[(&str, &str)] = &[
    ("Deployment/*.nodeSelector.*", "k3s labels its servers with another value"),
    ("Deployment/*.nodeAffinity.*", "it takes the place of the selector"),
    ("*.priorityClassName", "later releases have it: volumes need the driver"),
];

/// What releases from v3.3 on have besides.
const CSI_3: &[(&str, &str)] = &[(
    "Deployment/*.nodeAffinity.*node-role.kubernetes.io/controlplane*",
    "k3s has another label",
)];

/// What v3.7.2 has besides.
const CSI_3_7: &[(&str, &str)] = &[("*[vsphere-*].image", "its digests are known and pin it")];

/// What v3.8 has left out, and the candidate for it has elsewhere.
const CSI_3_8: &[(&str, &str)] = &[
    ("Deployment/*.nodeAffinity.*node-role.kubernetes.io/master*", "older k3s has it too"),
    ("*[vsphere-*].image", "the candidate's images are in the staging registry"),
];

/// Differences of the snapshot controller and its definitions. The script that the driver's
/// project installs them with is `deploy-csi-snapshot-components.sh`.
const SNAPSHOTS: &[(&str, &str)] = &[
    ("VolumeSnapshotClass/vmware-sc", "upstream has none"),
    ("*.description", "clients only print it"),
    ("*].deprecationWarning", "the old version is not served, so nobody is warned"),
    ("*].deprecated", "the old version is not served"),
    ("*/volumesnapshotclasses.*.subresources", "an empty list of them is none"),
    ("*.message", "our own words"),
    ("*.controller-gen.kubebuilder.io/version", "not made by that program"),
    ("ClusterRole/*rules[groupsnapshot.*", "groups of snapshots are not installed"),
    ("RoleBinding/*.namespace", "written out: it is the binding's own"),
    ("Deployment/*.image", "upstream's file names an older tag than its release; the script too"),
    ("Deployment/*.args[--kube-api-*", "as the script has it"),
    ("Deployment/*.nodeAffinity.*", "the script's selector matches no server of k3s"),
    ("Deployment/*.tolerations[*", "as the script has it"),
];

fn folder() -> PathBuf {
    let folder = std::env::var_os("BOMA_UPSTREAM");
    folder.expect("BOMA_UPSTREAM is the folder of other projects' manifests").into()
}

/// The objects of some files.
pub fn upstream(names: &[&str]) -> Vec<Json> {
    let read = |name: &&str| -> Vec<Json> {
        let path = folder().join(format!("{name}.yaml"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()));
        let objects: Vec<Json> = serde_saphyr::from_multiple(&text).unwrap();
        objects.into_iter().filter(Json::is_object).collect()
    };
    names.iter().flat_map(read).collect()
}

fn spec(edits: &[(&str, &str)]) -> Spec {
    let mut text = SMALL.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let parsed = parse("small.toml", &text);
    parsed.spec.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))
}

/// A resource as a whole manifest.
pub fn manifest(resource: &Resource) -> Json {
    let place = resource.place.tree();
    let Json::Object(mut whole) = resource.attributes.tree() else { panic!() };
    let mut metadata = Map::new();
    for (key, value) in [("name", &place["name"]), ("namespace", &place["namespace"])] {
        metadata.extend((!value.is_null()).then(|| (key.to_owned(), value.clone())));
    }
    for key in ["labels", "annotations"] {
        metadata.extend(whole.remove(key).map(|map| (key.to_owned(), map)));
    }
    whole.insert("apiVersion".into(), place["api"].clone());
    whole.insert("kind".into(), place["kind"].clone());
    whole.insert("metadata".into(), json!(metadata));
    Json::Object(whole)
}

/// Objects as boma renders them, against files of upstream.
pub fn check(rendered: &[Resource], files: &[&str], intended: &[&[(&str, &str)]]) {
    let rendered: Vec<Json> = rendered.iter().map(manifest).collect();
    let found = compare(&rendered, &upstream(files), &intended.concat());
    assert!(found.is_empty(), "{files:?}:\n{}", found.join("\n"));
}

fn check_csi(keys: &str, file: &str, intended: &[&[(&str, &str)]]) {
    let spec = spec(&[("[csi]\n", &format!("[csi]\n{keys}\n"))]);
    check(&csi(&spec, &Sources::default()), &[file], intended);
}

fn check_cpi(version: &str, file: &str, intended: &[&[(&str, &str)]]) {
    let keys = format!("[cloud_provider]\nversion = \"{version}\"\n\n[storage]");
    let spec = spec(&[("[storage]", &keys)]);
    check(&cpi(&spec, &Sources::default()), &[file], intended);
}

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn cpi_does_what_its_releases_do() {
    check_cpi("v1.25.3", "vsphere-cloud-controller-manager-v1.25", &[CPI, CPI_1_25]);
    check_cpi("v1.35.1", "vsphere-cloud-controller-manager-v1.35", &[CPI]);
    check_cpi("v1.36.0", "vsphere-cloud-controller-manager-v1.36", &[CPI]);
}

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn csi_does_what_the_guides_release_does() {
    let keys = "version = \"v2.7.2\"
registry = \"gcr.io/cloud-provider-vsphere/csi/release\"
sidecar_registry = \"k8s.gcr.io/sig-storage\"";
    check_csi(keys, "vsphere-csi-driver-v2.7.2", &[CSI, CSI_2_7]);
}

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn csi_does_what_the_releases_of_today_do() {
    check_csi("version = \"v3.7.2\"", "vsphere-csi-driver-v3.7.2", &[CSI, CSI_3, CSI_3_7]);
    let candidate = "vsphere-csi-driver-v3.8.0-rc.1";
    check_csi("version = \"v3.8.0\"", candidate, &[&CSI[..4], CSI_3, CSI_3_8]);
}

#[test]
#[ignore = "needs BOMA_UPSTREAM"]
fn snapshots_do_what_their_release_does() {
    let files = [
        "snapshot.storage.k8s.io_volumesnapshotclasses-v8.4.0",
        "snapshot.storage.k8s.io_volumesnapshotcontents-v8.4.0",
        "snapshot.storage.k8s.io_volumesnapshots-v8.4.0",
        "rbac-snapshot-controller-v8.4.0",
        "setup-snapshot-controller-v8.4.0",
    ];
    let keys = "[snapshots]\nversion = \"v8.4.0\"\n\n[storage]";
    check(&snapshots(&spec(&[("[storage]", keys)])), &files, &[SNAPSHOTS]);
}
