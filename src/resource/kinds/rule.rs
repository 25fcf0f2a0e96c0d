//! `vsphere/rule`: a DRS rule that keeps VMs on different hosts.

use crate::resource::{
    Comparison, Condition, Field, Identity, Kind, KindFacts, Layer, Lifecycle, Mode,
};

/// Shape: `name`, of which a cluster has one; `cluster`: inventory path; `vms`: references, at
/// least two; `mandatory`: vCenter rather refuses a power-on than breaks the rule; `enabled`.
///
/// Computed: `key`; volatile: `in_compliance`. vCenter takes a VM that is destroyed out of its
/// rules.
pub const RULE: Kind = Kind::new(&KindFacts {
    name: "vsphere/rule",
    layer: Layer::Vcenter,
    fields: &[
        // Its path changes when somebody moves it; which cluster it is never does.
        Field::owned("cluster").mode(Mode::Initial),
        Field::owned("vms").comparison(Comparison::Set),
        Field::computed("key"),
        Field::volatile("in_compliance"),
    ],
    holds_data: false,
    identity: Identity::NaturalKey,
    lifecycle: Lifecycle::Plain,
    freed_first: false,
    ready: Condition::Exists,
    deletable: Condition::Exists,
    deadline_s: 120,
    weight_s: 2,
});
