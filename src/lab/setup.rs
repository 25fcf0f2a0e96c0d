//! What a world starts from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The world before anybody has touched it. Foreign objects (machines, a folder, a role and
/// permissions of other people) are added to it by the lab itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Ids, UUIDs, addresses and passwords are functions of it.
    pub seed: u64,
    /// The name of the only datacenter.
    pub datacenter: String,
    /// The name of the only cluster.
    pub cluster: String,
    /// Names of ESXi hosts in the cluster; the first runs what is powered on first.
    pub hosts: Vec<String>,
    /// Names of datastores, shared by all hosts.
    pub datastores: Vec<String>,
    /// Names of networks, on all hosts.
    pub networks: Vec<String>,
    /// Machines marked as template, directly in the datacenter's VM folder.
    pub templates: Vec<TemplateSetup>,
    /// Machines that already stand and belong to whoever adopts them.
    #[serde(default)]
    pub machines: Vec<MachineSetup>,
    /// Accounts that single sign-on knows besides the administrator, as `DOMAIN\name`.
    #[serde(default)]
    pub principals: Vec<String>,
    /// Accounts with privileges of their own. Each is known to single sign-on, too.
    #[serde(default)]
    pub accounts: Vec<AccountSetup>,
    /// What clients call the vCenter; empty where it answers to any name.
    #[serde(default)]
    pub vcenter: String,
    /// Passwords that are not [`super::Lab::password_of`], by account.
    #[serde(default)]
    pub passwords: BTreeMap<String, String>,
    /// Machines have the images that no registry gives any more: somebody loaded them by hand.
    #[serde(default)]
    pub old_images: bool,
    /// Roles that somebody made by hand before; only a new world gets them.
    #[serde(default)]
    pub roles: Vec<RoleSetup>,
    /// Names of storage policies beside those that come with vCenter.
    #[serde(default)]
    pub policies: Vec<String>,
}

/// A role made by hand, and where it is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSetup {
    /// Its name; one that comes with vCenter (`ReadOnly`) is only given.
    pub name: String,
    /// Privilege ids; those that every role holds need not be named.
    #[serde(default)]
    pub privileges: Vec<String>,
    /// Inventory paths of the entities it is given on; `/` for the root folder.
    #[serde(default)]
    pub on: Vec<String>,
    /// `DOMAIN\name` of the account that it is given to.
    #[serde(default)]
    pub principal: String,
    /// Whether it holds for everything below, too.
    #[serde(default)]
    pub propagate: bool,
}

/// An account, what it may do, and the groups that it is in. Its password is
/// [`super::Lab::password_of`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSetup {
    /// `DOMAIN\name`
    pub principal: String,
    /// `DOMAIN\name` of each; they exist by being named.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Each becomes a role and a permission.
    #[serde(default)]
    pub grants: Vec<GrantSetup>,
}

/// Privileges on one entity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantSetup {
    /// Inventory path; `/` for the root folder.
    pub path: String,
    /// Privilege ids; those that every role holds need not be named.
    pub privileges: Vec<String>,
    /// Whether they hold for everything below, too.
    #[serde(default)]
    pub propagate: bool,
    /// The group that holds them instead of the account itself.
    #[serde(default)]
    pub group: Option<String>,
}

/// A template to clone from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateSetup {
    /// Its name.
    pub name: String,
    /// Virtual processors.
    pub cpus: u32,
    /// Memory.
    pub memory_mib: u64,
    /// Size of its only disk.
    pub disk_gib: u64,
    /// 13 for `vmx-13`.
    pub hardware_version: u32,
    /// Whether VMware Tools are in it, as in every Ubuntu server image.
    #[serde(default = "yes")]
    pub tools: bool,
    /// Whether its cloud-init has the VMware data source, which reads guestinfo: without it a clone
    /// is told nothing, and takes whatever address the network gives.
    #[serde(default = "yes")]
    pub data_source: bool,
    /// Ids of its vApp properties, as an OVA brings them (`instance-id`, `user-data`): cloud-init
    /// takes its data from these, and not from guestinfo.
    #[serde(default)]
    pub vapp_properties: Vec<String>,
}

