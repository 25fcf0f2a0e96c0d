//! `generated-cluster-id`: a driver that once ran without a cluster id made one, in the immutable
//! ConfigMap `vsphere-csi-cluster-id`. Where the Secret has one too, the controller ends at once
//! (vsphere-csi-driver, `pkg/csi/service/driver.go`), and no volume is attached any more.

use super::{Facts, Problem, Rule, cluster, cluster_id};

/// See the file's head.
pub const RULE: Rule = Rule::deny("generated-cluster-id", check);

/// Where the driver keeps the id that it made. Shape: `{"data": {"clusterID": …}}`.
const ADDRESS: &str = "cluster/csi/ConfigMap/vsphere-csi-cluster-id";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let Some(id) = &facts.spec.csi.cluster_id else { return };
    let Some(config_map) = cluster::object(facts, ADDRESS) else { return };
    let generated = config_map["data"]["clusterID"].as_str().unwrap_or("that nobody knows");
    let message = format!(
        "the driver made itself the cluster id {generated}, and does not start with `{id}` beside it"
    );
    let help = if cluster_id::in_use(facts).is_some_and(|in_use| in_use == id.value) {
        format!(
            "somebody took `{id}` out of the driver's Secret for a while; the volumes are registered \
             under `{id}`: `kubectl delete configmap -n vmware-system-csi vsphere-csi-cluster-id`, \
             then apply"
        )
    } else {
        "write `keep_generated_id = true` in [csi] in place of `cluster_id`: the volumes that stand \
         are registered under the generated one"
            .to_owned()
    };
    report.push(Problem::at(&id.place, message, help));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rules::testing::{findings, readings, spec};

    fn check(secret: serde_json::Value, expected: &str) {
        let made = json!({"data": {"clusterID": "8e1b"}});
        let world = readings(&[(super::ADDRESS, made), (SECRET, secret)]);
        let found = findings(&spec(&[]), &world);
        let helps: Vec<_> = found.iter().map(|one| one.help.as_str()).collect();
        assert!(helps.iter().any(|help| help.contains(expected)), "{helps:?}");
    }

    const SECRET: &str = "cluster/csi/Secret/vsphere-config-secret";

    /// Keeping it would leave every volume that stands without an owner.
    #[test]
    fn an_id_made_beside_the_one_in_use_goes() {
        check(json!({"annotations": {"boma.dev/cluster-id": "small"}}), "kubectl delete configmap");
        check(json!({}), "keep_generated_id = true");
    }
}
