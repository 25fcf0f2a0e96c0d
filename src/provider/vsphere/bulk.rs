//! Reading many addresses with few requests, however large the inventory is.
//!
//! Two passes over VMs: of all of them only what tells which is which, of those asked for the rest
//! (devices and extraConfig are 20 kB a machine).

use std::collections::HashMap;

use super::collect::{Query, Row, retrieve};
use super::failure::Failure;
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
    let world = World::load(session, wanted).await?;
    let finds: Vec<Find> = wanted.iter().map(|wanted| world.find_vm(wanted)).collect();
    let sites = wanted.iter().filter(|wanted| wanted.kind.name == SITE);
    let templates = sites.flat_map(|wanted| site::templates(&wanted.locator, &world.inventory));
    let machines = machines(session, &finds, templates.collect()).await?;
    let mut readings = Vec::with_capacity(wanted.len());
    for (wanted, find) in wanted.iter().zip(finds) {
        let outcome = match wanted.kind.name {
            ROLE => Ok(role::read(&wanted.locator, &world.roles)),
            FOLDER => world.folder(session, &wanted.locator).await,
            PERMISSION => world.permission(session, &wanted.locator).await,
            SITE => site::read(session, &wanted.locator, &world.inventory, &machines).await,
            RULE => Ok(rule::find(&wanted.locator, &world.inventory)),
            VM => world.vm(session, find, &machines).await,
            other => Ok(unknown(other)),
        };
        let reading = alone(session, outcome.map(Some)).await?;
        readings.extend(reading);
    }
    Ok(readings)
}

/// Everything of which only a part is asked for.
struct World {
    inventory: Inventory,
    roles: Vec<Role>,
    permissions: Vec<Permission>,
    by_uuid: HashMap<String, MoRef>,
}

