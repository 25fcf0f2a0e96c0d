//! Reading many addresses with few requests, however large the inventory is.
//!
//! Two passes over VMs: of all of them only what tells which is which, of those asked for the rest
//! (devices and extraConfig are 20 kB a machine).

use std::collections::HashMap;

use serde_json::Value as Json;

use super::collect::{Query, Row, View, retrieve, retrieve_whole};
use super::failure::Failure;
use super::find::{self, Find};
use super::inventory::{ENTITIES, Inventory};
use super::moref::MoRef;
use super::permission::{self, Permission};
use super::read::{FOLDER, PERMISSION, ROLE, RULE, SITE, VM, alone, unknown};
use super::role::{self, Role};
use super::session::Session;
use super::{folder, locate, rule, site, vm};
use crate::provider::Wanted;
use crate::resource::{Locator, Reading};

/// Reads the addresses in the order asked.
///
/// # Errors
/// Any [`Failure`] that concerns all of them.
pub async fn read(session: &Session, wanted: &[Wanted]) -> Result<Vec<Reading>, Failure> {
    let sites = || wanted.iter().filter(|wanted| wanted.kind.name == SITE);
    // Policies are nothing of the inventory: they are asked for beside it.
    let policies = site::policies(session, sites().map(|wanted| &wanted.locator));
    let (world, policies) = tokio::join!(World::load(session, wanted), policies);
    let mut world = world?;
    let view = world.view.take();
    let machine = |wanted: &Wanted| match wanted.kind.name {
        VM => find::machine(&wanted.locator, &world.inventory),
        _ => Find::Nothing,
    };
    let finds: Vec<Find> = wanted.iter().map(machine).collect();
    let templates = sites().flat_map(|wanted| site::templates(&wanted.locator, &world.inventory));
    // Independent of each other: a reading is not longer for them.
    let (machines, lacking, ()) = tokio::join!(
        machines(session, &finds, templates.collect()),
        lacking(session, wanted, &world.inventory),
        end(session, view),
    );
    let (machines, mut lacking) = (machines?, lacking.into_iter());
    let mut readings = Vec::with_capacity(wanted.len());
    for (wanted, find) in wanted.iter().zip(finds) {
        let outcome = match wanted.kind.name {
            ROLE => Ok(role::read(&wanted.locator, &world.roles)),
            FOLDER => world.folder(session, &wanted.locator).await,
            PERMISSION => world.permission(session, &wanted.locator).await,
            SITE => lacking.next().unwrap_or_else(|| Ok(Vec::new())).map(|lacking| {
                site::read(&wanted.locator, &world.inventory, &machines, &policies, lacking)
            }),
            RULE => Ok(rule::find(&wanted.locator, &world.inventory)),
            VM => world.vm(session, find, &machines).await,
            other => Ok(unknown(other)),
        };
        let reading = alone(session, outcome.map(Some)).await?;
        readings.extend(reading);
    }
    Ok(readings)
}

/// What the session's account lacks at each site, in the order asked.
async fn lacking(
    session: &Session,
    wanted: &[Wanted],
    inventory: &Inventory,
) -> Vec<Result<Vec<Json>, Failure>> {
    let mut outcomes = Vec::new();
    for wanted in wanted.iter().filter(|wanted| wanted.kind.name == SITE) {
        outcomes.push(site::lacking(session, &wanted.locator, inventory).await);
    }
    outcomes
}

async fn end(session: &Session, view: Option<View>) {
    if let Some(view) = view {
        view.end(session).await;
    }
}

/// Everything of which only a part is asked for.
struct World {
    inventory: Inventory,
    /// What the inventory was read with. `None` where it was read without one.
    view: Option<View>,
    roles: Vec<Role>,
    permissions: Vec<Permission>,
}

impl World {
    async fn load(session: &Session, wanted: &[Wanted]) -> Result<Self, Failure> {
        let any = |kind: &str| wanted.iter().any(|wanted| wanted.kind.name == kind);
        let manager = session.open().await?.content.authorization_manager.clone();
        let mut query = Query::default();
        if any(ROLE) || any(PERMISSION) {
            query = query.properties(&manager.kind, &["roleList"]).object(&manager, Vec::new());
        }
        let kinds = entities(&any);
        let mut more: Vec<(&str, &[&str])> = Vec::new();
        if any(VM) {
            more.push(("VirtualMachine", vm::LIGHT));
        }
        if any(FOLDER) {
            more.push(("Folder", folder::PROPERTIES));
        }
        if any(RULE) {
            more.push((rule::CLUSTER, rule::PROPERTIES));
        }
        if any(SITE) {
            more.push(("Datastore", site::DATASTORE));
            more.push(("HostSystem", site::HOST));
        }
        // Independent of each other, so neither waits.
        let (inventory, permissions) = tokio::join!(load(session, &kinds, &more, query), async {
            if any(PERMISSION) { permission::list(session).await } else { Ok(Vec::new()) }
        });
        let ((inventory, view), permissions) = (inventory?, permissions?);
        let roles = match inventory.row(&manager) {
            Some(row) => role::from_row(row)?,
            None => Vec::new(),
        };
        Ok(Self { inventory, view, roles, permissions })
    }

