//! What limits pods and namespaces.

use super::common::{PLAIN, amount, fixed, kind};
use crate::resource::Kind;

/// Shape: `value`, `globalDefault`, `description`.
pub const PRIORITY_CLASS: Kind =
    kind!("kubernetes/PriorityClass", PLAIN, &[fixed("value"), fixed("preemptionPolicy")]);

/// Shape: `spec.limits`.
pub const LIMIT_RANGE: Kind = kind!("kubernetes/LimitRange", PLAIN);

/// Shape: `spec.hard`: amounts by name.
pub const RESOURCE_QUOTA: Kind =
    kind!("kubernetes/ResourceQuota", PLAIN, &[amount("spec.hard"), fixed("spec.scopes")]);

/// Shape: `spec.podSelector`, `spec.ingress`, `spec.policyTypes`.
pub const NETWORK_POLICY: Kind = kind!("kubernetes/NetworkPolicy", PLAIN);
