//! Who may do what in the cluster.

use super::common::{PLAIN, fixed, kind};
use crate::resource::Kind;

/// An account of pods.
pub const SERVICE_ACCOUNT: Kind = kind!("kubernetes/ServiceAccount", PLAIN);

/// Shape: `rules`.
pub const ROLE: Kind = kind!("kubernetes/Role", PLAIN);

/// Shape: `roleRef`, `subjects`.
pub const ROLE_BINDING: Kind = kind!("kubernetes/RoleBinding", PLAIN, &[fixed("roleRef")]);

/// Shape: `rules`.
pub const CLUSTER_ROLE: Kind = kind!("kubernetes/ClusterRole", PLAIN);

/// Shape: `roleRef`, `subjects`.
pub const CLUSTER_ROLE_BINDING: Kind =
    kind!("kubernetes/ClusterRoleBinding", PLAIN, &[fixed("roleRef")]);
