//! What a spec and a plan may be right and still risky in: one rule a file, each a pure function
//! from facts to problems, then the spec's levels and waivers over all of them.

mod adopted_additions;
mod anti_affinity;
mod bios_uuid;
mod capacity;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod cases;
mod certificate_expiry;
mod cgroup_version;
mod cht_downgrade;
mod cht_newer;
mod cht_upgrade_path;
mod cluster;
mod cluster_id;
mod couchdb_nodes;
mod couchdb_spread;
mod county_names;
mod cpi_provider_id;
mod credentials_lost;
mod critical_flags;
mod data_loss;
mod dead_registry;
mod default_class;
mod docker_runtime;
mod docker_version;
mod duplicate_hostname;
mod duplicate_machine_id;
mod duplicate_uuid;
mod end_of_life;
mod facts;
mod firewall_off;
mod fixed_join_server;
mod foreign_manager;
mod generated_cluster_id;
mod helm_release;
mod host_size;
mod hostname;
mod hosts;
mod image_owner;
mod ingress_open;
mod join_endpoint;
mod kubeconfig_mode;
mod level_ignored;
mod local_volume;
mod lock_behind;
mod machine_size;
mod no_backup;
mod no_default_route;
mod no_entry;
mod no_lock;
mod no_ssh_key;
mod node_deletion_off;
mod not_ready;
mod plaintext_password;
mod port_open;
mod privileges;
mod projects;
mod provider_id;
mod quorum;
mod reclaim_policy;
mod rule;
mod run;
mod shared_account;
mod shared_token;
mod site;
mod spare_voter;
mod ssh_open;
mod storage_account_name;
mod storage_class;
mod storage_shrunk;
mod table;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod testing;
mod thumbprint_unread;
mod time_skew;
mod tls_off;
mod token_refused;
mod unknown_rule;
mod upgrade_path;
mod version_skew;
mod volume_expansion;
mod waiver_expired;
mod waiver_unused;
mod webhook_policy;
mod words;
mod wrong_provider_id;
mod zone_tags;

pub use facts::Facts;
pub use run::run;
pub use table::known;

use crate::spec::releases::Version;
use rule::{Problem, Rule};
use table::{RULES, is_fixed};
