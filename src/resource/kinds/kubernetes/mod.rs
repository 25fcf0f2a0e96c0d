//! `kubernetes/*`: objects of the cluster, as server-side apply writes them.
//!
//! The shape of all: the manifest without apiVersion, kind, metadata and status, with `labels` and
//! `annotations` at the top: `{"labels": …, "annotations": …, "spec": …}`. A Secret's `data` is
//! plain text; bytes that are no text are under `binary_data`, in base64. A Node has `labels`,
//! `annotations` and `taints` only.
//!
//! Computed: `uid`. Volatile: `ready`; `waiting`: why it is not, absent where it is; `owned`: what
//! of the object boma wrote, by the API's own books; `managers`: a map from a path to the name of
//! the one other manager of everything below it; `managed_by`: the program that made the object as part
//! of a release and still has an entry in its books, which boma removes: `helm`; `generation`.

mod common;
mod config;
mod custom;
mod network;
mod node;
mod policy;
mod project;
mod rbac;
mod storage;
mod workload;

use crate::resource::Kind;

pub use custom::{DEFINITION, OBJECT};

/// Every kind, in the order in which a cluster needs them.
pub(super) const ALL: &[Kind] = &[
    config::NAMESPACE,
    project::NAMESPACE,
    config::SECRET,
    project::CREDENTIALS,
    config::CONFIG_MAP,
    rbac::SERVICE_ACCOUNT,
    rbac::ROLE,
    rbac::ROLE_BINDING,
    rbac::CLUSTER_ROLE,
    rbac::CLUSTER_ROLE_BINDING,
    DEFINITION,
    custom::HELM_CHART_CONFIG,
    OBJECT,
    policy::PRIORITY_CLASS,
    policy::RUNTIME_CLASS,
    policy::LIMIT_RANGE,
    policy::RESOURCE_QUOTA,
    policy::NETWORK_POLICY,
    storage::CSI_DRIVER,
    storage::STORAGE_CLASS,
    storage::SNAPSHOT_CLASS,
    storage::VOLUME,
    storage::CLAIM,
    network::SERVICE,
    network::ENDPOINT_SLICE,
    network::INGRESS_CLASS,
    network::INGRESS,
    workload::DEPLOYMENT,
    workload::DAEMON_SET,
    workload::STATEFUL_SET,
    workload::REPLICA_SET,
    workload::JOB,
    workload::CRON_JOB,
    workload::POD,
    project::SELF_UPGRADING,
    node::NODE,
];

/// Kinds that boma makes nothing of itself: they come in manifests that somebody supplies.
pub const FOREIGN: &[Kind] = &[
    OBJECT,
    policy::RUNTIME_CLASS,
    network::ENDPOINT_SLICE,
    network::INGRESS_CLASS,
    workload::STATEFUL_SET,
    workload::REPLICA_SET,
    workload::JOB,
    workload::CRON_JOB,
    workload::POD,
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::Effect;

    /// What the API refuses to change of an object (the validation of updates in Kubernetes'
    /// `pkg/apis/*/validation`). A plan that called it an update would fail halfway.
    const FOR_GOOD: &[(&str, &[&str])] = &[
        ("ClusterRoleBinding", &["roleRef.name"]),
        ("CSIDriver", &["spec.attachRequired", "spec.volumeLifecycleModes"]),
        (
            "CustomResourceDefinition",
            &["spec.group", "spec.names.kind", "spec.names.plural", "spec.scope"],
        ),
        ("DaemonSet", &["spec.selector.matchLabels.app"]),
        ("Deployment", &["spec.selector.matchLabels.app"]),
        ("EndpointSlice", &["addressType"]),
        ("IngressClass", &["spec.controller"]),
        (
            "Job",
            &[
                "spec.template.spec.containers.a.image",
                "spec.template.metadata.labels.a",
                "spec.selector.matchLabels.a",
                "spec.completionMode",
                "spec.completions",
            ],
        ),
        ("PersistentVolume", &["spec.csi.volumeHandle"]),
        (
            "PersistentVolumeClaim",
            &["spec.storageClassName", "spec.accessModes", "spec.volumeName", "spec.volumeMode"],
        ),
        (
            "Pod",
            &["spec.containers.a.command", "spec.volumes.a.secret.secretName", "spec.hostNetwork"],
        ),
        ("PriorityClass", &["value", "preemptionPolicy"]),
        ("ReplicaSet", &["spec.selector.matchLabels.app"]),
        ("ResourceQuota", &["spec.scopes"]),
        ("RoleBinding", &["roleRef.kind"]),
        ("RuntimeClass", &["handler"]),
        ("Secret", &["type"]),
        ("Service", &["spec.clusterIP", "spec.healthCheckNodePort", "spec.loadBalancerClass"]),
        (
            "StatefulSet",
            &[
                "spec.serviceName",
                "spec.selector.matchLabels.app",
                "spec.podManagementPolicy",
                "spec.volumeClaimTemplates.data.spec.resources.requests.storage",
            ],
        ),
        (
            "StorageClass",
            &["provisioner", "parameters.datastoreurl", "reclaimPolicy", "volumeBindingMode"],
        ),
        ("VolumeSnapshotClass", &["driver", "deletionPolicy", "parameters.x"]),
    ];

    /// What it does change there.
    const FREE: &[(&str, &str)] = &[
        ("CronJob", "spec.jobTemplate.spec.template.spec.containers.a.image"),
        ("Job", "spec.parallelism"),
        ("Job", "spec.suspend"),
        ("PersistentVolume", "spec.persistentVolumeReclaimPolicy"),
        ("Pod", "spec.containers.a.image"),
        ("ReplicaSet", "spec.template.spec.containers.a.image"),
        ("Service", "spec.ports.80.targetPort"),
        ("StatefulSet", "spec.replicas"),
        ("StatefulSet", "spec.template.spec.containers.a.image"),
        ("StatefulSet", "spec.updateStrategy.type"),
    ];

    #[test]
    fn what_the_api_keeps_for_good_is_no_update() {
        let (before, after) = (json!("a"), json!("b"));
        let effect = |kind: &str, path: &str, live| {
            let kind = Kind::named(&format!("kubernetes/{kind}")).map(|kind| kind.field(path));
            kind.map(|field| field.effect.on(&live, Some(&before), Some(&after)))
        };
        let demands = |effect| matches!(effect, Some(Effect::Replace | Effect::Refuse(_)));
        for (kind, paths) in FOR_GOOD {
            for path in *paths {
                assert!(demands(effect(kind, path, json!({}))), "{kind} {path}");
            }
        }
        for (kind, path) in FREE {
            assert!(!demands(effect(kind, path, json!({}))), "{kind} {path}");
        }
        for (kind, path) in [
            ("ConfigMap", "data.a"),
            ("ConfigMap", "data.vsphere.conf"),
            ("ConfigMap", "binaryData.a"),
            ("Secret", "data.a"),
            ("Secret", "binary_data.a"),
        ] {
            assert_eq!(effect(kind, path, json!({})), Some(Effect::InPlace), "{kind} {path}");
            let sealed = effect(kind, path, json!({"immutable": true}));
            assert_eq!(sealed, Some(Effect::Replace), "{kind} {path}");
        }
    }
}
