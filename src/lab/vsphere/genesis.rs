//! The beginning of a world, and what a later setup adds to it.

use crate::lab::Setup;

use super::clone::address;
use super::device::{Body, usual};
use super::ids::{self, ADMINISTRATOR};
use super::machine::{CONNECTED, Machine};
use super::role::{self, ADMIN, ALWAYS, system_roles};
use super::rule::Rule;
use super::world::{Detail, Effect, Entity, Entry, Origin, Permission, ROOT, Role, World};
use super::{account, by_hand, disk};

/// Adds to the world what a setup names and the world never had. Nothing is removed, and what
/// somebody removed does not come back. Applies and returns the records.
pub(in crate::lab) fn complete(world: &mut World, setup: &Setup) -> Vec<Entry> {
    let is_new = world.get(ROOT).is_none();
    let mut maker = Maker { world, entries: Vec::new() };
    maker.authorization(setup);
    let datacenter = maker.inventory(setup);
    for template in &setup.templates {
        let machine = Hardware {
            cpus: template.cpus,
            memory_mib: template.memory_mib,
            disk_gib: template.disk_gib,
            version: template.hardware_version,
        };
        let path = format!("{datacenter}/vm");
        maker.machine(setup, &path, &template.name, Origin::World, &machine, |machine| {
            machine.template = true;
            machine.pool = None;
            machine.tools = template.tools;
            machine.data_source = template.data_source;
            machine.vapp_properties.clone_from(&template.vapp_properties);
            if template.tools {
                prepared().into_iter().for_each(|(key, value)| machine.set_extra(key, value));
            }
        });
    }
    for standing in &setup.machines {
        let hardware = Hardware {
            cpus: standing.cpus,
            memory_mib: standing.memory_mib,
            disk_gib: standing.disk_gib,
            version: standing.hardware_version,
        };
        let folder = maker.folders(&format!("{datacenter}/vm"), &standing.folder, Origin::Standing);
        let path = format!("{folder}/{}", standing.name);
        let begun = maker.world.generations.contains_key(&path);
        maker.machine(setup, &folder, &standing.name, Origin::Standing, &hardware, |machine| {
            by_hand::adjust(machine, standing);
        });
        for file in standing.volumes.iter().filter(|_| !begun) {
            let attached = disk::attach(maker.world, &path, file);
            attached.into_iter().flat_map(|entry| entry.effects).for_each(|one| maker.put(one));
        }
    }
    maker.foreign(setup, &datacenter);
    for account in &setup.accounts {
        account::effects(maker.world, account).into_iter().for_each(|effect| maker.put(effect));
    }
    for role in setup.roles.iter().filter(|_| is_new) {
        by_hand::role(maker.world, role).into_iter().for_each(|effect| maker.put(effect));
    }
    maker.entries
}

/// The account and role of other people; tests can see that they stay as they are.
const BACKUP_ACCOUNT: &str = r"VSPHERE.LOCAL\backup-svc";
const BACKUP_ROLE: &str = "Backup-Operator";
/// The rule of other people.
const OTHER_RULE: &str = "other-team-apart";

/// What open-vm-tools of Ubuntu 22.04 leave in a machine that they once ran in.
fn prepared() -> [(&'static str, &'static str); 5] {
    [
        (
            "guestInfo.detailed.data",
            "architecture='X86' bitness='64' distroName='Ubuntu' distroVersion='22.04' familyName='Linux' prettyName='Ubuntu 22.04.5 LTS'",
        ),
        ("guestinfo.vmtools.buildNumber", "21855600"),
        ("guestinfo.vmtools.description", "open-vm-tools 12.3.5 build 21855600"),
        ("guestinfo.vmtools.versionNumber", "12357"),
        ("guestinfo.vmtools.versionString", "12.3.5"),
    ]
}

struct Maker<'a> {
    world: &'a mut World,
    entries: Vec<Entry>,
}

struct Hardware {
    cpus: u32,
    memory_mib: u64,
    disk_gib: u64,
    version: u32,
}

