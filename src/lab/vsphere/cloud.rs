//! What cloud provider and storage driver ask of the vCenter, as an account that may see less than
//! all of it.

use super::device::Body;
use super::disk::{self, LooseDisk};
use super::ids;
use super::machine::Machine;
use super::permission::holds;
use super::world::{Detail, Effect, Entity, Entry, ROOT, World};

/// A machine as vCenter tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lab) struct CloudMachine {
    pub name: String,
    /// BIOS UUID.
    pub uuid: String,
    /// The host name that VMware Tools report.
    pub guest_name: String,
    pub address: String,
    pub tools: bool,
    pub cpus: i32,
    pub memory_mib: i64,
    /// Path without a slash at its ends.
    pub datacenter: String,
}

/// A datastore that new disks can go to.
pub(in crate::lab) struct CloudDatastore {
    pub name: String,
    /// `ds:///vmfs/volumes/vsan:datastore-1/`
    pub url: String,
}

impl World {
    /// Logs in; gives the account in its one form. `own` is the password where it is not the one
    /// drawn from the seed.
    pub(in crate::lab) fn log_in(
        &self,
        user: &str,
        password: &str,
        own: Option<&str>,
    ) -> Option<String> {
        let principal = ids::principal(user);
        let drawn = ids::password(self.seed, &principal);
        let right = password == own.unwrap_or(&drawn) || password == drawn;
        (self.principals.contains(&principal) && right).then_some(principal)
    }

    /// CPUs and MiB of the machine of that name.
    pub(in crate::lab) fn size_of(&self, name: &str) -> Option<(i32, i64)> {
        let mut named = self.entities.values().filter(|entity| entity.name == name);
        let machine = named.find_map(Entity::machine)?;
        Some((machine.cpus, machine.memory_mib))
    }

    /// A machine that an account can see, the first by managed object id.
    pub(in crate::lab) fn find_machine(
        &self,
        principal: &str,
        is: &dyn Fn(&CloudMachine) -> bool,
    ) -> Option<CloudMachine> {
        self.machines().find_map(|(entity, machine)| {
            let told = self.told(entity, machine);
            (is(&told) && holds(self, principal, &entity.id, "System.Read")).then_some(told)
        })
    }

    /// Whether any machine has that BIOS UUID, seen or not.
    pub(in crate::lab) fn has_bios_uuid(&self, uuid: &str) -> bool {
        self.machines().any(|(_, machine)| machine.uuid.eq_ignore_ascii_case(uuid))
    }

    /// Whether an account sees a datacenter, by name or path.
    pub(in crate::lab) fn has_datacenter(&self, principal: &str, name: &str) -> bool {
        self.of_class("Datacenter").any(|entity| {
            let path = self.path(&entity.id);
            let named = entity.name == name || path.trim_matches('/') == name.trim_matches('/');
            named && holds(self, principal, &entity.id, "System.Read")
        })
    }

    /// Whether an account holds a privilege on the root folder.
    pub(in crate::lab) fn may_at_root(&self, principal: &str, privilege: &str) -> bool {
        holds(self, principal, ROOT, privilege)
    }

