//! What kinds of objects snapshots are: the three definitions of external-snapshotter, which are
//! the same at v8.2.0 and v8.4.0. Earlier controllers need less of them. Groups of snapshots are
//! left out: vSphere's driver makes none.

use serde_json::{Value as Json, json};

use super::schema::{
    checked, either, fixed, flag, kept, number, object, quantity, text, texts, time, without, word,
};
use super::snapshot;
use crate::resource::Address;

const GROUP: &str = "snapshot.storage.k8s.io";

/// One definition.
struct Definition {
    kind: &'static str,
    plural: &'static str,
    short: &'static [&'static str],
    namespaced: bool,
    /// The review that let it into Kubernetes' own group: the API server wants to see one.
    approved: &'static str,
    /// What clients print: title, type, path.
    columns: &'static [(&'static str, &'static str, &'static str)],
    /// Whether its status is written apart from the rest.
    status: bool,
    schema: fn() -> Json,
}

const DEFINITIONS: [Definition; 3] = [
    Definition {
        kind: "VolumeSnapshotClass",
        plural: "volumesnapshotclasses",
        short: &["vsclass", "vsclasses"],
        namespaced: false,
        approved: "814",
        columns: &[
            ("Driver", "string", ".driver"),
            ("DeletionPolicy", "string", ".deletionPolicy"),
            ("Age", "date", ".metadata.creationTimestamp"),
        ],
        status: false,
        schema: class,
    },
    Definition {
        kind: "VolumeSnapshotContent",
        plural: "volumesnapshotcontents",
        short: &["vsc", "vscs"],
        namespaced: false,
        approved: "955",
        columns: &[
            ("ReadyToUse", "boolean", ".status.readyToUse"),
            ("RestoreSize", "integer", ".status.restoreSize"),
            ("DeletionPolicy", "string", ".spec.deletionPolicy"),
            ("Driver", "string", ".spec.driver"),
            ("VolumeSnapshotClass", "string", ".spec.volumeSnapshotClassName"),
            ("VolumeSnapshot", "string", ".spec.volumeSnapshotRef.name"),
            ("VolumeSnapshotNamespace", "string", ".spec.volumeSnapshotRef.namespace"),
            ("Age", "date", ".metadata.creationTimestamp"),
        ],
        status: true,
        schema: content,
    },
    Definition {
        kind: "VolumeSnapshot",
        plural: "volumesnapshots",
        short: &["vs"],
        namespaced: true,
        approved: "814",
        columns: &[
            ("ReadyToUse", "boolean", ".status.readyToUse"),
            ("SourcePVC", "string", ".spec.source.persistentVolumeClaimName"),
            ("SourceSnapshotContent", "string", ".spec.source.volumeSnapshotContentName"),
            ("RestoreSize", "string", ".status.restoreSize"),
            ("SnapshotClass", "string", ".spec.volumeSnapshotClassName"),
            ("SnapshotContent", "string", ".status.boundVolumeSnapshotContentName"),
            ("CreationTime", "date", ".status.creationTime"),
            ("Age", "date", ".metadata.creationTimestamp"),
        ],
        status: true,
        schema: snapshot_schema,
    },
];

/// The three definitions.
pub fn definitions() -> Vec<Json> {
    DEFINITIONS.iter().map(written).collect()
}

/// Their addresses.
pub fn addresses() -> impl Iterator<Item = Address> {
    DEFINITIONS.iter().map(|one| snapshot::address("CustomResourceDefinition", &name(one)))
}

fn name(definition: &Definition) -> String {
    format!("{}.{GROUP}", definition.plural)
}

fn written(definition: &Definition) -> Json {
    let Definition { kind, plural, short, namespaced, approved, .. } = definition;
    let review = "https://github.com/kubernetes-csi/external-snapshotter/pull";
    let schema = (definition.schema)();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": name(definition),
            "annotations": { "api-approved.kubernetes.io": format!("{review}/{approved}") },
        },
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind,
                "listKind": format!("{kind}List"),
                "plural": plural,
                "shortNames": short,
                "singular": kind.to_lowercase(),
            },
            "scope": if *namespaced { "Namespaced" } else { "Cluster" },
            "versions": [
                version(definition, "v1", true, &schema),
                // Where snapshots are older than the cluster's last upgrade the API server lists
                // this version among those stored, and refuses a definition without it.
                version(definition, "v1beta1", false, &without(&schema, NEWER)),
            ],
        },
    })
}

