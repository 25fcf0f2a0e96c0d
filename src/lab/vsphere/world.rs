//! The world as data, and the only way it changes: [`World::apply`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::xml::Element;

use super::disk::{LooseDisk, LostDisk};
use super::ids;
use super::machine::Machine;
use super::rule::Rule;
use super::task::Task;

/// Everything the vCenter remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::lab) struct World {
    pub(super) seed: u64,
    /// Entities by managed object id.
    pub(super) entities: BTreeMap<String, Entity>,
    pub(super) roles: BTreeMap<i32, Role>,
    /// By entity id, then by principal.
    pub(super) permissions: BTreeMap<String, BTreeMap<String, Permission>>,
    /// DRS rules by cluster id, then by key.
    #[serde(default)]
    pub(super) rules: BTreeMap<String, BTreeMap<i32, Rule>>,
    /// Datastores that hosts do not mount: ids of host and datastore. All others are on all hosts.
    #[serde(default)]
    pub(super) unmounted: BTreeSet<(String, String)>,
    /// Disks that hang on no machine, by file.
    #[serde(default)]
    pub(super) disks: BTreeMap<String, LooseDisk>,
    /// Foreign disks that were deleted, in that order.
    #[serde(default)]
    pub(super) lost_disks: Vec<LostDisk>,
    /// What programs wrote on volumes, by place: a disk's id or a machine's directory, and a path
    /// in it.
    #[serde(default)]
    pub(super) contents: BTreeMap<String, String>,
    /// Accounts that single sign-on knows, in their one form.
    pub(super) principals: BTreeSet<String>,
    /// Members by group, both in their one form.
    #[serde(default)]
    pub(super) groups: BTreeMap<String, BTreeSet<String>>,
    /// By session key.
    pub(super) sessions: BTreeMap<String, Session>,
    /// Logins since the world began.
    pub(super) sessions_ever: u64,
    /// By task id; finished ones stay for an hour.
    pub(super) tasks: BTreeMap<String, Task>,
    /// How often something of that name was made: ids are never used twice.
    pub(super) generations: BTreeMap<String, u64>,
}

/// A reference to a managed object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Ref {
    pub class: String,
    pub id: String,
}

/// One object of the inventory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entity {
    pub id: String,
    /// With `/`, `\` and `%` escaped, as vCenter stores names.
    pub name: String,
    /// Absent only for the root folder.
    pub parent: Option<String>,
    pub origin: Origin,
    /// Where it was made; counts towards the generations of that path.
    pub born: String,
    pub detail: Detail,
}

/// Who made a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Origin {
    /// The world began with it.
    World,
    /// It belongs to other people.
    Foreign,
    /// It stood already and is meant to be adopted.
    Standing,
    /// A client made it.
    Client,
}

/// What an entity is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Detail {
    Folder { child_types: Vec<String> },
    Datacenter,
    Cluster,
    Pool,
    Host,
    Datastore,
    Network,
    Machine(Box<Machine>),
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Role {
    pub id: i32,
    pub name: String,
    pub system: bool,
    pub origin: Origin,
    pub privileges: BTreeSet<String>,
}

/// What one principal may do on one entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Permission {
    pub entity: String,
    pub principal: String,
    pub group: bool,
    pub role: i32,
    pub propagate: bool,
    pub origin: Origin,
}

/// A login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    pub key: String,
    /// What the client's cookie holds.
    pub cookie: String,
    pub principal: String,
    /// Milliseconds since 1970.
    pub login_ms: u64,
    pub agent: String,
}

/// One record of the log: what a request did, all of it or nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::lab) struct Entry {
    pub(super) effects: Vec<Effect>,
}

impl Entry {
    /// Whether machines may have come, gone or changed.
    pub(in crate::lab) fn touches_machines(&self) -> bool {
        let touches = |effect: &Effect| matches!(effect, Effect::Put(_) | Effect::Remove(_));
        self.effects.iter().any(touches)
    }
}

/// One change of the world.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Effect {
    Put(Box<Entity>),
    /// Takes the entity's permissions with it, and its place in rules.
    Remove(String),
    PutRole(Role),
    RemoveRole(i32),
    Permit(Permission),
    Revoke {
        entity: String,
        principal: String,
    },
    PutRule(Rule),
    DropRule {
        cluster: String,
        key: i32,
    },
    Unmount {
        host: String,
        datastore: String,
    },
    PutDisk(LooseDisk),
    /// It hangs on a machine from now on.
    TakeDisk(String),
    LoseDisk(LostDisk),
    Write {
        place: String,
        text: String,
    },
    /// Of a whole disk.
    Erase(String),
    Know(String),
    Join {
        group: String,
        member: String,
    },
    Login(Session),
    Logout(String),
    PutTask(Box<Task>),
    DropTask(String),
}

