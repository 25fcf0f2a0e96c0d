//! `provider-id`: CPI looks machines up by BIOS UUID (cloud-provider-vsphere,
//! `pkg/common/vclib/datacenter.go`). One named by its instance UUID is not found, so its Node is
//! deleted once it is not Ready; on a server that also removes the etcd member.

use super::{Facts, Problem, Rule};
use crate::spec::ProviderId;

/// See the file's head.
pub const RULE: Rule = Rule::deny("provider-id", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let id = &facts.spec.k3s.provider_id;
    if id.value == ProviderId::InstanceUuid {
        let message = "nodes are named by the instance UUID, by which CPI finds no machine";
        let help = "set `provider_id` in [k3s] to \"bios-uuid\"; a node that stands must join anew";
        report.push(Problem::at(&id.place, message, help));
    }
}
