//! `generated-cluster-id`: a driver that once ran without a cluster id made one, in the immutable
//! ConfigMap `vsphere-csi-cluster-id`. Where the Secret has one too, the controller ends at once
//! (vsphere-csi-driver, `pkg/csi/service/driver.go`), and no volume is attached any more.

use super::{Facts, Problem, Rule, cluster};

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
    let help = "write `keep_generated_id = true` in [csi] in place of `cluster_id`: the volumes \
                that stand are registered under the generated one";
    report.push(Problem::at(&id.place, message, help));
}
