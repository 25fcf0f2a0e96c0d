//! `port-open`: etcd, kubelet and flannel trust whoever reaches them more than the network can be
//! trusted: 8472 must never be exposed (k3s docs, `installation/requirements.md`).

use super::words::is_anywhere;
use super::{Facts, Problem, Rule};
use crate::spec::Allow;

/// See the file's head.
pub const RULE: Rule = Rule::deny("port-open", check);

/// Between machines only, whose addresses boma opens by itself: etcd, kubelet, VXLAN.
const PEERS: [u16; 4] = [2379, 2380, 8472, 10250];

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let open = |allow: &&Allow| is_anywhere(&allow.from) && PEERS.contains(&allow.port.value);
    for allow in facts.spec.network.allow.iter().filter(open) {
        let message =
            format!("port {}, which is for machines only, is open to everybody", allow.port);
        let help =
            "remove the entry from `allow` in [network]: boma opens this port to the machines";
        report.push(Problem::at(&allow.place, message, help));
    }
}
