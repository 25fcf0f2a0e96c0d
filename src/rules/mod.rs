//! What a spec and a plan may be right and still risky in: one rule a file, each a pure function
//! from facts to problems, then the spec's levels and waivers over all of them.

mod anti_affinity;
mod capacity;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod cases;
mod cluster_id;
mod couchdb_spread;
mod data_loss;
mod dead_registry;
mod default_class;
mod docker_runtime;
mod docker_version;
mod duplicate_uuid;
mod end_of_life;
mod facts;
mod firewall_off;
mod fixed_join_server;
mod image_owner;
mod ingress_open;
mod kubeconfig_mode;
mod level_ignored;
mod local_volume;
mod machine_size;
mod no_backup;
mod no_entry;
mod no_ssh_key;
mod node_deletion_off;
mod plaintext_password;
mod port_open;
mod privileges;
mod provider_id;
mod quorum;
mod reclaim_policy;
mod rule;
mod run;
mod shared_account;
mod shared_token;
mod site;
mod ssh_open;
mod storage_account_name;
mod table;
mod tables;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod testing;
mod tls_off;
mod unknown_rule;
mod version;
mod version_skew;
mod volume_expansion;
mod waiver_expired;
mod waiver_unused;
mod words;
mod zone_tags;

pub use facts::Facts;
pub use run::run;
pub use table::known;

use rule::{Problem, Rule};
use table::{RULES, is_fixed};
use version::Version;