/// A machine that stands before the first request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineSetup {
    /// Its name.
    pub name: String,
    /// Folders below the datacenter's VM folder, parted by `/`; empty for that folder itself.
    #[serde(default)]
    pub folder: String,
    /// Virtual processors.
    pub cpus: u32,
    /// Memory.
    pub memory_mib: u64,
    /// Size of its only disk.
    pub disk_gib: u64,
    /// Whether `disk.EnableUUID` is set.
    pub disk_uuid: bool,
    /// 13 for `vmx-13`.
    pub hardware_version: u32,
    /// Whether it runs.
    pub powered_on: bool,
    /// The address its guest reports; derived from the seed when absent.
    #[serde(default)]
    pub address: Option<String>,
    /// Whether `flags.diskUuidEnabled` alone is set, without the `extraConfig` entry that vCenter
    /// ties to it, as where another tool wrote it.
    #[serde(default)]
    pub disk_uuid_flag: bool,
    /// `extraConfig` entries, as somebody typed them.
    #[serde(default)]
    pub extra: Vec<(String, String)>,
    /// Classes of the SCSI controllers, by bus (`VirtualLsiLogicController`); one
    /// `ParaVirtualSCSIController` where none is named.
    #[serde(default)]
    pub controllers: Vec<String>,
    /// Whether its disk was allocated whole.
    #[serde(default)]
    pub thick: bool,
    /// Whether CPUs can be added while it runs.
    #[serde(default)]
    pub cpu_hot_add: bool,
    /// Whether memory can be added while it runs.
    #[serde(default)]
    pub memory_hot_add: bool,
    /// Files of first-class disks that hang on it (`[datastore] fcd/name.vmdk`).
    #[serde(default)]
    pub volumes: Vec<String>,
    /// What sudo asks for on it; absent for nothing.
    #[serde(default)]
    pub sudo_password: Option<String>,
    /// k3s that runs on it.
    #[serde(default)]
    pub k3s: Option<K3sSetup>,
}

/// k3s that somebody installed with its own installer, and started. Of several machines the first
/// comes first, as whoever installs them would do it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct K3sSetup {
    /// `v1.25.14+k3s1`
    pub version: String,
    /// Whether it is a server; an agent otherwise.
    pub server: bool,
    /// Arguments of the unit's command. `{uuid}` stands for the machine's BIOS UUID, and
    /// `{instance_uuid}` for its instance UUID.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Variables of the unit's environment file.
    #[serde(default)]
    pub environment: Vec<(String, String)>,
    /// The version of Docker that was installed before; absent for none.
    #[serde(default)]
    pub docker: Option<String>,
}

impl Default for MachineSetup {
    fn default() -> Self {
        Self {
            name: String::new(),
            folder: String::new(),
            cpus: 1,
            memory_mib: 1024,
            disk_gib: 10,
            disk_uuid: false,
            hardware_version: 13,
            powered_on: true,
            address: None,
            disk_uuid_flag: false,
            extra: Vec::new(),
            controllers: Vec::new(),
            thick: false,
            cpu_hot_add: false,
            memory_hot_add: false,
            volumes: Vec::new(),
            sudo_password: None,
            k3s: None,
        }
    }
}

impl Setup {
    /// What sudo asks for, by machine.
    pub(super) fn sudo_passwords(&self) -> BTreeMap<String, String> {
        let passwords = self
            .machines
            .iter()
            .filter_map(|machine| Some((machine.name.clone(), machine.sudo_password.clone()?)));
        passwords.collect()
    }

    /// How programs in clusters reach the vCenter.
    pub(super) fn site(&self) -> super::kubernetes::Site {
        let one_form = |(account, password): (&String, &String)| {
            (super::vsphere::one_form(account), password.clone())
        };
        super::kubernetes::Site {
            vcenter: self.vcenter.clone(),
            passwords: self.passwords.iter().map(one_form).collect(),
            old_images: self.old_images,
        }
    }

    /// The k3s that stands, with its machine's name, in order.
    pub(super) fn k3s(&self) -> Vec<(String, K3sSetup)> {
        let standing = self.machines.iter();
        standing.filter_map(|machine| Some((machine.name.clone(), machine.k3s.clone()?))).collect()
    }
}

impl Default for TemplateSetup {
    fn default() -> Self {
        Self {
            name: String::new(),
            cpus: 1,
            memory_mib: 1024,
            disk_gib: 10,
            hardware_version: 13,
            tools: true,
            data_source: true,
            vapp_properties: Vec::new(),
        }
    }
}

fn yes() -> bool {
    true
}