impl World {
    /// A world with nothing in it.
    pub(in crate::lab) fn empty(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// What ids and passwords are drawn from.
    pub(in crate::lab) fn seed(&self) -> u64 {
        self.seed
    }

    /// Carries out one record. The same records in the same order always give the same world.
    pub(in crate::lab) fn apply(&mut self, entry: &Entry) {
        for effect in &entry.effects {
            self.apply_one(effect);
        }
    }

    fn apply_one(&mut self, effect: &Effect) {
        match effect {
            Effect::Put(entity) => {
                if !self.entities.contains_key(&entity.id) {
                    self.count(entity.born.clone());
                }
                self.entities.insert(entity.id.clone(), (**entity).clone());
            }
            Effect::Remove(id) => {
                self.entities.remove(id);
                self.permissions.remove(id);
                self.rules.remove(id);
                for rule in self.rules.values_mut().flat_map(BTreeMap::values_mut) {
                    rule.vms.retain(|vm| vm != id);
                }
            }
            Effect::PutRole(role) => {
                if !self.roles.contains_key(&role.id) {
                    self.count(format!("role {}", role.name));
                }
                self.roles.insert(role.id, role.clone());
            }
            Effect::RemoveRole(id) => {
                self.roles.remove(id);
                for held in self.permissions.values_mut() {
                    held.retain(|_, permission| permission.role != *id);
                }
                self.permissions.retain(|_, held| !held.is_empty());
            }
            Effect::Permit(permission) => {
                let held = self.permissions.entry(permission.entity.clone()).or_default();
                held.insert(permission.principal.clone(), permission.clone());
            }
            Effect::Revoke { entity, principal } => {
                if let Some(held) = self.permissions.get_mut(entity) {
                    held.remove(principal);
                }
                self.permissions.retain(|_, held| !held.is_empty());
            }
            Effect::PutRule(rule) => {
                if self.rule(&rule.cluster, rule.key).is_none() {
                    self.count(rule.born());
                }
                let rules = self.rules.entry(rule.cluster.clone()).or_default();
                rules.insert(rule.key, rule.clone());
            }
            Effect::DropRule { cluster, key } => {
                if let Some(rules) = self.rules.get_mut(cluster) {
                    rules.remove(key);
                }
                self.rules.retain(|_, rules| !rules.is_empty());
            }
            Effect::Unmount { host, datastore } => {
                self.unmounted.insert((host.clone(), datastore.clone()));
            }
            Effect::PutDisk(disk) => {
                self.disks.insert(disk.file.clone(), disk.clone());
            }
            Effect::TakeDisk(file) => {
                self.disks.remove(file);
            }
            Effect::LoseDisk(lost) => self.lost_disks.push(lost.clone()),
            Effect::Write { place, text } => {
                self.contents.insert(place.clone(), text.clone());
            }
            Effect::Erase(disk) => self.erase(disk),
            Effect::Know(principal) => {
                self.principals.insert(principal.clone());
            }
            Effect::Join { group, member } => {
                self.groups.entry(group.clone()).or_default().insert(member.clone());
            }
            Effect::Login(session) => {
                self.sessions_ever += 1;
                self.sessions.insert(session.key.clone(), session.clone());
            }
            Effect::Logout(key) => {
                self.sessions.remove(key);
            }
            Effect::PutTask(task) => {
                if !self.tasks.contains_key(&task.id) {
                    self.count(task.born.clone());
                }
                self.tasks.insert(task.id.clone(), (**task).clone());
            }
            Effect::DropTask(id) => {
                self.tasks.remove(id);
            }
        }
    }

    fn count(&mut self, name: String) {
        *self.generations.entry(name).or_default() += 1;
    }

    /// A fresh id for something of that name: `prefix-` and up to nine digits.
    pub(super) fn fresh(&self, prefix: &str, name: &str, taken: impl Fn(&str) -> bool) -> String {
        let generation = self.generations.get(name).copied().unwrap_or_default();
        let mut probe = 0_u64;
        loop {
            let parts = [prefix, name, &generation.to_string(), &probe.to_string()];
            let id = format!("{prefix}{}", ids::draw(self.seed, &parts) % 1_000_000_000 + 100);
            if !taken(&id) {
                return id;
            }
            probe += 1;
        }
    }

    /// A fresh managed object id for an entity that is made at a path.
    pub(super) fn fresh_entity(&self, prefix: &str, path: &str) -> String {
        self.fresh(prefix, path, |id| self.entities.contains_key(id))
    }

    pub(super) fn get(&self, id: &str) -> Option<&Entity> {
        self.entities.get(id)
    }

    /// Direct children.
    pub(super) fn children<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Entity> {
        self.entities.values().filter(move |entity| entity.parent.as_deref() == Some(id))
    }

    /// A direct child by name. vCenter compares names without regard to case.
    pub(super) fn child(&self, id: &str, name: &str) -> Option<&Entity> {
        let wanted = name.to_lowercase();
        let mut inside = self.entities.values();
        inside.find(|entity| {
            entity.parent.as_deref() == Some(id) && entity.name.to_lowercase() == wanted
        })
    }

    /// The entity and its parents, up to the root folder.
    pub(super) fn lineage<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Entity> {
        std::iter::successors(self.get(id), |entity| self.get(entity.parent.as_deref()?))
    }

    /// `/DC1/vm/cht/server-1`; the root folder is `/`.
    pub(super) fn path(&self, id: &str) -> String {
        let mut names: Vec<&str> = self
            .lineage(id)
            .filter(|entity| entity.parent.is_some())
            .map(|entity| entity.name.as_str())
            .collect();
        names.reverse();
        format!("/{}", names.join("/"))
    }

    /// The entity at a path, as [`World::path`] writes it.
    pub(super) fn at(&self, path: &str) -> Option<&Entity> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.into_iter().try_fold(self.get(ROOT)?, |entity, name| self.child(&entity.id, name))
    }

