//! `vsphere/site`: whether what a spec supposes is there, and what boma's account may do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value as Json, json};

use super::collect::Row;
use super::failure::{Failure, reason};
use super::inventory::Inventory;
use super::moref::MoRef;
use super::session::Session;
use super::{network, path, policy, vm};
use crate::resource::{Attributes, Locator, Object, Reading};
use crate::xml::Element;

/// What is read of every datastore beside name and parent.
pub const DATASTORE: &[&str] = &["summary.freeSpace", "summary.url"];

/// What is read of every host beside name and parent.
pub const HOST: &[&str] = &["datastore"];

/// Types by what the spec calls an object.
const KINDS: &[(&str, &[&str])] = &[
    ("cluster", &["ClusterComputeResource", "ComputeResource"]),
    ("host", &["HostSystem"]),
    ("datastore", &["Datastore"]),
    ("network", network::NETWORKS),
    ("resource pool", &["ResourcePool"]),
    ("template", &["VirtualMachine"]),
];

/// The templates that a site names and that are there: their devices are read with the machines'.
pub fn templates(locator: &Locator, inventory: &Inventory) -> Vec<MoRef> {
    let place = locator.place.tree();
    let names = texts(&place["templates"]);
    let rows = names.filter_map(|name| choose(inventory, &place, "template", name).ok());
    rows.map(|row| row.object.clone()).collect()
}

/// Looks at everything; `machines` holds the rows of [`templates`], `policies` and `lacking` what
/// the functions of these names gave.
pub fn read(
    locator: &Locator,
    inventory: &Inventory,
    machines: &HashMap<String, Row>,
    policies: &Json,
    lacking: Vec<Json>,
) -> Reading {
    let place = locator.place.tree();
    let datacenter = place["datacenter"].as_str().unwrap_or_default();
    Reading::Present(Object {
        id: datacenter.to_owned(),
        attributes: Attributes::new(&json!({
            "objects": found(&place, inventory),
            "missing": missing(&place, inventory),
            "templates": template_facts(&place, inventory, machines),
            "free_gib": free_gib(&place, inventory),
            "unmounted": unmounted(&place, inventory),
            "datastore_urls": datastore_urls(&place, inventory),
            "lacking": lacking,
            "policies": policies,
        })),
        mark: None,
    })
}

/// The names of all storage policies, where a place names one. Null where none does, and a text
/// where they cannot be read: nothing else depends on them. Two requests.
pub async fn policies<'a>(
    session: &Session,
    locators: impl IntoIterator<Item = &'a Locator>,
) -> Json {
    if !locators.into_iter().any(|locator| locator.place.tree()["policy"].is_string()) {
        return Json::Null;
    }
    match policy::names(session).await {
        Ok(names) => json!(names),
        Err(failure) => reason(&failure.explain("read the storage policies")).into(),
    }
}

fn texts(list: &Json) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Json::as_str)
}

fn choose<'a>(
    inventory: &'a Inventory,
    place: &Json,
    what: &str,
    name: &str,
) -> Result<&'a Row, Failure> {
    let datacenter = place["datacenter"].as_str().unwrap_or_default();
    let kinds = KINDS.iter().find(|(known, _)| *known == what).map_or(&[][..], |(_, kinds)| kinds);
    inventory.choose(what, kinds, &path::normal(datacenter), name)
}

fn objects(place: &Json) -> impl Iterator<Item = (&str, &str)> {
    let all = place["objects"].as_array().into_iter().flatten();
    all.filter_map(|object| Some((object["what"].as_str()?, object["name"].as_str()?)))
}

/// The datacenter, and the objects that are there.
fn found(place: &Json, inventory: &Inventory) -> Vec<Json> {
    let one = |what: &str, name: &str, object: &MoRef| {
        let path = inventory.path(object)?;
        Some(json!({"what": what, "name": name, "path": path, "moref": object.value}))
    };
    let datacenter = place["datacenter"].as_str().unwrap_or_default();
    let standing = inventory.at(&path::normal(datacenter));
    let datacenter = standing.and_then(|object| one("datacenter", datacenter, object));
    let others = objects(place).filter_map(|(what, name)| {
        one(what, name, &choose(inventory, place, what, name).ok()?.object)
    });
    datacenter.into_iter().chain(others).collect()
}

