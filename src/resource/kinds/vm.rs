//! `vsphere/vm`: one virtual machine.

use std::borrow::Cow;

use crate::resource::{
    Comparison, Condition, Effect, Field, Identity, Kind, KindFacts, Layer, Lifecycle, Mode,
};

/// Shape: `name`; `folder`: inventory path; `template`, `datastore`, `network`, `pool`: names,
/// used at creation only; `cpus`; `memory_mib`; `disk_uuid`: the guest sees disk serial
/// numbers; `hardware_version`: 15 stands for `vmx-15`, a later one is as good;
/// `power`: `on` or `off`.
///
/// Computed: `moref`, `path`, `bios_uuid`, `instance_uuid`; volatile: `address` (of the guest),
/// `host`, `foreign_disks` (backing files outside the VM's own folder: volumes of pods).
/// Host and current datastore are DRS's, never desired.
pub const VM: Kind = Kind::new(&KindFacts {
    name: "vsphere/vm",
    layer: Layer::Vcenter,
    fields: &[
        Field::owned("template").mode(Mode::Initial),
        Field::owned("datastore").mode(Mode::Initial),
        Field::owned("network").mode(Mode::Initial),
        Field::owned("pool").mode(Mode::Initial),
        Field::owned("cpus").effect(Effect::PowerCycle),
        Field::owned("memory_mib").effect(Effect::PowerCycle),
        Field::owned("disk_uuid").effect(Effect::PowerCycle),
        Field::owned("hardware_version").comparison(Comparison::AtLeast).effect(Effect::PowerCycle),
        Field::computed("moref"),
        Field::follows("path", &["folder", "name"]),
        Field::computed("bios_uuid"),
        Field::computed("instance_uuid"),
        Field::volatile("address"),
        Field::volatile("host"),
        Field::volatile("foreign_disks"),
    ],
    holds_data: false,
    identity: Identity::Mark,
    lifecycle: Lifecycle::Machine,
    freed_first: false,
    ready: Condition::Is(Cow::Borrowed("power"), Cow::Borrowed("on")),
    deletable: Condition::Empty(Cow::Borrowed("foreign_disks")),
    deadline_s: 900,
    weight_s: 120,
});