    /// Whether `id` is `ancestor` or lies below it.
    pub(super) fn is_below(&self, id: &str, ancestor: &str) -> bool {
        self.lineage(id).any(|entity| entity.id == ancestor)
    }

    /// The datacenter that an entity lies in.
    pub(super) fn datacenter_of(&self, id: &str) -> Option<&Entity> {
        self.lineage(id).find(|entity| matches!(entity.detail, Detail::Datacenter))
    }

    /// One rule of a cluster.
    pub(super) fn rule(&self, cluster: &str, key: i32) -> Option<&Rule> {
        self.rules.get(cluster)?.get(&key)
    }

    /// A cluster's rules.
    pub(super) fn rules_of(&self, cluster: &str) -> impl Iterator<Item = &Rule> {
        self.rules.get(cluster).into_iter().flat_map(BTreeMap::values)
    }

    /// All entities of one class.
    pub(super) fn of_class<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a Entity> {
        self.entities.values().filter(move |entity| entity.class() == class)
    }
}

/// The root folder's id, the same on every vCenter.
pub(super) const ROOT: &str = "group-d1";

impl Entity {
    /// The managed object class.
    pub(super) fn class(&self) -> &'static str {
        match self.detail {
            Detail::Folder { .. } => "Folder",
            Detail::Datacenter => "Datacenter",
            Detail::Cluster => "ClusterComputeResource",
            Detail::Pool => "ResourcePool",
            Detail::Host => "HostSystem",
            Detail::Datastore => "Datastore",
            Detail::Network => "Network",
            Detail::Machine(_) => "VirtualMachine",
        }
    }

    pub(super) fn reference(&self) -> Ref {
        Ref::new(self.class(), &self.id)
    }

    pub(super) fn machine(&self) -> Option<&Machine> {
        match &self.detail {
            Detail::Machine(machine) => Some(machine),
            _ => None,
        }
    }

    /// The same entity with another machine in it.
    pub(super) fn with(&self, machine: Machine) -> Effect {
        Effect::Put(Box::new(Entity { detail: Detail::Machine(Box::new(machine)), ..self.clone() }))
    }
}

impl Ref {
    pub(super) fn new(class: &str, id: &str) -> Self {
        Self { class: class.to_owned(), id: id.to_owned() }
    }

    /// Reads a reference; the schema check has made sure of the attribute.
    pub(super) fn read(element: &Element) -> Self {
        Self::new(element.attribute("type").unwrap_or_default(), element.text.trim())
    }

    pub(super) fn element(&self, name: &str) -> Element {
        Element::with_text(name, &self.id).attr("type", &self.class)
    }
}
