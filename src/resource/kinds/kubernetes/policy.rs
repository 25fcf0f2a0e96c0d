//! What limits pods and namespaces.

use super::common::{PLAIN, any, fixed, kind, list};
use crate::resource::Kind;

/// Shape: `value`, `globalDefault`, `description`.
pub const PRIORITY_CLASS: Kind =
    kind!("kubernetes/PriorityClass", PLAIN, &[fixed("value"), fixed("preemptionPolicy")]);

/// Shape: `handler`, `overhead`, `scheduling`.
pub const RUNTIME_CLASS: Kind = kind!("kubernetes/RuntimeClass", PLAIN, &[fixed("handler")]);

/// Shape: `spec.limits`: a list of amounts by name, for each type of thing.
pub const LIMIT_RANGE: Kind =
    kind!("kubernetes/LimitRange", PLAIN, &[any("spec.limits.*"), list("spec.limits", "type"),],);

/// Shape: `spec.hard`: amounts by name.
pub const RESOURCE_QUOTA: Kind = kind!("kubernetes/ResourceQuota", PLAIN, &[fixed("spec.scopes")]);

/// Shape: `spec.podSelector`, `spec.ingress`, `spec.policyTypes`.
pub const NETWORK_POLICY: Kind = kind!("kubernetes/NetworkPolicy", PLAIN);
