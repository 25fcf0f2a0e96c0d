//! Every rule.

use super::{
    Rule, abandoned_in_spec, adopted_additions, anti_affinity, bios_uuid, capacity,
    certificate_expiry, cgroup_version, cht_downgrade, cht_newer, cht_upgrade_path, cluster_id,
    couchdb_nodes, couchdb_spread, county_names, cpi_provider_id, credentials_lost, critical_flags,
    data_loss, dead_registry, default_class, docker_runtime, docker_version, duplicate_hostname,
    duplicate_machine_id, duplicate_uuid, end_of_life, firewall_off, fixed_join_server,
    foreign_manager, generated_cluster_id, helm_release, host_size, hostname, image_owner,
    ingress_open, join_endpoint, kubeconfig_mode, level_ignored, local_volume, lock_behind,
    machine_size, no_backup, no_default_route, no_entry, no_lock, no_snapshots, no_ssh_key,
    node_deletion_off, node_down, not_ready, plaintext_password, port_open, privileges,
    provider_id, quorum, reclaim_policy, same_object, shared_account, shared_token, site,
    spare_voter, ssh_open, storage_account_name, storage_class, storage_shrunk, thumbprint_unread,
    time_skew, tls_off, token_refused, unknown_rule, upgrade_path, version_skew, volume_expansion,
    waiver_expired, waiver_unused, webhook_policy, wrong_provider_id, zone_tags,
};
use crate::diag::Level;

/// All rules but `waiver-unused`, which needs the findings of the others.
pub const RULES: [Rule; 77] = [
    abandoned_in_spec::RULE,
    adopted_additions::RULE,
    anti_affinity::RULE,
    bios_uuid::RULE,
    capacity::RULE,
    certificate_expiry::RULE,
    cgroup_version::RULE,
    cht_downgrade::RULE,
    cht_newer::RULE,
    cht_upgrade_path::RULE,
    cluster_id::RULE,
    couchdb_nodes::RULE,
    couchdb_spread::RULE,
    county_names::RULE,
    cpi_provider_id::RULE,
    credentials_lost::RULE,
    critical_flags::RULE,
    data_loss::RULE,
    dead_registry::RULE,
    default_class::RULE,
    docker_runtime::RULE,
    docker_version::RULE,
    duplicate_hostname::RULE,
    duplicate_machine_id::RULE,
    duplicate_uuid::RULE,
    end_of_life::RULE,
    firewall_off::RULE,
    fixed_join_server::RULE,
    foreign_manager::RULE,
    generated_cluster_id::RULE,
    helm_release::RULE,
    host_size::RULE,
    hostname::RULE,
    image_owner::RULE,
    ingress_open::RULE,
    join_endpoint::RULE,
    kubeconfig_mode::RULE,
    level_ignored::RULE,
    local_volume::RULE,
    lock_behind::RULE,
    machine_size::RULE,
    no_backup::RULE,
    no_default_route::RULE,
    no_entry::RULE,
    no_lock::RULE,
    no_snapshots::RULE,
    no_ssh_key::RULE,
    node_deletion_off::RULE,
    node_down::RULE,
    not_ready::RULE,
    plaintext_password::RULE,
    port_open::RULE,
    privileges::RULE,
    provider_id::RULE,
    quorum::RULE,
    reclaim_policy::RULE,
    same_object::RULE,
    shared_account::RULE,
    shared_token::RULE,
    site::RULE,
    spare_voter::RULE,
    ssh_open::RULE,
    storage_account_name::RULE,
    storage_class::RULE,
    storage_shrunk::RULE,
    thumbprint_unread::RULE,
    time_skew::RULE,
    tls_off::RULE,
    token_refused::RULE,
    unknown_rule::RULE,
    upgrade_path::RULE,
    version_skew::RULE,
    volume_expansion::RULE,
    waiver_expired::RULE,
    webhook_policy::RULE,
    wrong_provider_id::RULE,
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
