//! `vsphere/vm`: one virtual machine.

use std::borrow::Cow;

use crate::resource::{
    Comparison, Condition, Effect, Field, Identity, Kind, KindFacts, Layer, Lifecycle, Mode,
};

/// Shape: `name`; `folder`: inventory path; `template`, `datastore`, `network`, `pool`: names,
/// and `cloud_init`: the trees `metadata` and `userdata`, used at creation only; `cpus`;
/// `memory_mib`; `cpu_hot_add`, `memory_hot_add`; `disk_gib`: the system disk; `disk_uuid`: the
/// guest sees disk serial numbers; `scsi_controllers`: how many PVSCSI ones, more are as good;
/// `hardware_version`: 15 stands for `vmx-15`, a later one is as good;
/// `hardware_version_after_shutdown`: what it is once the guest has shut down: the version of an
/// upgrade that is scheduled, or what it is already; `power`: `on` or `off`.
///
/// Awaited after power-on: `tools`: `running`; `address` of the guest; `host_key`: `SHA256:…`, as
/// the guest published it. Computed: `moref`, `path`, `bios_uuid`, `instance_uuid`; volatile:
/// `hostname` (of the guest), `host`, `foreign_disks` (backing files outside the VM's own folder:
/// volumes of pods), `same_bios_uuid` (paths of other VMs with this one's; absent where there is
/// none), `likely_cause` (why its guest tells less than is awaited, if it stays like that). Host
/// and current datastore are DRS's, never desired.
///
/// A controller could be added to a running VM, but guests do not all see it: it is a power cycle,
/// as in Terraform's provider (issue 2224 there).
pub const VM: Kind = Kind::new(&KindFacts {
    name: "vsphere/vm",
    layer: Layer::Vcenter,
    fields: &[
        Field::owned("template").mode(Mode::Initial),
        Field::owned("datastore").mode(Mode::Initial),
        Field::owned("network").mode(Mode::Initial),
        Field::owned("pool").mode(Mode::Initial),
        Field::owned("cloud_init").mode(Mode::Initial),
        Field::owned("cpus").effect(Effect::PowerCycleUnless("cpu_hot_add")),
        Field::owned("memory_mib").effect(Effect::PowerCycleUnless("memory_hot_add")),
        Field::owned("cpu_hot_add").effect(Effect::PowerCycle),
        Field::owned("memory_hot_add").effect(Effect::PowerCycle),
        Field::owned("disk_gib").effect(Effect::GrowOnly(
            "no disk can be made smaller: set `disk` to what the machine has, or more",
        )),
        Field::owned("disk_uuid").effect(Effect::PowerCycle),
        Field::owned("scsi_controllers").comparison(Comparison::AtLeast).effect(Effect::PowerCycle),
        Field::owned("hardware_version").comparison(Comparison::AtLeast).effect(Effect::PowerCycle),
        Field::owned("hardware_version_after_shutdown").comparison(Comparison::AtLeast),
        Field::awaited("tools", 300),
        Field::awaited("address", 300),
        Field::computed("moref"),
        Field::follows("path", &["folder", "name"]),
        Field::computed("bios_uuid"),
        Field::computed("instance_uuid"),
        Field::awaited("host_key", 300),
        Field::volatile("hostname"),
        Field::volatile("host"),
        Field::volatile("foreign_disks"),
        Field::volatile("same_bios_uuid"),
        Field::volatile("likely_cause"),
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
