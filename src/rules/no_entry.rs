//! `no-entry`: k3s' load balancer is what binds ports 80 and 443 on the machines for Traefik (k3s
//! docs, `networking/networking-services.md`); without either no health worker reaches a project.

use super::{Facts, Problem, Rule};
use crate::spec::Disable;

/// See the file's head.
pub const RULE: Rule = Rule::warn("no-entry", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let disabled = facts.spec.k3s.disable.iter();
    for component in disabled.filter(|_| !facts.spec.projects.is_empty()) {
        let name = match component.value {
            Disable::Traefik => "traefik",
            Disable::ServiceLb => "servicelb",
            Disable::MetricsServer | Disable::CoreDns => continue,
        };
        let message = format!("nothing of k3s answers on ports 80 and 443 without {name}");
        let help = "remove it from `disable` in [k3s], or waive this with what answers instead";
        report.push(Problem::at(&component.place, message, help));
    }
}
