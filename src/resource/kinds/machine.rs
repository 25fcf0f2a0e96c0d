//! `host/machine`: what a machine's system says of itself.

use crate::resource::{Condition, Field, Identity, Kind, KindFacts, Layer, Lifecycle};

/// Looked at for the preflight rules, and never written.
///
/// Its place is that of every object on the machine: `machine`, `address`, `role`.
///
/// All volatile: `hostname`, `machine_id`; `bios_uuid`: canonical, lower-case; `os`: `id`,
/// `version`, `kernel`, `arch`; `cpus`, `memory_mib`, `disk_free_mib`; `clock_skew_s`: signed,
/// against boma's clock; `clock_synchronized`; `cgroup`: `v2` or `v1`; `default_route`, `sudo`:
/// whether there is one; `k3s_certificate_days`: until the first one ends; `docker`: a version;
/// `token_accepted`: a server takes the spec's token; `join`, of a machine that is to join:
/// `ready`, `silent`, `not-ready`, `another-cluster` or `token-refused`, and `join_problem` where
/// it is not ready.
pub const MACHINE: Kind = Kind::new(&KindFacts {
    name: "host/machine",
    layer: Layer::Hosts,
    fields: &[
        Field::volatile("hostname"),
        Field::volatile("machine_id"),
        Field::volatile("bios_uuid"),
        Field::volatile("os"),
        Field::volatile("cpus"),
        Field::volatile("memory_mib"),
        Field::volatile("disk_free_mib"),
        Field::volatile("clock_skew_s"),
        Field::volatile("clock_synchronized"),
        Field::volatile("cgroup"),
        Field::volatile("default_route"),
        Field::volatile("sudo"),
        Field::volatile("k3s_certificate_days"),
        Field::volatile("docker"),
        Field::volatile("token_accepted"),
        Field::volatile("join"),
        Field::volatile("join_problem"),
    ],
    holds_data: false,
    identity: Identity::NaturalKey,
    lifecycle: Lifecycle::Observed,
    freed_first: false,
    ready: Condition::Exists,
    deletable: Condition::Exists,
    deadline_s: 60,
    weight_s: 1,
});
