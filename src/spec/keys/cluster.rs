//! `[cloud_provider]`, `[csi]`, `[storage]`, `[snapshots]` and `[traefik]`

use super::super::scalar;
use super::{
    CIDR, DELETION, DURATION, IMAGE, Key, RELEASE, Shape, TEXT, default, optional, required,
};

static MANIFEST: &[Key] = &[
    required("from", Shape::Text(&scalar::SOURCE), "A path beside the spec, or an https URL.")
        .example("\"manifests/csi.yaml\""),
    required("sha256", Shape::Text(&scalar::SHA256), "Of the file."),
];

pub(super) static CLOUD_PROVIDER: &[Key] = &[
    optional(
        "version",
        RELEASE,
        "The release; otherwise that of the k3s minor. Only the same minor is supported upstream.",
    )
    .example("\"v1.35.0\""),
    default(
        "image",
        "\"registry.k8s.io/cloud-pv-vsphere/cloud-provider-vsphere\"",
        IMAGE,
        "Image name without tag. gcr.io/cloud-provider-vsphere was deleted in 2024.",
    ),
    optional(
        "manifest",
        Shape::Table(MANIFEST),
        "An upstream manifest used in place of boma's own rendering.",
    ),
    default(
        "password_in_config_map",
        "false",
        Shape::Bool,
        "Whether the password is in the ConfigMap too, as the guide has it. A finding.",
    ),
    default(
        "skip_node_deletion",
        "false",
        Shape::Bool,
        "Keeps CPI from deleting nodes; only while wrong provider ids are repaired.",
    ),
    optional(
        "region",
        TEXT,
        "Tag category of regions; with zone. Machines without the tags never get ready.",
    )
    .example("\"k8s-region\""),
    optional("zone", TEXT, "Tag category of zones; with region.").example("\"k8s-zone\""),
];

pub(super) static CSI: &[Key] = &[
    optional("version", RELEASE, "The release; otherwise one that supports the k3s minor.")
        .example("\"v3.7.2\""),
    optional(
        "cluster_id",
        TEXT,
        "Unique name of this Kubernetes cluster in the vCenter, 64 \
         characters at most; the spec's name otherwise. It is not vCenter's \
         id of a compute cluster. Never change it later.",
    )
    .example("\"national\""),
    default(
        "keep_generated_id",
        "false",
        Shape::Bool,
        "For a driver that stands already: leaves cluster_id to the \
         ConfigMap that the driver made.",
    ),
    optional(
        "replicas",
        Shape::Integer(1, 3),
        "Controller replicas, each on its own server; one per server \
         otherwise, three at most.",
    )
    .example("3"),
    default(
        "registry",
        "\"registry.k8s.io/csi-vsphere\"",
        IMAGE,
        "Registry and folder of driver and syncer.",
    ),
    default(
        "sidecar_registry",
        "\"registry.k8s.io/sig-storage\"",
        IMAGE,
        "Registry and folder of the sidecars and the snapshot controller.",
    ),
    optional(
        "sidecars",
        Shape::Map(&scalar::LABEL, &Shape::Text(&scalar::SIDECAR)),
        "Versions of sidecars that differ from the release's own.",
    )
    .example("{ csi-provisioner = \"v4.0.1\" }"),
    optional("digests", Shape::Table(DIGESTS), "Digests that pin the driver's own images."),
    optional(
        "manifest",
        Shape::Table(MANIFEST),
        "An upstream manifest used in place of boma's own rendering.",
    ),
    default(
        "high_density",
        "false",
        Shape::Bool,
        "Up to 255 volumes per machine in place of 59. Needs vSphere 8 and \
         CSI v3.7.1.",
    ),
    default(
        "snapshots_per_volume",
        "3",
        Shape::Integer(1, 32),
        "How many snapshots a volume may have.",
    ),
];

static DIGESTS: &[Key] = &[
    optional("driver", Shape::Text(&scalar::DIGEST), "Of the image driver."),
    optional("syncer", Shape::Text(&scalar::DIGEST), "Of the image syncer."),
];

pub(super) static STORAGE: &[Key] = &[
    required("class", Shape::Text(&scalar::SUBDOMAIN), "Name of the storage class.")
        .example("\"vmware-sc\""),
    optional("policy", TEXT, "Storage policy by name; it survives a change of datastore.")
        .example("\"vSAN Default Storage Policy\""),
    optional(
        "datastore_url",
        Shape::Text(&scalar::DATASTORE_URL),
        "Puts all volumes on one datastore.",
    ),
    default("file_system", "\"ext4\"", Shape::Choice(&["ext4", "xfs"]), "Of new volumes."),
    default(
        "reclaim",
        "\"Retain\"",
        DELETION,
        "What happens to a volume whose claim is deleted. Delete loses a \
         county's data with its claim; a finding.",
    ),
    default(
        "expansion",
        "true",
        Shape::Bool,
        "Whether volumes may grow. CHT upgrades need up to five times the space.",
    ),
    default("default", "true", Shape::Bool, "Whether it is the cluster's default class."),
    default(
        "binding",
        "\"Immediate\"",
        Shape::Choice(&["Immediate", "WaitForFirstConsumer"]),
        "When volumes are made.",
    ),
    default(
        "local_path",
        "\"disabled\"",
        Shape::Choice(&["disabled", "not-default", "default"]),
        "What happens to k3s' own class. Left as a default there are two; a finding.",
    ),
];

pub(super) static SNAPSHOTS: &[Key] = &[
    default(
        "enabled",
        "true",
        Shape::Bool,
        "Whether definitions, controller and class of snapshots are installed.",
    ),
    optional(
        "version",
        RELEASE,
        "Release of the snapshot controller; that of the CSI release otherwise.",
    )
    .example("\"v8.2.0\""),
    optional(
        "class",
        Shape::Text(&scalar::SUBDOMAIN),
        "Name of the snapshot class; that of the storage class otherwise.",
    )
    .example("\"vmware-sc\""),
    default(
        "deletion",
        "\"Retain\"",
        DELETION,
        "What happens to a snapshot whose object is deleted.",
    ),
];

pub(super) static TRAEFIK: &[Key] = &[
    default(
        "read_timeout",
        "\"1h\"",
        DURATION,
        "For a whole request with its body: phones upload slowly. 0s is no limit.",
    ),
    default(
        "write_timeout",
        "\"0s\"",
        DURATION,
        "For a whole response: replication streams for hours. 0s is no limit.",
    ),
    default("idle_timeout", "\"3m\"", DURATION, "Of connections between requests."),
    default("client_address", "true", Shape::Bool, "Whether pods see the client's own address."),
    default(
        "trusted_proxies",
        "[]",
        Shape::OneOrMany(&CIDR),
        "Whose X-Forwarded headers count; [network] ingress_from otherwise.",
    )
    .example("[\"10.20.1.10/32\"]"),
    default(
        "entry",
        "\"all\"",
        Shape::Choice(&["all", "servers", "agents"]),
        "Which machines answer on ports 80 and 443.",
    ),
];