/// Which VM an address stands for.
enum Find {
    Nothing,
    One(MoRef),
    /// The mark is on several: clones that somebody made of boma's machine.
    Several(Vec<String>),
    /// Nothing among those read, but an id is recorded: vCenter is asked for it.
    Ask(String, Option<MoRef>),
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
        }
        // Independent of each other, so neither waits.
        let (inventory, permissions) = tokio::join!(load(session, &kinds, &more, query), async {
            if any(PERMISSION) { permission::list(session).await } else { Ok(Vec::new()) }
        });
        let (inventory, permissions) = (inventory?, permissions?);
        let roles = match inventory.row(&manager) {
            Some(row) => role::from_row(row)?,
            None => Vec::new(),
        };
        let by_uuid = inventory
            .rows("VirtualMachine")
            .filter_map(|row| {
                Some((row.text("config.instanceUuid")?.to_lowercase(), row.object.clone()))
            })
            .collect();
        Ok(Self { inventory, roles, permissions, by_uuid })
    }

    /// By recorded id, then by mark, then by place.
    fn find_vm(&self, wanted: &Wanted) -> Find {
        if wanted.kind.name != VM {
            return Find::Nothing;
        }
        let locator = &wanted.locator;
        let id = locator.id.as_deref().map(str::to_lowercase);
        if let Some(vm) = id.as_ref().and_then(|id| self.by_uuid.get(id)) {
            return Find::One(vm.clone());
        }
        let otherwise = self.by_mark_or_place(locator);
        match (id, otherwise) {
            (Some(id), Find::One(vm)) => Find::Ask(id, Some(vm)),
            (Some(id), Find::Nothing) => Find::Ask(id, None),
            (_, otherwise) => otherwise,
        }
    }

    fn by_mark_or_place(&self, locator: &Locator) -> Find {
        let place = locator.place.tree();
        let at = place["path"].as_str().and_then(|path| self.inventory.at(path)).cloned();
        let marked: Vec<&Row> = self
            .inventory
            .rows("VirtualMachine")
            .filter(|row| {
                locator.mark.is_some()
                    && vm::light_mark(row) == locator.mark
                    && !vm::is_template(row)
            })
            .collect();
        match (marked.as_slice(), at) {
            ([], Some(at)) => Find::One(at),
            ([], None) => Find::Nothing,
            ([one], _) => Find::One(one.object.clone()),
            (several, Some(at)) if several.iter().any(|row| row.object == at) => Find::One(at),
            (several, _) => {
                let path = |row: &&Row| {
                    self.inventory.path(&row.object).unwrap_or_else(|| row.object.to_string())
                };
                let mut paths: Vec<String> = several.iter().map(path).collect();
                paths.sort();
                Find::Several(paths)
            }
        }
    }

    async fn vm(
        &self,
        session: &Session,
        find: Find,
        machines: &HashMap<String, Row>,
    ) -> Result<Reading, Failure> {
        let found = match find {
            Find::Nothing => return Ok(Reading::Absent),
            Find::Several(paths) => {
                return Ok(Reading::Unread(format!(
                    "several VMs bear its mark: {}; remove the key {} from the copies",
                    paths.join(", "),
                    vm::MARK_KEY
                )));
            }
            Find::One(vm) => Some(vm),
            Find::Ask(uuid, otherwise) => match locate::by_instance_uuid(session, &uuid).await? {
                Some(vm) => return vm::read_reference(session, &vm).await,
                None => otherwise,
            },
        };
        let Some(found) = found else { return Ok(Reading::Absent) };
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
) -> Result<Inventory, Failure> {
    if kinds.is_empty() {
        let root = session.open().await?.content.root_folder.clone();
        return Ok(Inventory::new(root, retrieve(session, query).await?));
    }
    Inventory::load(session, kinds, more, query).await
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
        Find::One(vm) | Find::Ask(_, Some(vm)) if vm.kind == "VirtualMachine" => Some(vm.clone()),
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
    let rows = retrieve(session, query).await?;
    Ok(rows.into_iter().map(|row| (row.object.value.clone(), row)).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::vsphere::testing::{property, reference, row};
    use crate::resource::{Address, Attributes, Kind, Mark};

    fn vm(value: &str, name: &str, uuid: &str, mark: Option<&str>) -> Row {
        let mark = mark.map(|mark| {
            format!(
                r#"<propSet><name>config.extraConfig["boma.mark"]</name><val xsi:type="OptionValue"><key>boma.mark</key><value xsi:type="xsd:string">{mark}</value></val></propSet>"#
            )
        });
        let sets = property("name", name)
            + &reference("parent", &MoRef::new("Folder", "group-d1"))
            + &property("config.instanceUuid", uuid)
            + &mark.unwrap_or_default();
        row("VirtualMachine", value, &sets)
    }

    fn check(id: Option<&str>, rows: Vec<Row>, expected: &str) {
        let inventory = Inventory::new(MoRef::new("Folder", "group-d1"), rows);
        let by_uuid = inventory.rows("VirtualMachine").map(|row| {
            (row.text("config.instanceUuid").unwrap().to_lowercase(), row.object.clone())
        });
        let by_uuid = by_uuid.collect();
        let world = World { inventory, roles: Vec::new(), permissions: Vec::new(), by_uuid };
        let address = Address::from("vsphere/vm/server-1");
        let wanted = Wanted {
            address: address.clone(),
            kind: Kind::named(VM).unwrap(),
            locator: Locator {
                id: id.map(str::to_owned),
                place: Attributes::new(&json!({"path": "/server-1"})),
                mark: Some(Mark { lineage: "L".into(), address }),
                notes: Vec::new(),
            },
        };
        let found = match world.find_vm(&wanted) {
            Find::Nothing => "nothing".into(),
            Find::One(vm) => vm.value,
            Find::Several(paths) => paths.join(" "),
            Find::Ask(id, otherwise) => {
                format!("ask {id} else {}", otherwise.map_or("nothing".into(), |vm| vm.value))
            }
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn machines_are_found_by_id_then_mark_then_place() {
        let ours = Some("L vsphere/vm/server-1");
        let other = Some("M vsphere/vm/server-1");
        check(
            Some("AA"),
            vec![vm("vm-1", "moved", "aa", None), vm("vm-2", "server-1", "bb", ours)],
            "vm-1",
        );
        check(
            None,
            vec![vm("vm-1", "moved", "aa", ours), vm("vm-2", "server-1", "bb", None)],
            "vm-1",
        );
        check(
            None,
            vec![vm("vm-1", "x", "aa", other), vm("vm-2", "server-1", "bb", other)],
            "vm-2",
        );
        check(None, vec![vm("vm-1", "x", "aa", None)], "nothing");
        check(Some("cc"), vec![vm("vm-1", "x", "aa", None)], "ask cc else nothing");
        check(Some("cc"), vec![vm("vm-1", "x", "aa", ours)], "ask cc else vm-1");
        check(None, vec![vm("vm-1", "x", "aa", ours), vm("vm-2", "y", "bb", ours)], "/x /y");
        check(None, vec![vm("vm-1", "x", "aa", ours), vm("vm-2", "server-1", "bb", ours)], "vm-2");
    }
}
