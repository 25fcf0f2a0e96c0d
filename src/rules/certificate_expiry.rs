//! `certificate-expiry`: k3s' own certificates hold a year and are renewed at a start in their last
//! 90 days (k3s docs, `advanced.md`). A machine that never restarts drops out of the cluster.

use super::words::count;
use super::{Facts, Problem, Rule, hosts};
use crate::spec::Role;

/// See the file's head.
pub const RULE: Rule = Rule::warn("certificate-expiry", check);

const SOON_DAYS: i64 = 30;

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    for machine in facts.spec.all_machines() {
        let seen = hosts::seen(facts, machine);
        let days = seen.and_then(|seen| seen["k3s_certificate_days"].as_i64());
        let Some(days) = days.filter(|days| *days < SOON_DAYS) else { continue };
        let name = &machine.name;
        let message = match days {
            ..0 => format!("certificates of k3s on {name} have ended"),
            _ => {
                let days = count(days.unsigned_abs(), "day");
                format!("certificates of k3s on {name} end in {days}")
            }
        };
        let unit = match machine.role {
            Role::Server => "k3s",
            Role::Agent => "k3s-agent",
        };
        let help = format!(
            "restart k3s there, which renews them: `systemctl restart {unit}`, one machine at a time"
        );
        report.push(Problem::new(message, help).about(&hosts::address(machine)));
    }
}
