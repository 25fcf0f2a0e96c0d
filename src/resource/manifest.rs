//! What paths of Kubernetes objects say of their values, whatever the kind.
//!
//! Source: the types of `k8s.io/api`: which fields are a `Quantity`, and which have a `mapType`,
//! `structType` or `listType` that is atomic.

/// Keys below which every amount is one: `1024Mi` is answered as `1Gi`. In a list of a LimitRange
/// they are a level further down.
const AMOUNTS: [&str; 5] = ["limits", "requests", "capacity", "hard", "overhead"];

/// Keys that are an amount themselves.
const AMOUNT: [&str; 2] = ["sizeLimit", "divisor"];

/// Maps and lists that are one at the top, and wherever they are.
const WHOLE_AT: [&str; 3] = ["rules", "spec.selector", "spec.podSelector"];
const WHOLE: [&str; 3] = ["nodeSelector", "nodeSelectorTerms", "tolerations"];

/// Whether a path is one of an amount.
pub fn is_amount(path: &str) -> bool {
    AMOUNT.contains(&last(path)) || path.split('.').any(|key| AMOUNTS.contains(&key))
}

/// Whether the API owns and writes what is at a path as one, and adds nothing to it: one more key
/// is somebody else's change of the whole, as that of a selector that no node meets.
pub fn is_whole(path: &str) -> bool {
    WHOLE_AT.contains(&path) || WHOLE.contains(&last(path))
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_wholes_are_told_by_their_paths() {
        assert!(is_amount("spec.template.spec.volumes.tmp.emptyDir.sizeLimit"));
        assert!(is_amount("spec.limits.Container.max"));
        assert!(!is_amount("spec.cpu") && !is_amount("data.limit"));
        assert!(is_whole("spec.selector") && is_whole("spec.template.spec.nodeSelector"));
        assert!(!is_whole("spec.rules") && !is_whole("spec.template.spec"));
    }
}