fn missing(place: &Json, inventory: &Inventory) -> Vec<Json> {
    let one = |(what, name): (&str, &str)| {
        let failure = choose(inventory, place, what, name).err()?;
        Some(json!({ "what": what, "name": name, "reason": failure.to_string() }))
    };
    objects(place).filter_map(one).collect()
}

fn template_facts(place: &Json, inventory: &Inventory, machines: &HashMap<String, Row>) -> Json {
    let mut facts = Map::new();
    for name in texts(&place["templates"]) {
        let Ok(row) = choose(inventory, place, "template", name) else { continue };
        let Some(whole) = machines.get(&row.object.value) else { continue };
        let one = json!({
            "template": vm::is_template(whole),
            "tools": vm::has_tools(whole),
            "vapp_properties": vm::vapp_properties(whole),
            "hardware_version": vm::hardware_version(whole),
            "disk_gib": vm::devices(whole).disk_gib(),
        });
        facts.insert(name.to_owned(), one);
    }
    Json::Object(facts)
}

fn free_gib(place: &Json, inventory: &Inventory) -> Json {
    let mut free = Map::new();
    for (_, name) in objects(place).filter(|(what, _)| *what == "datastore") {
        let row = choose(inventory, place, "datastore", name).ok();
        if let Some(bytes) = row.and_then(|row| row.number("summary.freeSpace")) {
            free.insert(name.to_owned(), (bytes >> 30).into());
        }
    }
    Json::Object(free)
}

/// The hosts of the clusters that do not mount a datastore. Hosts that do not tell are left out.
fn unmounted(place: &Json, inventory: &Inventory) -> Json {
    let clusters: BTreeSet<&MoRef> = objects(place)
        .filter(|(what, _)| *what == "cluster")
        .filter_map(|(what, name)| Some(&choose(inventory, place, what, name).ok()?.object))
        .collect();
    let tells = |host: &&Row| {
        host.moref("parent").is_some_and(|parent| clusters.contains(&parent))
            && !host.missing.iter().any(|(path, _)| path == "datastore")
    };
    let hosts: Vec<&Row> = inventory.rows("HostSystem").filter(tells).collect();
    let mut unmounted = Map::new();
    for (what, name) in objects(place).filter(|(what, _)| *what == "datastore") {
        let Ok(datastore) = choose(inventory, place, what, name) else { continue };
        let lacks = |host: &&&Row| !host.morefs("datastore").contains(&datastore.object);
        let lacking: BTreeSet<String> =
            hosts.iter().filter(lacks).filter_map(|host| inventory.name(&host.object)).collect();
        if !lacking.is_empty() {
            unmounted.insert(name.to_owned(), json!(lacking));
        }
    }
    Json::Object(unmounted)
}

/// The URL of every datastore of the datacenter, by path.
fn datastore_urls(place: &Json, inventory: &Inventory) -> Json {
    let datacenter = path::normal(place["datacenter"].as_str().unwrap_or_default());
    let url = |row: &Row| {
        let path = inventory.path(&row.object)?;
        let url = row.text("summary.url")?;
        path::is_below(&path, &datacenter).then(|| (path, Json::from(url)))
    };
    Json::Object(inventory.rows("Datastore").filter_map(url).collect())
}

