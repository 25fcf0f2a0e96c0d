//! `ingress-open`: requests can go round the outside proxy, which ends TLS, and forge the client
//! address that it passes on.

use super::words::is_anywhere;
use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("ingress-open", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let network = &facts.spec.network;
    let wide = network.ingress_from.iter().find(|from| is_anywhere(from));
    if network.firewall.value && (network.ingress_from.is_empty() || wide.is_some()) {
        let place = wide.map_or(&network.place, |from| &from.place);
        let help = "name the outside proxy's address: `ingress_from` in [network]";
        report.push(Problem::at(place, "ports 80 and 443 are open to everybody", help));
    }
}