impl Maker<'_> {
    fn put(&mut self, effect: Effect) {
        let entry = Entry { effects: vec![effect] };
        self.world.apply(&entry);
        self.entries.push(entry);
    }

    fn authorization(&mut self, setup: &Setup) {
        let named = setup.principals.iter().map(|name| ids::principal(name));
        for principal in named.chain([ADMINISTRATOR.to_owned(), BACKUP_ACCOUNT.to_owned()]) {
            if !self.world.principals.contains(&principal) {
                self.put(Effect::Know(principal));
            }
        }
        if !self.world.roles.contains_key(&ADMIN) {
            system_roles().into_iter().for_each(|role| self.put(Effect::PutRole(role)));
        }
    }

    fn inventory(&mut self, setup: &Setup) -> String {
        if self.world.get(ROOT).is_none() {
            let detail = folder(&["Folder", "Datacenter"]);
            self.put(Effect::Put(Box::new(Entity {
                id: ROOT.to_owned(),
                name: "Datacenters".to_owned(),
                parent: None,
                origin: Origin::World,
                born: "/".to_owned(),
                detail,
            })));
            self.permit(ROOT, ADMINISTRATOR, ADMIN, true, Origin::World);
        }
        let datacenter =
            self.ensure("datacenter-", "/", &setup.datacenter, Origin::World, Detail::Datacenter);
        for (prefix, name, classes) in [
            ("group-v", "vm", &["Folder", "VirtualMachine", "VirtualApp"][..]),
            ("group-h", "host", &["Folder", "ComputeResource"]),
            ("group-s", "datastore", &["Folder", "Datastore", "StoragePod"]),
            ("group-n", "network", &["Folder", "Network", "DistributedVirtualSwitch"]),
        ] {
            self.ensure(prefix, &datacenter, name, Origin::World, folder(classes));
        }
        let cluster = self.ensure(
            "domain-c",
            &format!("{datacenter}/host"),
            &setup.cluster,
            Origin::World,
            Detail::Cluster,
        );
        self.ensure("resgroup-", &cluster, "Resources", Origin::World, Detail::Pool);
        for host in &setup.hosts {
            self.ensure("host-", &cluster, host, Origin::World, Detail::Host);
        }
        for datastore in &setup.datastores {
            self.ensure(
                "datastore-",
                &format!("{datacenter}/datastore"),
                datastore,
                Origin::World,
                Detail::Datastore,
            );
        }
        for network in &setup.networks {
            self.ensure(
                "network-",
                &format!("{datacenter}/network"),
                network,
                Origin::World,
                Detail::Network,
            );
        }
        datacenter
    }

    fn foreign(&mut self, setup: &Setup, datacenter: &str) {
        let begun = self.world.generations.contains_key(&format!("role {BACKUP_ROLE}"));
        let hardware = Hardware { cpus: 2, memory_mib: 4096, disk_gib: 40, version: 14 };
        let folder = self.folders(&format!("{datacenter}/vm"), "Other Team", Origin::Foreign);
        for (name, on) in [("legacy-db", true), ("print-server", false)] {
            self.machine(setup, &folder, name, Origin::Foreign, &hardware, |machine| {
                machine.powered_on = on
            });
        }
        self.foreign_rule(&format!("{datacenter}/host/{}", setup.cluster), &folder);
        if begun {
            return;
        }
        let id = role::fresh(self.world, BACKUP_ROLE);
        let own = [
            "Datastore.Browse",
            "VirtualMachine.Provisioning.DiskRandomRead",
            "VirtualMachine.State.CreateSnapshot",
        ];
        self.put(Effect::PutRole(Role {
            id,
            name: BACKUP_ROLE.to_owned(),
            system: false,
            origin: Origin::Foreign,
            privileges: own.iter().chain(ALWAYS).map(|&id| id.to_owned()).collect(),
        }));
        self.permit(ROOT, BACKUP_ACCOUNT, id, true, Origin::Foreign);
        let datastore = self.world.of_class("Datastore").map(|entity| entity.id.clone()).next();
        if let Some(datastore) = datastore {
            self.permit(&datastore, BACKUP_ACCOUNT, -2, false, Origin::Foreign);
        }
    }

    /// Keeps the other team's machines apart, unless that rule was there once.
    fn foreign_rule(&mut self, cluster: &str, folder: &str) {
        let Some(cluster) = self.world.at(cluster) else { return };
        let mut rule = Rule::new(self.world, cluster, OTHER_RULE, Origin::Foreign);
        let machines = ["legacy-db", "print-server"].map(|name| format!("{folder}/{name}"));
        let machines = machines.iter().filter_map(|path| self.world.at(path));
        rule.vms = machines.map(|machine| machine.id.clone()).collect();
        if rule.vms.len() == 2 && !self.world.generations.contains_key(&rule.born()) {
            self.put(Effect::PutRule(Rule { enabled: true, ..rule }));
        }
    }

    fn permit(
        &mut self,
        entity: &str,
        principal: &str,
        role: i32,
        propagate: bool,
        origin: Origin,
    ) {
        self.put(Effect::Permit(Permission {
            entity: entity.to_owned(),
            principal: principal.to_owned(),
            group: false,
            role,
            propagate,
            origin,
        }));
    }

    /// Makes folders below a path, and returns the path of the last.
    fn folders(&mut self, path: &str, below: &str, origin: Origin) -> String {
        let names = below.split('/').filter(|name| !name.is_empty());
        names.fold(path.to_owned(), |path, name| {
            let detail = folder(&["Folder", "VirtualMachine", "VirtualApp"]);
            self.ensure("group-v", &path, name, origin, detail)
        })
    }

    /// Makes an entity unless something of that path was there once; returns its path.
    fn ensure(
        &mut self,
        prefix: &str,
        parent: &str,
        name: &str,
        origin: Origin,
        detail: Detail,
    ) -> String {
        let path = format!("{}/{name}", parent.trim_end_matches('/'));
        let known = self.world.generations.contains_key(&path) || self.world.at(&path).is_some();
        let parent = self.world.at(parent).map(|parent| parent.id.clone());
        if let (false, Some(parent)) = (known, parent) {
            let id = self.world.fresh_entity(prefix, &path);
            self.put(Effect::Put(Box::new(Entity {
                id,
                name: name.to_owned(),
                parent: Some(parent),
                origin,
                born: path.clone(),
                detail,
            })));
        }
        path
    }

    fn machine(
        &mut self,
        setup: &Setup,
        parent: &str,
        name: &str,
        origin: Origin,
        hardware: &Hardware,
        adjust: impl FnOnce(&mut Machine),
    ) {
        let path = format!("{parent}/{name}");
        let seed = self.world.seed;
        let first = |class| {
            self.world.of_class(class).next().map(|entity| (entity.id.clone(), entity.name.clone()))
        };
        let named = |class, name: Option<&String>| {
            let wanted = self.world.of_class(class).find(|entity| Some(&entity.name) == name);
            wanted
                .map(|entity| (entity.id.clone(), entity.name.clone()))
                .or_else(|| first(class))
                .unwrap_or_default()
        };
        let (host, _) = named("HostSystem", setup.hosts.first());
        let (datastore, datastore_name) = named("Datastore", setup.datastores.first());
        let (network, network_name) = named("Network", setup.networks.first());
        let disk = Body::Disk {
            capacity_kib: i64::try_from(hardware.disk_gib << 20).unwrap_or(i64::MAX),
            file: format!("[{datastore_name}] {name}/{name}.vmdk"),
            datastore: datastore.clone(),
            uuid: ids::uuid(seed, "6000", &["disk", &path]),
            thin: true,
            foreign: false,
            id: None,
        };
        let nic = Body::Nic {
            class: "VirtualVmxnet3".to_owned(),
            mac: ids::mac(seed, &[&path]),
            network,
            network_name,
        };
        let mut machine = Machine {
            template: false,
            uuid: ids::uuid(seed, "42", &["bios", &path]),
            instance_uuid: ids::uuid(seed, "50", &["instance", &path]),
            version: hardware.version,
            cpus: i32::try_from(hardware.cpus).unwrap_or(1),
            cores_per_socket: 1,
            memory_mib: i64::try_from(hardware.memory_mib).unwrap_or(i64::MAX),
            cpu_hot_add: false,
            memory_hot_add: false,
            annotation: String::new(),
            guest_id: "ubuntu64Guest".to_owned(),
            extra: [("svga.present", "TRUE"), ("tools.syncTime", "FALSE")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .to_vec(),
            disk_uuid: false,
            powered_on: false,
            booted_ms: 0,
            changes: 0,
            devices: usual(disk, nic),
            pool: first("ResourcePool").map(|(id, _)| id),
            host,
            datastore,
            upgrade: None,
            address: address(seed, &path),
            tools: true,
            data_source: true,
            vapp_properties: Vec::new(),
            connection: CONNECTED.to_owned(),
            question: None,
        };
        adjust(&mut machine);
        self.ensure("vm-", parent, name, origin, Detail::Machine(Box::new(machine)));
    }
}

fn folder(classes: &[&str]) -> Detail {
    Detail::Folder { child_types: classes.iter().map(|&class| class.to_owned()).collect() }
}
