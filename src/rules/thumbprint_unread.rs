//! `thumbprint-unread`: CPI before v1.30 compares the SHA-1 of a certificate, and a spec has its
//! SHA-256. It logs in nowhere then, and no node is ever initialised.

use super::{Facts, Problem, Rule, Version};
use crate::spec::Trust;
use crate::spec::releases::pins_by_sha256;

/// See the file's head.
pub const RULE: Rule = Rule::deny("thumbprint-unread", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let trust = &facts.spec.vcenter.trust;
    let cpi = &facts.spec.cloud_provider.version;
    let unread = Version::parse(cpi).is_some_and(|cpi| !pins_by_sha256(cpi));
    if unread && matches!(trust.value, Trust::Thumbprint(_)) {
        let message = format!("CPI {cpi} cannot compare a certificate's SHA-256");
        let help = "replace `thumbprint` in [vcenter] by `ca_file`";
        report.push(Problem::at(&trust.place, message, help));
    }
}
