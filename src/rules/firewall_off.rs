//! `firewall-off`: whoever reaches a machine reaches etcd, kubelet and flannel's VXLAN port, which
//! takes packets into the pod network from anybody and must never be exposed (k3s docs,
//! `installation/requirements.md`).

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("firewall-off", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let firewall = &facts.spec.network.firewall;
    if !firewall.value {
        let message = "boma keeps no firewall rules on the machines";
        let help =
            "remove `firewall` from [network], or waive this with what protects them instead";
        report.push(Problem::at(&firewall.place, message, help));
    }
}
