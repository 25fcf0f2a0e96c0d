//! `zone-tags`: with labels set, CPI fails on every machine whose host, cluster and datacenter lack
//! such tags (cloud-provider-vsphere, `pkg/common/connectionmanager/zones.go`), and an
//! uninitialised node runs no pod. boma does not make tags.

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("zone-tags", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let cpi = &facts.spec.cloud_provider;
    if let (Some(region), Some(zone)) = (&cpi.region, &cpi.zone) {
        let message = format!("machines without tags of `{region}` and `{zone}` never get ready");
        let help = "tag every host or cluster in vCenter first, or remove `region` and `zone` from \
                    [cloud_provider]";
        report.push(Problem::at(&region.place, message, help));
    }
}
