//! `kubernetes/Node`: what boma says of a node; everything else of it is k3s's and its kubelet's.

use super::common::{PLAIN, any, kind, list};
use crate::resource::Kind;

/// Shape: `labels`, `annotations`; `taints`: matched by key, those of others stay. Ready when the
/// kubelet says so and the cloud provider has initialised it. Deleting the resource takes labels
/// and taints away and leaves the node.
pub const NODE: Kind = kind!(
    "kubernetes/Node",
    Nature { deadline_s: 600, weight_s: 20, ..PLAIN },
    &[any("taints.*"), list("taints", "key")],
);