/// The needs that are not met, each with the path of the object it was asked on. One request.
///
/// # Errors
/// Any [`Failure`].
pub async fn lacking(
    session: &Session,
    locator: &Locator,
    inventory: &Inventory,
) -> Result<Vec<Json>, Failure> {
    let place = &locator.place.tree();
    let needs: Vec<(&Json, MoRef)> = place["needs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|need| Some((need, entity(inventory, place, need["path"].as_str()?)?)))
        .collect();
    let entities: BTreeSet<&MoRef> = needs.iter().map(|(_, entity)| entity).collect();
    let privileges: BTreeSet<&str> =
        needs.iter().filter_map(|(need, _)| need["privilege"].as_str()).collect();
    let granted = granted(session, &entities, &privileges).await?;
    let unmet = |(need, entity): &(&Json, MoRef)| {
        let privilege = need["privilege"].as_str()?;
        let held = granted.get(&entity.value).is_none_or(|held| held.contains(privilege));
        let mut need = (*need).clone();
        need["path"] = inventory.path(entity).unwrap_or_else(|| entity.to_string()).into();
        (!held).then_some(need)
    };
    Ok(needs.iter().filter_map(unmet).collect())
}

/// The object that a need is about: at its path or, where nothing stands there yet, the nearest
/// above; a name stands for the object of that name in the datacenter.
fn entity(inventory: &Inventory, place: &Json, wanted: &str) -> Option<MoRef> {
    if !wanted.starts_with('/') {
        let mut found =
            KINDS.iter().filter_map(|(what, _)| choose(inventory, place, what, wanted).ok());
        return found.next().map(|row| row.object.clone());
    }
    let mut path = path::normal(wanted);
    loop {
        match inventory.at(&path) {
            Some(found) => return Some(found.clone()),
            None => path = path::split(&path)?.0,
        }
    }
}

/// The privileges that the session's account holds, by the value of the entity's reference.
async fn granted(
    session: &Session,
    entities: &BTreeSet<&MoRef>,
    privileges: &BTreeSet<&str>,
) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    if entities.is_empty() {
        return Ok(BTreeMap::new());
    }
    let content = session.open().await?.content;
    let call = call(&content.authorization_manager, entities, &content.session_key, privileges);
    let answer = session.ask(call).await?;
    let of_one = |one: &Element| {
        let entity = MoRef::child(one, "entity")?;
        let held = one
            .children_named("privAvailability")
            .filter(|privilege| privilege.child_text("isGranted") == Some("true"))
            .filter_map(|privilege| privilege.child_text("privId").map(str::to_owned));
        Some((entity.value, held.collect()))
    };
    Ok(answer.children_named("returnval").filter_map(of_one).collect())
}

fn call(
    manager: &MoRef,
    entities: &BTreeSet<&MoRef>,
    session_key: &str,
    privileges: &BTreeSet<&str>,
) -> Element {
    manager
        .call("HasPrivilegeOnEntities")
        .extend(entities.iter().map(|entity| entity.element("entity")))
        .push(Element::with_text("sessionId", session_key))
        .extend(privileges.iter().map(|id| Element::with_text("privId", *id)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::vsphere::inventory::tests::small;
    use crate::provider::vsphere::testing::names;

    fn place() -> Json {
        json!({
            "datacenter": "/DC1",
            "objects": [
                {"what": "cluster", "name": "Cluster1"},
                {"what": "network", "name": "VM Network"},
                {"what": "template", "name": "server-1"},
            ],
        })
    }

    #[test]
    fn what_is_not_there_or_not_clear_is_told() {
        let found = missing(&place(), &small());
        let reasons: Vec<&str> = found.iter().map(|one| one["reason"].as_str().unwrap()).collect();
        let expected = [
            "there is no network VM Network in /DC1",
            "there are 2 of template server-1: /DC1/vm/cht/server-1, /DC1/vm/server-1",
        ];
        assert_eq!(reasons, expected);
    }

    #[test]
    fn a_need_is_about_the_nearest_object_that_stands() {
        let inventory = small();
        let value = |wanted: &str| entity(&inventory, &place(), wanted).map(|found| found.value);
        assert_eq!(value("/DC1/vm/cht/server-1").as_deref(), Some("vm-11"));
        assert_eq!(value("/DC1/vm/cht/new/deep").as_deref(), Some("group-v9"));
        assert_eq!(value("/").as_deref(), Some("group-d1"));
        assert_eq!(value("Cluster1").as_deref(), Some("domain-c7"));
        assert_eq!(value("nowhere"), None);
    }

    #[test]
    fn the_call_follows_the_order_of_the_wsdl() {
        let folder = MoRef::new("Folder", "group-v9");
        let manager = MoRef::new("AuthorizationManager", "am");
        let call =
            call(&manager, &BTreeSet::from([&folder]), "key", &BTreeSet::from(["Folder.Create"]));
        assert_eq!(names(&call), ["_this", "entity", "sessionId", "privId"]);
    }
}
