//! `storage-account-name`: from v3.1 on CSI stops at the start unless the account is `name@domain`
//! or `DOMAIN\name`, with letters, digits, dots and hyphens in the domain and `_` in the name only
//! (`pkg/common/config/config.go`, isValidvCenterUsernameWithDomain). Other forms are no accounts
//! to boma either.

use super::{Facts, Problem, Rule, Version};

/// See the file's head.
pub const RULE: Rule = Rule::deny("storage-account-name", check);

const STRICT: Version = Version::new(3, 1, 0);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let principal = &facts.spec.vcenter.storage_account.principal;
    let csi = &facts.spec.csi.version;
    let strict = Version::parse(csi).is_some_and(|version| version >= STRICT);
    if strict && domain(principal).contains('_') {
        let message = format!("CSI {csi} refuses `{principal}`: its domain has an underscore");
        let help = "set `principal` in `[vcenter] storage_account` to an account of a domain \
                    without underscores";
        report.push(Problem::at(&principal.place, message, help));
    }
}

fn domain(principal: &str) -> &str {
    let before = principal.split_once('\\').map(|(domain, _)| domain);
    let after = principal.split_once('@').map(|(_, domain)| domain);
    before.or(after).unwrap_or("")
}
