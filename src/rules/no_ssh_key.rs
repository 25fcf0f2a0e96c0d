//! `no-ssh-key`: a machine that boma clones lets in who has one of `authorized_keys`, and nobody
//! by password. Without a key only its template's own users can log in.

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("no-ssh-key", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let ssh = &facts.spec.ssh;
    let cloned = facts.spec.all_machines().any(|machine| machine.template.is_some());
    if cloned && ssh.authorized_keys.is_empty() {
        let message = "new machines accept no SSH key that the spec knows";
        let help = "put the line of the .pub file into `authorized_keys` of [ssh], unless the \
            template has the user and its key";
        report.push(Problem::at(&ssh.place, message, help));
    }
}
