//! `cluster-id`: it names this Kubernetes cluster in the vCenter. Two clusters with one id
//! de-register each other's volumes (vsphere-csi-driver issues 163, 422, 570, 2478). The guide
//! takes vCenter's id of the compute cluster, which every cluster on it would share.

use serde_json::Value as Json;

use super::{Facts, Problem, Rule, Version, cluster};
use crate::resource::Address;
use crate::spec::{Csi, Sp};

/// See the file's head.
pub const RULE: Rule = Rule::deny("cluster-id", check);

/// From here on the driver makes an id where none is given.
const GENERATES: Version = Version::new(3, 0, 0);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let csi = &facts.spec.csi;
    report.extend(match &csi.cluster_id {
        Some(id) => written(id).or_else(|| changed(facts, id)).or_else(|| odd(facts, id)),
        None => missing(csi),
    });
}

/// Where lowering writes the id in the open: the Secret that has it is sealed as a whole.
const SECRET: &str = "cluster/csi/Secret/vsphere-config-secret";
const ANNOTATION: &str = "boma.dev/cluster-id";

/// The id that boma gave to the driver; the recorded one where somebody took the Secret away.
pub fn in_use(facts: &Facts<'_>) -> Option<String> {
    let live = cluster::object(facts, SECRET);
    let recorded = || facts.prior?.resources.get(&Address::from(SECRET));
    let of = |secret: Json| secret["annotations"][ANNOTATION].as_str().map(str::to_owned);
    live.and_then(of).or_else(|| of(recorded()?.attributes.tree()))
}

/// The volumes that stand are registered under the id that they were made with.
fn changed(facts: &Facts<'_>, id: &Sp<String>) -> Option<Problem> {
    let before = in_use(facts).filter(|before| *before != id.value)?;
    let message = format!("the cluster id is `{before}`, and the spec changes it to `{id}`");
    let help = format!(
        "set `cluster_id` in [csi] to \"{before}\": volumes are registered under it, and another id \
         leaves them without an owner"
    );
    Some(Problem::at(&id.place, message, help))
}

/// What will do harm some day only.
fn odd(facts: &Facts<'_>, id: &Sp<String>) -> Option<Problem> {
    let help = "set `cluster_id` in [csi] to a name of letters, digits, dots and hyphens that no \
                other Kubernetes cluster of this vCenter has; never change one that is in use";
    let compute = &facts.spec.vcenter.cluster;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let message = if id.value == compute.value {
        format!("`{id}` is the name of the compute cluster, which every cluster on it may take")
    } else if !id.bytes().all(plain) {
        format!("`{id}` must be escaped wherever it is written")
    } else {
        return None;
    };
    Some(Problem::at(&id.place, message, help).warn())
}

fn written(id: &Sp<String>) -> Option<Problem> {
    is_compute_cluster(id).then(|| {
        let message = format!(
            "`{id}` is vCenter's id of a compute cluster, not a name of this Kubernetes cluster"
        );
        let help = "set `cluster_id` in [csi] to a name that no other Kubernetes cluster of this \
                    vCenter has";
        Problem::at(&id.place, message, help)
    })
}

fn missing(csi: &Csi) -> Option<Problem> {
    Version::parse(&csi.version).filter(|version| *version < GENERATES)?;
    let message = format!("CSI {} generates no cluster id", csi.version);
    let help = "remove `keep_generated_id` from [csi], and write the id that the cluster has in \
                `cluster_id`";
    Some(Problem::at(&csi.place, message, help))
}

/// `domain-c8`, the form of a compute cluster's managed object id.
fn is_compute_cluster(id: &str) -> bool {
    let number = id.strip_prefix("domain-c").unwrap_or("");
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}
