//! `vsphere/folder`: VM folders.

use serde_json::json;

use super::failure::Failure;
use super::fault::Fault;
use super::inventory::Inventory;
use super::locate;
use super::moref::MoRef;
use super::path;
use super::session::Session;
use super::task;
use crate::provider::{Inputs, Run};
use crate::resource::{Attributes, Locator, Object, Reading};
use crate::xml::Element;

/// What is read of a folder beside name and parent.
pub const PROPERTIES: &[&str] = &["childEntity"];

/// The folder in the common shape. `None` where its path cannot be read.
pub fn object(folder: &MoRef, inventory: &Inventory) -> Option<Object> {
    let row = inventory.row(folder)?;
    let mut children: Vec<String> = row
        .morefs("childEntity")
        .iter()
        .map(|child| inventory.name(child).unwrap_or_else(|| child.value.clone()))
        .collect();
    children.sort();
    Some(Object {
        id: folder.value.clone(),
        attributes: Attributes::new(&json!({
            "path": inventory.path(folder)?,
            "moref": folder.value,
            "children": children,
        })),
        mark: None,
    })
}

/// Reads one address with calls of its own: by recorded id, else by place.
///
/// # Errors
/// Any [`Failure`].
pub async fn read_one(session: &Session, locator: &Locator) -> Result<Reading, Failure> {
    if let Some(id) = &locator.id {
        let found = read_reference(session, &MoRef::new("Folder", id)).await?;
        if found != Reading::Absent {
            return Ok(found);
        }
    }
    let place = locator.place.tree();
    let Some(path) = place["path"].as_str() else { return Ok(Reading::Absent) };
    match locate::by_path(session, path).await? {
        Some(found) if found.kind == "Folder" => read_reference(session, &found).await,
        Some(other) => Ok(Reading::Unread(occupied(path, &other))),
        None => Ok(Reading::Absent),
    }
}

/// Reads a folder by its reference.
///
/// # Errors
/// Any [`Failure`].
pub async fn read_reference(session: &Session, folder: &MoRef) -> Result<Reading, Failure> {
    match Inventory::climb(session, folder, PROPERTIES, &[("down", "childEntity")]).await {
        Ok(inventory) => Ok(object(folder, &inventory).map_or_else(
            || Reading::Unread(format!("the path of folder {} cannot be read", folder.value)),
            Reading::Present,
        )),
        Err(failure) if failure.is_gone() => Ok(Reading::Absent),
        Err(failure) => Err(failure),
    }
}

/// The reason for a path where something else than a folder stands.
pub fn occupied(path: &str, other: &MoRef) -> String {
    format!("at {path} stands a {}, not a folder; choose another path in the spec", other.kind)
}

/// Makes a folder. One that is there by now counts as made.
///
/// # Errors
/// Any [`Failure`]; `Refused` where the parent is not there.
pub async fn create(session: &Session, inputs: &Inputs) -> Result<Reading, Failure> {
    let wanted = inputs.attributes["path"]
        .as_str()
        .ok_or_else(|| Failure::missing("CreateFolder", "path in the spec"))?;
    let (parent, name) = path::split(wanted).ok_or_else(|| {
        Failure::refused("the root folder cannot be made", "name a path below it")
    })?;
    let parent = locate::must(session, "folder", &parent).await?;
    let call = parent.call("CreateFolder").push(Element::with_text("name", name));
    match session.call(call).await {
        Ok(answer) => {
            let folder = MoRef::child(&answer, "returnval")
                .ok_or_else(|| Failure::missing("CreateFolder", "folder"))?;
            read_reference(session, &folder).await
        }
        Err(Failure::Fault(Fault::DuplicateName { .. })) => {
            read_one(session, &Locator { id: None, ..inputs.locator.clone() }).await
        }
        Err(failure) => Err(failure),
    }
}

/// Destroys an empty folder. vCenter would destroy all VMs in it with their disks, so what is in
/// it is read once more just before.
///
/// # Errors
/// Any [`Failure`]; `Refused` where something is in it.
pub async fn delete(session: &Session, inputs: &Inputs, run: &dyn Run) -> Result<Reading, Failure> {
    let object = inputs.object.as_ref();
    let Some(id) = object.map(|object| &object.id).or(inputs.locator.id.as_ref()) else {
        return Err(Failure::refused("the folder has no recorded id", "plan again"));
    };
    let folder = MoRef::new("Folder", id);
    let live = match read_reference(session, &folder).await? {
        Reading::Present(object) => object.attributes.tree(),
        Reading::Absent => return Ok(Reading::Absent),
        Reading::Unread(reason) => return Err(Failure::later(reason, "plan again")),
    };
    if live["children"].as_array().is_none_or(|children| !children.is_empty()) {
        return Err(Failure::refused(
            format!("the folder is not empty: {}", live["children"]),
            "move or remove what is in it; boma destroys no folder with something in it",
        ));
    }
    match task::run(session, run, "destroy", folder.call("Destroy_Task")).await {
        Ok(_) => Ok(Reading::Absent),
        Err(failure) if failure.is_gone() => Ok(Reading::Absent),
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::vsphere::testing::{property, reference, row};

    #[test]
    fn children_are_named_even_where_only_their_reference_is_seen() {
        let root = MoRef::new("Folder", "group-d1");
        let children = r#"<propSet><name>childEntity</name><val xsi:type="ArrayOfManagedObjectReference"><ManagedObjectReference type="VirtualMachine">vm-2</ManagedObjectReference><ManagedObjectReference type="VirtualMachine">vm-1</ManagedObjectReference></val></propSet>"#;
        let folder = property("name", "cht") + &reference("parent", &root) + children;
        let vm = property("name", "server-1");
        let inventory = Inventory::new(
            root,
            vec![row("Folder", "group-v9", &folder), row("VirtualMachine", "vm-1", &vm)],
        );
        let object = object(&MoRef::new("Folder", "group-v9"), &inventory).unwrap();
        assert_eq!(
            object.attributes.as_str(),
            r#"{"children":["server-1","vm-2"],"moref":"group-v9","path":"/cht"}"#
        );
    }
}