    async fn vm(
        &self,
        session: &Session,
        find: Find,
        machines: &HashMap<String, Row>,
    ) -> Result<Reading, Failure> {
        let found = match find {
            Find::Nothing => return Ok(Reading::Absent),
            Find::Several(reason) | Find::Unreadable(reason) => return Ok(Reading::Unread(reason)),
            Find::One(vm) => vm,
            Find::Ask(uuid, otherwise) => match locate::by_instance_uuid(session, &uuid).await? {
                Some(vm) => return vm::read_reference(session, &vm).await,
                None => return Box::pin(self.vm(session, *otherwise, machines)).await,
            },
        };
        if found.kind != "VirtualMachine" {
            let message = "it is no VM that stands there; choose another name";
            return Ok(Reading::Unread(format!("{message} ({found})")));
        }
        match machines.get(&found.value) {
            Some(row) => Ok(vm::reading(row, &self.inventory)),
            None => vm::read_reference(session, &found).await,
        }
    }

    async fn folder(&self, session: &Session, locator: &Locator) -> Result<Reading, Failure> {
        if let Some(id) = &locator.id {
            let recorded = MoRef::new("Folder", id);
            if let Some(object) = folder::object(&recorded, &self.inventory) {
                return Ok(Reading::Present(object));
            }
            let found = folder::read_reference(session, &recorded).await?;
            if found != Reading::Absent {
                return Ok(found);
            }
        }
        let place = locator.place.tree();
        let Some(path) = place["path"].as_str() else { return Ok(Reading::Absent) };
        Ok(match self.inventory.at(path) {
            None => Reading::Absent,
            Some(found) if found.kind != "Folder" => Reading::Unread(folder::occupied(path, found)),
            Some(found) => {
                folder::object(found, &self.inventory).map_or(Reading::Absent, Reading::Present)
            }
        })
    }

    async fn permission(&self, session: &Session, locator: &Locator) -> Result<Reading, Failure> {
        let Some(found) = permission::find(locator, &self.permissions, &self.inventory)? else {
            // The list is whole, so what it lacks is gone; a recorded one is asked for once more.
            return match locator.id {
                Some(_) => permission::read_one(session, locator).await,
                None => Ok(Reading::Absent),
            };
        };
        let path = match self.inventory.path(&found.entity) {
            Some(path) => Some(path),
            None => Inventory::climb(session, &found.entity, &[], &[]).await?.path(&found.entity),
        };
        let path = path.ok_or_else(|| permission::unplaced(&found.entity))?;
        Ok(Reading::Present(found.object(&path, &self.roles)))
    }
}

async fn load(
    session: &Session,
    kinds: &[&str],
    more: &[(&str, &[&str])],
    query: Query,
) -> Result<(Inventory, Option<View>), Failure> {
    if kinds.is_empty() {
        let root = session.open().await?.content.root_folder.clone();
        return Ok((Inventory::new(root, retrieve(session, query).await?), None));
    }
    let (inventory, view) = Inventory::load(session, kinds, more, query).await?;
    Ok((inventory, Some(view)))
}

fn entities(any: &dyn Fn(&str) -> bool) -> Vec<&'static str> {
    let needed = |kind: &&&str| match **kind {
        _ if any(SITE) => true,
        "Folder" | "Datacenter" => any(VM) || any(FOLDER) || any(PERMISSION) || any(RULE),
        "VirtualMachine" => any(VM) || any(FOLDER) || any(PERMISSION),
        rule::CLUSTER => any(RULE) || any(PERMISSION),
        "HostSystem" => any(VM) || any(PERMISSION),
        _ => any(PERMISSION),
    };
    ENTITIES.iter().filter(needed).copied().collect()
}

/// Reads in one request all that is wanted of the VMs found, and of templates.
async fn machines(
    session: &Session,
    finds: &[Find],
    templates: Vec<MoRef>,
) -> Result<HashMap<String, Row>, Failure> {
    let found = |find: &Find| match find {
        Find::One(vm) if vm.kind == "VirtualMachine" => Some(vm.clone()),
        Find::Ask(_, otherwise) => match otherwise.as_ref() {
            Find::One(vm) if vm.kind == "VirtualMachine" => Some(vm.clone()),
            _ => None,
        },
        _ => None,
    };
    let mut vms: Vec<MoRef> = finds.iter().filter_map(found).chain(templates).collect();
    vms.sort();
    vms.dedup();
    if vms.is_empty() {
        return Ok(HashMap::new());
    }
    let paths: Vec<&str> = ["name", "parent"].iter().chain(vm::PROPERTIES).copied().collect();
    let query = Query::default().properties("VirtualMachine", &paths);
    let query = vms.iter().fold(query, |query, vm| query.object(vm, Vec::new()));
    let rows = retrieve_whole(session, query).await?;
    Ok(rows.into_iter().map(|row| (row.object.value.clone(), row)).collect())
}
