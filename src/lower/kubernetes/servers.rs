//! What pods on the k3s servers put up with.

use serde_json::{Value as Json, json};

use crate::spec::{Spec, TaintEffect};

/// Taints that servers may have by their role.
const ROLE_TAINTS: [&str; 2] =
    ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/// The servers' taints: those of their role, and those that the spec gives them.
pub fn tolerations(spec: &Spec) -> Vec<Json> {
    let mut taints: Vec<(&str, &str)> =
        ROLE_TAINTS.iter().map(|key| (*key, "NoSchedule")).collect();
    for taint in spec.servers.iter().flat_map(|server| &server.taints) {
        let effect = match taint.effect {
            TaintEffect::NoSchedule => "NoSchedule",
            TaintEffect::NoExecute => "NoExecute",
            TaintEffect::PreferNoSchedule => continue,
        };
        if !taints.contains(&(&taint.key, effect)) {
            taints.push((&taint.key, effect));
        }
    }
    let toleration = |(key, effect)| json!({ "key": key, "operator": "Exists", "effect": effect });
    taints.into_iter().map(toleration).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    fn check(taints: &str, expected: &[(&str, &str)]) {
        let spec = spec(&[("[agents]", &format!("taints = [{taints}]\n\n[agents]"))]);
        let found = tolerations(&spec);
        let found = found.iter().map(|one| (one["key"].as_str(), one["effect"].as_str()));
        let found: Vec<_> = found.map(|(key, effect)| (key.unwrap(), effect.unwrap())).collect();
        assert_eq!(found[..2].iter().map(|one| one.0).collect::<Vec<_>>(), ROLE_TAINTS);
        assert_eq!(&found[2..], expected, "{taints}");
    }

    #[test]
    fn pods_tolerate_what_the_spec_does_to_its_servers() {
        check("", &[]);
        check("\"node-role.kubernetes.io/control-plane:NoSchedule\"", &[]);
        check("\"critical=true:NoExecute\"", &[("critical", "NoExecute")]);
        check("\"slow:PreferNoSchedule\"", &[]);
    }
}
