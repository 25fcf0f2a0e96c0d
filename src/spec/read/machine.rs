//! One machine out of its override, its group and `[machines]`.

use std::net::Ipv4Addr;

use super::view::View;
use crate::diag::Diagnostic;
use crate::spec::scalar::{parse_size_mib, parse_taint};
use crate::spec::source::Wrong;
use crate::spec::{HardwareUpgrade, Machine, Role, Sp, Vcenter};

/// Who a machine is, before its layers are read.
pub(super) struct Identity {
    pub(super) role: Role,
    pub(super) number: u32,
    pub(super) name: Sp<String>,
    pub(super) address: Sp<Ipv4Addr>,
}

/// Where a machine's keys are.
pub(super) struct Layers<'a> {
    /// What messages call the group: `servers`.
    pub(super) table: &'a str,
    pub(super) own: Option<View<'a>>,
    pub(super) group: View<'a>,
    pub(super) common: View<'a>,
}

impl<'a> Layers<'a> {
    /// The most specific one first.
    fn first<T>(&self, read: impl Fn(&View<'a>) -> Option<T>) -> Option<T> {
        let own = self.own.as_ref().into_iter();
        own.chain([&self.group, &self.common]).find_map(read)
    }

    fn merged<T>(&self, read: impl Fn(&View<'a>) -> T) -> impl Iterator<Item = T> {
        [Some(self.group), self.own].into_iter().flatten().map(move |view| read(&view))
    }

    fn text(&self, key: &str) -> Option<Sp<String>> {
        self.first(|view| view.text_opt(key))
    }

    fn number(&self, key: &str) -> Option<Sp<u32>> {
        self.first(|view| view.number_opt(key))
    }

    fn size_mib(&self, key: &str) -> Option<Sp<u64>> {
        self.first(|view| view.parsed_opt(key, parse_size_mib, 4096))
    }

    fn flag(&self, key: &str) -> Sp<bool> {
        self.first(|view| view.bool_opt(key)).unwrap_or_else(|| self.group.filler(true))
    }
}

/// Merges the layers into one machine.
pub(super) fn machine(
    layers: &Layers<'_>,
    who: Identity,
    vcenter: &Vcenter,
    found: &mut Vec<Diagnostic>,
) -> Machine {
    let vm_path = layers.own.and_then(|view| view.text_opt("vm_path"));
    let own = layers.own.map(|view| view.place());
    let filler = layers.group;
    let mut needed = Needed { layers, found };
    Machine {
        place: own.unwrap_or_else(|| who.name.place.clone()),
        cpus: needed.value("cpus", "4", layers.number("cpus"), 1),
        memory_mib: needed.value("memory", "\"8GiB\"", layers.size_mib("memory"), 4),
        disk_gib: {
            let disk = needed.value("disk", "\"50GiB\"", layers.size_mib("disk"), 1024);
            needed.whole_gib(disk)
        },
        network: needed.value("network", "\"VM Network\"", layers.text("network"), String::new()),
        folder: layers.text("folder").unwrap_or_else(|| filler.filler(String::new())),
        datastore: layers.text("datastore").unwrap_or_else(|| vcenter.datastore.clone()),
        resource_pool: layers.text("resource_pool").or_else(|| vcenter.resource_pool.clone()),
        // A VM that is named stands already, whatever the others are cloned from.
        template: layers.text("template").filter(|_| vm_path.is_none()),
        vm_path,
        hardware_version: layers.number("hardware_version").unwrap_or_else(|| filler.filler(15)),
        hardware_upgrade: layers
            .first(|view| view.choice_opt("hardware_upgrade", upgrade))
            .unwrap_or_else(|| filler.filler(HardwareUpgrade::Now)),
        scsi_controllers: layers.number("scsi_controllers"),
        cpu_hot_add: layers.flag("cpu_hot_add"),
        memory_hot_add: layers.flag("memory_hot_add"),
        labels: layers.merged(|view| view.text_map("labels")).flatten().collect(),
        taints: layers.merged(|view| view.list("taints", parse_taint)).flatten().collect(),
        name: who.name,
        role: who.role,
        number: who.number,
        address: who.address,
    }
}

fn upgrade(word: &str) -> HardwareUpgrade {
    if word == "scheduled" { HardwareUpgrade::Scheduled } else { HardwareUpgrade::Now }
}

/// Reports keys that no layer has, once for the group: equal diagnostics are joined later.
struct Needed<'a, 'v> {
    layers: &'a Layers<'v>,
    found: &'a mut Vec<Diagnostic>,
}

impl Needed<'_, '_> {
    fn value<T>(&mut self, key: &str, example: &str, value: Option<Sp<T>>, filler: T) -> Sp<T> {
        value.unwrap_or_else(|| {
            let wrong = Wrong::new(
                format!("[{}] needs `{key}`", self.layers.table),
                "missing here",
                format!("add here or in [machines]: {key} = {example}"),
            );
            self.found.push(wrong.error(&self.layers.group.place()));
            self.layers.group.filler(filler)
        })
    }

    fn whole_gib(&mut self, disk: Sp<u64>) -> Sp<u64> {
        if !disk.is_multiple_of(1024) {
            let wrong = Wrong::new(
                "a machine's disk is not a whole number of GiB",
                "not whole GiB",
                "write the disk in GiB: \"50GiB\"",
            );
            self.found.push(wrong.error(&disk.place));
        }
        disk.map(|mib| mib / 1024)
    }
}
