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

pub use custom::OBJECT;

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
    custom::DEFINITION,
    custom::HELM_CHART_CONFIG,
    OBJECT,
    policy::PRIORITY_CLASS,
    policy::LIMIT_RANGE,
    policy::RESOURCE_QUOTA,
    policy::NETWORK_POLICY,
    storage::CSI_DRIVER,
    storage::STORAGE_CLASS,
    storage::SNAPSHOT_CLASS,
    storage::VOLUME,
    storage::CLAIM,
    network::SERVICE,
    network::INGRESS,
    workload::DEPLOYMENT,
    workload::DAEMON_SET,
    project::SELF_UPGRADING,
    node::NODE,
];
