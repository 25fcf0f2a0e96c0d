//! Every rule.

use super::{
    Rule, anti_affinity, capacity, cluster_id, couchdb_spread, data_loss, dead_registry,
    default_class, docker_runtime, docker_version, duplicate_uuid, end_of_life, firewall_off,
    fixed_join_server, image_owner, ingress_open, kubeconfig_mode, level_ignored, local_volume,
    machine_size, no_backup, no_entry, no_ssh_key, node_deletion_off, plaintext_password,
    port_open, privileges, provider_id, quorum, reclaim_policy, shared_account, shared_token, site,
    ssh_open, storage_account_name, tls_off, unknown_rule, version_skew, volume_expansion,
    waiver_expired, waiver_unused, zone_tags,
};
use crate::diag::Level;

/// All rules but `waiver-unused`, which needs the findings of the others.
pub const RULES: [Rule; 40] = [
    anti_affinity::RULE,
    capacity::RULE,
    cluster_id::RULE,
    couchdb_spread::RULE,
    data_loss::RULE,
    dead_registry::RULE,
    default_class::RULE,
    docker_runtime::RULE,
    docker_version::RULE,
    duplicate_uuid::RULE,
    end_of_life::RULE,
    firewall_off::RULE,
    fixed_join_server::RULE,
    image_owner::RULE,
    ingress_open::RULE,
    kubeconfig_mode::RULE,
    level_ignored::RULE,
    local_volume::RULE,
    machine_size::RULE,
    no_backup::RULE,
    no_entry::RULE,
    no_ssh_key::RULE,
    node_deletion_off::RULE,
    plaintext_password::RULE,
    port_open::RULE,
    privileges::RULE,
    provider_id::RULE,
    quorum::RULE,
    reclaim_policy::RULE,
    shared_account::RULE,
    shared_token::RULE,
    site::RULE,
    ssh_open::RULE,
    storage_account_name::RULE,
    tls_off::RULE,
    unknown_rule::RULE,
    version_skew::RULE,
    volume_expansion::RULE,
    waiver_expired::RULE,
    zone_tags::RULE,
];

const NAMES: [&str; RULES.len() + 1] = {
    let mut names = [waiver_unused::NAME; RULES.len() + 1];
    let mut at = 0;
    while at < RULES.len() {
        names[at] = RULES[at].name;
        at += 1;
    }
    names
};

/// The names that waivers and `[rules]` may use, in no order that means anything.
pub fn known() -> &'static [&'static str] {
    &NAMES
}

/// Whether a level does not count: data loss may be waived, for a reason and a time, and not
/// switched off.
pub fn is_fixed(rule: &str, level: Level) -> bool {
    rule == data_loss::NAME && level < Level::Deny
}
