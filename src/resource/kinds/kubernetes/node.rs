//! `kubernetes/Node`: what boma says of a node; everything else of it is k3s's and its kubelet's.
//! Which taints a machine has is the spec's to say: one that somebody puts there besides keeps pods
//! off a machine that the capacity rule counts on.

use super::common::{PLAIN, any, kind, list};
use crate::resource::Kind;

/// Taints of the cluster autoscaler, which has no prefix for them.
const AUTOSCALER: [&str; 2] =
    ["ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler"];

/// Shape: `labels`, `annotations`; `taints`: matched by key, those of programs stay. Ready when the
/// kubelet says so and the cloud provider has initialised it. Deleting the resource takes labels
/// and taints away and leaves the node.
pub const NODE: Kind = kind!(
    "kubernetes/Node",
    Nature { deadline_s: 600, weight_s: 20, ..PLAIN },
    &[any("taints.*"), list("taints", "key").stray(is_by_hand)],
);

/// Whether people put a taint there: programs have to put a prefix before their keys (Kubernetes'
/// documentation, "Labels and Selectors", which taints follow).
fn is_by_hand(key: &str) -> bool {
    !key.contains('/') && !AUTOSCALER.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_of_programs_are_their_own() {
        let check = |key: &str, expected: bool| assert_eq!(is_by_hand(key), expected, "{key}");
        check("maintenance", true);
        check("node.kubernetes.io/unreachable", false);
        check("node.cloudprovider.kubernetes.io/uninitialized", false);
        check("ToBeDeletedByClusterAutoscaler", false);
    }
}
