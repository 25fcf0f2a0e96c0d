//! What all projects share in the cluster.

use serde_json::json;

use super::{Case, deny, in_world, warn};
use crate::plan::Action;
use crate::rules::testing::{disturbing, readings};

pub const CASES: &[Case] = &[
    deny(
        "cluster-id",
        &[("[storage]", "[csi]\ncluster_id = \"domain-c8\"\n[storage]")],
        "`domain-c8` is vCenter's id of a compute cluster, not a name of this Kubernetes cluster",
    ),
    deny(
        "default-class",
        &[("\"vmware-sc\"", "\"vmware-sc\"\nlocal_path = \"default\"")],
        "`vmware-sc` and k3s' local-path are both default classes",
    ),
    warn(
        "default-class",
        &[("\"vmware-sc\"", "\"vmware-sc\"\ndefault = false")],
        "`vmware-sc` is not the default class; no class is",
    ),
    warn(
        "fixed-join-server",
        &[("[k3s]", "[k3s]\njoin_server = \"server-1\"")],
        "machines join at server-1 only",
    ),
    deny(
        "local-volume",
        &[("nodes = 3", "nodes = 3, storage_class = \"local-path\"")],
        "the data of county-1 and 3 more is on single machines' own disks",
    ),
    deny(
        "no-backup",
        &[
            ("[backup]\nmode = \"managed\"\n\n[backup.etcd.s3]", "[images.credentials.x]"),
            ("endpoint = \"s3.example.org\"\nbucket = \"etcd\"\n", ""),
            ("access_key", "username"),
            ("secret_key", "password"),
        ],
        "nothing takes backups of `small`",
    ),
    warn(
        "no-backup",
        &[
            ("[backup.etcd.s3]", "[images.credentials.x]"),
            ("endpoint = \"s3.example.org\"\nbucket = \"etcd\"\n", ""),
            ("access_key", "username"),
            ("secret_key", "password"),
        ],
        "snapshots of etcd stay on the servers' own disks",
    ),
    warn(
        "no-snapshots",
        &[("no-snapshots = \"allow\"\n", "")],
        "nothing takes snapshots of the volumes of county-1 and 3 more: [backup.projects] is read and \
         not yet carried out",
    ),
    warn(
        "no-entry",
        &[("[k3s]", "[k3s]\ndisable = [\"servicelb\"]")],
        "nothing of k3s answers on ports 80 and 443 without servicelb",
    ),
    in_world(
        || readings(&[("k3s/server/server-1", json!({"wrong_provider_ids": ["agent-1"]}))]),
        warn("wrong-provider-id", &[], "the provider id of agent-1 is not the BIOS UUID of its VM"),
    ),
    in_world(
        || {
            let read = [("k3s/server/server-1", json!({"wrong_provider_ids": ["agent-1"]}))];
            disturbing(&read, &[("k3s/agent/agent-2", Action::Update)])
        },
        deny(
            "wrong-provider-id",
            &[],
            "no node may restart while the provider id of agent-1 is not the BIOS UUID of its VM",
        ),
    ),
    warn(
        "node-deletion-off",
        &[("[storage]", "[cloud_provider]\nskip_node_deletion = true\n[storage]")],
        "nodes stay in the cluster after their machines are gone",
    ),
    deny(
        "provider-id",
        &[("[k3s]", "[k3s]\nprovider_id = \"instance-uuid\"")],
        "nodes are named by the instance UUID, by which CPI finds no machine",
    ),
    deny(
        "reclaim-policy",
        &[("\"vmware-sc\"", "\"vmware-sc\"\nreclaim = \"Delete\"")],
        "a volume is deleted with its claim",
    ),
    warn(
        "reclaim-policy",
        &[("[storage]", "[snapshots]\ndeletion = \"Delete\"\n[storage]")],
        "a snapshot is deleted with its object in the cluster",
    ),
    deny(
        "storage-account-name",
        &[("storage@vsphere.local", "storage@my_domain")],
        "CSI v3.7.2 refuses `storage@my_domain`: its domain has an underscore",
    ),
    warn(
        "volume-expansion",
        &[("\"vmware-sc\"", "\"vmware-sc\"\nexpansion = false")],
        "volumes cannot grow",
    ),
    warn(
        "zone-tags",
        &[(
            "[storage]",
            "[cloud_provider]\nregion = \"k8s-region\"\nzone = \"k8s-zone\"\n[storage]",
        )],
        "machines without tags of `k8s-region` and `k8s-zone` never get ready",
    ),
];