/// Parts that only v1 has.
const NEWER: &[&str] = &[
    "metadata",
    "sourceVolumeMode",
    "volumeGroupSnapshotHandle",
    "volumeGroupSnapshotName",
    "x-kubernetes-map-type",
];

fn version(definition: &Definition, name: &str, used: bool, schema: &Json) -> Json {
    let column = |&(title, kind, path): &(&str, &str, &str)| json!({ "name": title, "type": kind, "jsonPath": path });
    let mut version = json!({
        "name": name,
        "served": used,
        "storage": used,
        "schema": { "openAPIV3Schema": schema },
        "additionalPrinterColumns": definition.columns.iter().map(column).collect::<Vec<_>>(),
    });
    if definition.status {
        version["subresources"] = json!({ "status": {} });
    }
    version
}

/// A whole object: what every one has, and parts of its own.
fn whole(required: &[&str], parts: &[(&str, Json)]) -> Json {
    let every =
        [("apiVersion", text()), ("kind", text()), ("metadata", json!({ "type": "object" }))];
    object(required, &[&every, parts].concat())
}

fn policy() -> Json {
    word(&["Delete", "Retain"])
}

fn failure() -> Json {
    object(&[], &[("message", text()), ("time", time())])
}

fn class() -> Json {
    let parts = [("deletionPolicy", policy()), ("driver", text()), ("parameters", texts())];
    whole(&["deletionPolicy", "driver"], &parts)
}

fn content() -> Json {
    let spec = object(
        &["deletionPolicy", "driver", "source", "volumeSnapshotRef"],
        &[
            ("deletionPolicy", policy()),
            ("driver", text()),
            ("source", source("volumeHandle", "snapshotHandle")),
            ("sourceVolumeMode", fixed("sourceVolumeMode", text())),
            ("volumeSnapshotClassName", text()),
            ("volumeSnapshotRef", bound_to()),
        ],
    );
    let mut size = number();
    size["minimum"] = json!(0);
    let status = object(
        &[],
        &[
            ("creationTime", number()),
            ("error", failure()),
            ("readyToUse", flag()),
            ("restoreSize", size),
            ("snapshotHandle", text()),
            ("volumeGroupSnapshotHandle", text()),
        ],
    );
    let spec = checked(spec, &[kept("sourceVolumeMode")]);
    whole(&["spec"], &[("spec", spec), ("status", status)])
}

/// The snapshot that a content belongs to.
fn bound_to() -> Json {
    let names = ["apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"];
    let mut reference = object(&[], &names.map(|name| (name, text())));
    reference["x-kubernetes-map-type"] = json!("atomic");
    // `namespace` is a reserved word of the language.
    let rule = "has(self.name) && has(self.__namespace__)".to_owned();
    checked(reference, &[(rule, "name and namespace of the snapshot are needed".into())])
}

fn snapshot_schema() -> Json {
    let class = checked(
        text(),
        &[("size(self) > 0".into(), "volumeSnapshotClassName cannot be empty".into())],
    );
    let source = source("volumeSnapshotContentName", "persistentVolumeClaimName");
    let spec = object(&["source"], &[("source", source), ("volumeSnapshotClassName", class)]);
    let status = object(
        &[],
        &[
            ("boundVolumeSnapshotContentName", text()),
            ("creationTime", time()),
            ("error", failure()),
            ("readyToUse", flag()),
            ("restoreSize", quantity()),
            ("volumeGroupSnapshotName", text()),
        ],
    );
    whole(&["spec"], &[("spec", spec), ("status", status)])
}

/// What a snapshot is made of: one of two names, which stays.
fn source(one: &str, other: &str) -> Json {
    let names = [one, other].map(|name| (name, fixed(name, text())));
    checked(object(&[], &names), &[kept(one), kept(other), either(one, other)])
}