    /// Datastores on which an account may make files, by name.
    pub(in crate::lab) fn datastores(&self, principal: &str) -> Vec<CloudDatastore> {
        let may = |entity: &&Entity| holds(self, principal, &entity.id, "Datastore.FileManagement");
        let url = |entity: &Entity| format!("ds:///vmfs/volumes/vsan:{}/", entity.id);
        let mut found: Vec<CloudDatastore> = self
            .of_class("Datastore")
            .filter(may)
            .map(|entity| CloudDatastore { name: entity.name.clone(), url: url(entity) })
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Makes a first-class disk that hangs on no machine. Nothing is applied.
    ///
    /// # Errors
    /// There is no such datastore.
    pub(in crate::lab) fn make_disk(
        &self,
        file: &str,
        capacity_kib: i64,
        id: &str,
    ) -> Result<Entry, String> {
        let mut disk = disk::first_class(self, file)?;
        disk.capacity_kib = capacity_kib;
        disk.id = Some(id.to_owned());
        Ok(Entry { effects: vec![Effect::PutDisk(disk)] })
    }

    /// Hangs a first-class disk on the machine of a BIOS UUID; nothing where it hangs there
    /// already. Nothing is applied.
    ///
    /// # Errors
    /// What keeps the account from it, as text.
    pub(in crate::lab) fn hang(
        &self,
        principal: &str,
        uuid: &str,
        id: &str,
    ) -> Result<Option<Entry>, String> {
        let mut machines = self.machines();
        let found = machines.find(|(_, machine)| machine.uuid.eq_ignore_ascii_case(uuid));
        let (entity, machine) = found.ok_or_else(|| format!("VM with uuid {uuid} not found"))?;
        if carries(machine, id).is_some() {
            return Ok(None);
        }
        for privilege in
            ["VirtualMachine.Config.AddExistingDisk", "VirtualMachine.Config.AddRemoveDevice"]
        {
            if !holds(self, principal, &entity.id, privilege) {
                return Err(format!(
                    "ServerFaultCode: Permission to perform this operation was denied. NoPermission: {privilege} on {}",
                    self.path(&entity.id)
                ));
            }
        }
        let file = self.disks.values().find(|disk| disk.id.as_deref() == Some(id));
        let file = file.map(|disk| disk.file.clone());
        let file = file.ok_or_else(|| {
            format!("ServerFaultCode: The object or item referred to could not be found: {id}")
        })?;
        disk::attach(self, &self.path(&entity.id), &file).map(Some)
    }

    /// Takes a first-class disk off whatever machine it hangs on. Nothing is applied.
    pub(in crate::lab) fn unhang(&self, id: &str) -> Option<Entry> {
        self.machines().find_map(|(entity, machine)| {
            let file = carries(machine, id)?;
            disk::detach(self, &self.path(&entity.id), &file).ok()
        })
    }

    /// Deletes a first-class disk that hangs on no machine. Nothing is applied.
    pub(in crate::lab) fn drop_disk(&self, id: &str) -> Option<Entry> {
        let disk = self.loose(id)?;
        let effects = vec![Effect::TakeDisk(disk.file.clone()), Effect::Erase(id.to_owned())];
        Some(Entry { effects })
    }

    /// Makes a first-class disk larger, wherever it is. Nothing is applied.
    pub(in crate::lab) fn enlarge_disk(&self, id: &str, kib: i64) -> Option<Entry> {
        if let Some(disk) = self.loose(id) {
            let larger = LooseDisk { capacity_kib: kib, ..disk.clone() };
            return Some(Entry { effects: vec![Effect::PutDisk(larger)] });
        }
        self.machines().find_map(|(entity, machine)| {
            carries(machine, id)?;
            let mut machine = machine.clone();
            machine.changes += 1;
            for device in &mut machine.devices {
                if let Body::Disk { capacity_kib, id: Some(own), .. } = &mut device.body
                    && own == id
                {
                    *capacity_kib = kib;
                }
            }
            Some(Entry { effects: vec![entity.with(machine)] })
        })
    }

    fn loose(&self, id: &str) -> Option<&LooseDisk> {
        self.disks.values().find(|disk| disk.id.as_deref() == Some(id))
    }

    fn machines(&self) -> impl Iterator<Item = (&Entity, &Machine)> {
        self.entities.values().filter_map(|entity| match &entity.detail {
            Detail::Machine(machine) if !machine.template => Some((entity, &**machine)),
            _ => None,
        })
    }

    fn told(&self, entity: &Entity, machine: &Machine) -> CloudMachine {
        let datacenter = self.datacenter_of(&entity.id);
        CloudMachine {
            name: entity.name.clone(),
            uuid: machine.uuid.clone(),
            guest_name: machine.guest_name(&entity.name),
            address: machine.guest_address(),
            tools: machine.tools && machine.powered_on,
            cpus: machine.cpus,
            memory_mib: machine.memory_mib,
            datacenter: datacenter
                .map(|entity| self.path(&entity.id).trim_matches('/').to_owned())
                .unwrap_or_default(),
        }
    }
}

/// The file of a first-class disk that hangs on a machine.
fn carries(machine: &Machine, id: &str) -> Option<String> {
    machine.devices.iter().find_map(|device| match &device.body {
        Body::Disk { id: Some(own), file, .. } if own == id => Some(file.clone()),
        _ => None,
    })
}
