//! `plaintext-password`: whoever can read ConfigMaps of kube-system reads the vCenter account that
//! can detach every volume. CPI does not need it there: with secretName and secretNamespace set,
//! user and password may be absent (cloud-provider-vsphere, `pkg/common/config/config_yaml.go`).

use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::deny("plaintext-password", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let password = &facts.spec.cloud_provider.password_in_config_map;
    if password.value {
        let message = "the storage account's password is in CPI's ConfigMap";
        let help = "remove `password_in_config_map` from [cloud_provider]: CPI reads the Secret";
        report.push(Problem::at(&password.place, message, help));
    }
}
