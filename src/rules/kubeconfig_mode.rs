//! `kubeconfig-mode`: k3s.yaml holds an administrator's key, so whoever can log in to a server and
//! read it owns the cluster (k3s docs, `cli/server.md`; the guide sets 644).

use super::words::names;
use super::{Facts, Problem, Rule, hosts};
use crate::spec::Machine;

/// See the file's head.
pub const RULE: Rule = Rule::deny("kubeconfig-mode", check);

const OTHERS: u32 = 0o007;
const KEY: &str = "write-kubeconfig-mode";

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let mode = &facts.spec.k3s.kubeconfig_mode;
    if mode.value & OTHERS != 0 {
        let message = format!("every user of a server may use k3s.yaml (mode {:04o})", mode.value);
        let help = "set `kubeconfig_mode` in [k3s] to \"0600\", or \"0640\" for a group";
        report.push(Problem::at(&mode.place, message, help));
        return;
    }
    let open = facts.spec.servers.iter().filter(|server| stays_open(facts, server));
    let open: Vec<&str> = open.map(|server| server.name.as_str()).collect();
    if !open.is_empty() {
        let message = format!("every user may use k3s.yaml of {}", names(&open));
        let help = "write `kubeconfig_mode = \"0600\"` in [k3s]: what stands already keeps its own \
                    mode otherwise";
        report.push(Problem::at(&mode.place, message, help).warn());
    }
}

fn stays_open(facts: &Facts<'_>, server: &Machine) -> bool {
    let path = format!("config.{KEY}");
    let corrected = hosts::change(facts, server)
        .is_some_and(|change| change.attributes.iter().any(|one| one.path == path));
    let live = hosts::k3s(facts, server);
    let mode = live.as_ref().and_then(|k3s| k3s["config"][KEY].as_str());
    let mode = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok());
    !corrected && mode.is_some_and(|mode| mode & OTHERS != 0)
}
