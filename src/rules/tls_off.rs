//! `tls-off`: without a check of the certificate anybody between boma and the vCenter can read the
//! password of an account that may delete every machine; CPI and CSI get the same setting (the
//! guide's `curl -k`).

use super::{Facts, Problem, Rule};
use crate::spec::Trust;

/// See the file's head.
pub const RULE: Rule = Rule::deny("tls-off", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let trust = &facts.spec.vcenter.trust;
    if trust.value == Trust::Insecure {
        let message = "the vCenter's certificate is not checked";
        let help = "replace `insecure` in [vcenter] by `ca_file`, or by `thumbprint` with the \
                    certificate's SHA-256";
        report.push(Problem::at(&trust.place, message, help));
    }
}
