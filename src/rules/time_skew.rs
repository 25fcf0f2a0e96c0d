//! `time-skew`: a certificate made by the machine that is ahead is not valid yet on one that is
//! behind, so joins fail; etcd complains from one second on (`rafthttp/probing_status.go`). Clocks
//! are read in whole seconds, over a connection that takes its time. It is said before anything is
//! done, and refuses nothing: what the plan does to that machine fails there, and all others go on.

use super::words::count;
use super::{Facts, Problem, Rule, hosts};
use crate::resource::median;

/// See the file's head.
pub const RULE: Rule = Rule::warn("time-skew", check);

/// What the reading itself may be off.
const TOLERATED_S: i64 = 2;

const HELP: &str = "start the time service there (`timedatectl set-ntp true`) and name reachable servers in `ntp` \
     of [machines]";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let skews = facts.spec.all_machines().filter_map(|machine| {
        let skew = &hosts::seen(facts, machine)?["clock_skew_s"];
        let seconds = skew.as_i64().or_else(|| skew.as_f64().map(|skew| skew.round() as i64))?;
        Some((machine, seconds))
    });
    let skews: Vec<_> = skews.collect();
    let common = median(skews.iter().map(|(_, skew)| *skew).collect());
    let common = common.filter(|skew| skew.saturating_abs() > TOLERATED_S).unwrap_or(0);
    if common.saturating_abs() > TOLERATED_S {
        let message = format!("the machines' clocks are {} boma's", apart(common));
        report.push(Problem::new(message, "correct the clock of the machine that boma runs on"));
    }
    for (machine, skew) in skews {
        let skew = skew.saturating_sub(common);
        if skew.saturating_abs() <= TOLERATED_S {
            continue;
        }
        let reference = if common == 0 { "boma's" } else { "the others'" };
        let message = format!("the clock of {} is {} {reference}", *machine.name, apart(skew));
        report.push(Problem::new(message, HELP).about(&hosts::address(machine)));
    }
}

fn apart(skew: i64) -> String {
    let direction = if skew < 0 { "behind" } else { "ahead of" };
    format!("{} {direction}", count(skew.unsigned_abs(), "second"))
}
