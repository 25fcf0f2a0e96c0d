//! `kubeconfig-mode`: k3s.yaml holds an administrator's key, so whoever can log in to a server and
//! read it owns the cluster (k3s docs, `cli/server.md`; the guide sets 644).

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::deny("kubeconfig-mode", check);

const OTHERS: u32 = 0o007;

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let mode = &facts.spec.k3s.kubeconfig_mode;
    if mode.value & OTHERS != 0 {
        let message = format!("every user of a server may use k3s.yaml (mode {:04o})", mode.value);
        let help = "set `kubeconfig_mode` in [k3s] to \"0600\", or \"0640\" for a group";
        report.push(Problem::at(&mode.place, message, help));
    }
}
