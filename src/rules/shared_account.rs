//! `shared-account`: CPI and CSI keep their account in the cluster. boma's own account may delete
//! machines and grant roles; the storage account needs the CNS roles and ReadOnly, no more.

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("shared-account", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let vcenter = &facts.spec.vcenter;
    let storage = &vcenter.storage_account.password;
    if storage.value == vcenter.password.value {
        let message = format!("CPI and CSI log in with boma's own password ({storage})");
        let help = "make an account for them, and name its password in `[vcenter] storage_account`";
        report.push(Problem::at(&storage.place, message, help));
    }
}
