//! Objects of the cluster, as they stand and as they are asked for.

use serde_json::json;

use super::{Case, deny, in_world, warn};
use crate::plan::{Action, After, Cause, Difference, Impact};
use crate::resource::{Address, Edge, EdgeKind};
use crate::rules::testing::{readings, standing, wanted};

const CSI_ID: &str = "[csi]\ncluster_id = \"other\"\n[storage]";
const NAMESPACE: &str = "cluster/csi/Namespace/vmware-system-csi";
const SERVICE: &str = "cluster/csi/Service/controller";
const MAP: &str = "cluster/csi/ConfigMap/map";
const CPI: &str = "cluster/cpi/DaemonSet/vsphere-cloud-controller-manager";

fn image() -> Difference {
    Difference {
        path: "spec.template.spec.containers.manager.image".into(),
        before: Some(json!("manager:v1.34.0")),
        after: After::Known(json!("manager:v1.35.0")),
        cause: Cause::Spec,
        impact: Impact::Restart,
        sensitive: false,
        changed_by: None,
        origin: None,
    }
}

pub const CASES: &[Case] = &[
    in_world(
        || {
            let secret = json!({"annotations": {"boma.dev/cluster-id": "small"}});
            readings(&[("cluster/csi/Secret/vsphere-config-secret", secret)])
        },
        deny(
            "cluster-id",
            &[("[storage]", CSI_ID)],
            "the cluster id is `small`, and the spec changes it to `other`",
        ),
    ),
    warn(
        "cluster-id",
        &[("[storage]", "[csi]\ncluster_id = \"Cluster1\"\n[storage]")],
        "`Cluster1` is the name of the compute cluster, which every cluster on it may take",
    ),
    warn(
        "cluster-id",
        &[("[storage]", "[csi]\ncluster_id = \"a b\"\n[storage]")],
        "`a b` must be escaped wherever it is written",
    ),
    in_world(
        || {
            let made = json!({"data": {"clusterID": "8e1b"}});
            readings(&[("cluster/csi/ConfigMap/vsphere-csi-cluster-id", made)])
        },
        deny(
            "generated-cluster-id",
            &[],
            "the driver made itself the cluster id 8e1b, and does not start with `small` beside it",
        ),
    ),
    in_world(
        || {
            let class = |mark: &str| json!({"annotations": {mark: "true"}});
            let mark = "storageclass.kubernetes.io/is-default-class";
            readings(&[
                ("cluster/StorageClass/vmware-sc", class(mark)),
                ("cluster/StorageClass/local-path", class(mark)),
                ("cluster/StorageClass/nfs", class("other")),
            ])
        },
        warn(
            "default-class",
            &[],
            "`vmware-sc` is not the only default class: local-path is one too",
        ),
    ),
    in_world(
        || {
            let mark = "storageclass.kubernetes.io/is-default-class";
            let class = json!({"annotations": {mark: "true"}});
            wanted("cluster/csi/StorageClass/theirs", "StorageClass", &class)
        },
        deny("default-class", &[], "it is a default class, and so is `vmware-sc`"),
    ),
    in_world(
        || {
            let mut world = wanted("cluster/StorageClass/a", "StorageClass", &json!({}));
            let other = wanted("cluster/csi/StorageClass/a", "StorageClass", &json!({}));
            world.desired.resources.extend(other.desired.resources);
            world
        },
        deny("same-object", &[], "it is the same object as cluster/StorageClass/a"),
    ),
    in_world(
        || {
            let volume = |policy: &str, namespace: &str| {
                json!({"spec": {"persistentVolumeReclaimPolicy": policy,
                    "claimRef": {"namespace": namespace}}})
            };
            readings(&[
                ("cluster/PersistentVolume/pvc-1", volume("Delete", "cht-county-1")),
                ("cluster/PersistentVolume/pvc-2", volume("Retain", "cht-county-1")),
                ("cluster/PersistentVolume/pvc-3", volume("Delete", "monitoring")),
            ])
        },
        warn("reclaim-policy", &[], "volumes of projects are deleted with their claims: pvc-1"),
    ),
    in_world(
        || {
            let live = json!({"ready": false, "waiting": "1 of 3 pods is available"});
            standing(&[("cluster/csi/Deployment/vsphere-csi-controller", live)], |_| {})
        },
        warn(
            "not-ready",
            &[],
            "cluster/csi/Deployment/vsphere-csi-controller is as it should be and not ready: 1 of 3 pods is available",
        ),
    ),
    in_world(
        || {
            let waiting = "it is being deleted: finalizers x/y";
            let live = json!({"ready": false, "waiting": waiting});
            standing(&[(MAP, live)], |change| change.action = Action::Update)
        },
        warn(
            "not-ready",
            &[],
            "the plan changes cluster/csi/ConfigMap/map, and it is being deleted: finalizers x/y",
        ),
    ),
    in_world(
        || {
            let waiting = "it is being deleted: finalizers kubernetes";
            let live = json!({"ready": false, "waiting": waiting});
            // The second waits for what the plan changes, and is no finding of its own.
            standing(&[(NAMESPACE, live.clone()), (SERVICE, json!({})), (MAP, live)], |change| {
                let on = |kind, to: &str| Edge { kind, to: Address::from(to) };
                match change.address.as_str() {
                    SERVICE => {
                        change.action = Action::Create;
                        change.edges = vec![on(EdgeKind::LivesIn, NAMESPACE)];
                    }
                    MAP => change.edges = vec![on(EdgeKind::After, SERVICE)],
                    _ => {}
                }
            })
        },
        deny(
            "not-ready",
            &[],
            "cluster/csi/Namespace/vmware-system-csi takes nothing any more, and the plan writes \
             cluster/csi/Service/controller: it is being deleted: finalizers kubernetes",
        ),
    ),
    in_world(
        || {
            let live = json!({"ready": true});
            standing(&[("cluster/csi/Deployment/vsphere-csi-controller", live)], |change| {
                change.action = Action::Update;
                let by = |path: &str| Difference {
                    path: path.into(),
                    changed_by: Some("kubectl-edit".into()),
                    ..image()
                };
                change.attributes = vec![by("spec.replicas"), by("labels.a"), image()];
            })
        },
        warn(
            "foreign-manager",
            &[],
            "kubectl-edit wrote spec.replicas and labels.a of cluster/csi/Deployment/vsphere-csi-controller",
        ),
    ),
    in_world(
        || {
            wanted(
                "cluster/csi/ValidatingWebhookConfiguration/validation.csi.vsphere.vmware.com",
                "ValidatingWebhookConfiguration",
                &json!({"webhooks": [
                    {"name": "validation.csi.vsphere.vmware.com", "failurePolicy": "Fail"},
                    {"name": "harmless", "failurePolicy": "Ignore"},
                ]}),
            )
        },
        warn(
            "webhook-policy",
            &[],
            "validation.csi.vsphere.vmware.com must answer: what it checks cannot be changed while its pods are away",
        ),
    ),
    in_world(
        || {
            wanted(
                "cluster/csi/Deployment/extra",
                "Deployment",
                &json!({"spec": {"template": {"spec": {
                    "containers": [{"image": "registry.k8s.io/sound:v1"}],
                    "initContainers": [{"image": "k8s.gcr.io/old:v1"}],
                }}}}),
            )
        },
        deny("dead-registry", &[], "k8s.gcr.io/old:v1 cannot be pulled"),
    ),
];

/// A node whose provider id is wrong is a finding of its own.
pub const JOINED: &[Case] = &[in_world(
    || {
        let wrong = json!({"wrong_provider_ids": ["agent-1"]});
        standing(&[("k3s/server/server-1", wrong), (CPI, json!({}))], |change| {
            if change.address.as_str() == CPI {
                change.action = Action::Update;
                change.attributes = vec![image()];
            }
        })
    },
    deny(
        "cpi-provider-id",
        &[],
        "CPI v1.35.0 would not find the VM of agent-1: its provider id is not the BIOS UUID",
    ),
)];
