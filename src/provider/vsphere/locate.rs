//! Finding single objects without reading the whole inventory.

use super::failure::Failure;
use super::inventory::Inventory;
use super::moref::MoRef;
use super::path;
use super::session::Session;
use crate::xml::Element;

/// The entity at an inventory path. `None` where there is none, or none the account may see.
///
/// # Errors
/// Any [`Failure`].
pub async fn by_path(session: &Session, wanted: &str) -> Result<Option<MoRef>, Failure> {
    let open = session.open().await?;
    let wanted = path::normal(wanted);
    if wanted == "/" {
        return Ok(Some(open.content.root_folder.clone()));
    }
    let call = open
        .content
        .search_index
        .call("FindByInventoryPath")
        .push(Element::with_text("inventoryPath", wanted.trim_start_matches('/')));
    let answer = session.ask(call).await?;
    Ok(MoRef::child(&answer, "returnval"))
}

/// The entity at an inventory path that must be there.
///
/// # Errors
/// `Refused` where it is not; any [`Failure`].
pub async fn must(session: &Session, what: &str, wanted: &str) -> Result<MoRef, Failure> {
    by_path(session, wanted).await?.ok_or_else(|| {
        Failure::refused(
            format!("there is no {what} at {wanted}"),
            "check the path, and that boma's account may see it",
        )
    })
}

/// The VM of an instance UUID, templates included. `None` proves that vCenter has none.
///
/// # Errors
/// Any [`Failure`].
pub async fn by_instance_uuid(session: &Session, uuid: &str) -> Result<Option<MoRef>, Failure> {
    let open = session.open().await?;
    let call = find_by_uuid(&open.content.search_index, uuid);
    let answer = session.ask(call).await?;
    Ok(MoRef::child(&answer, "returnval"))
}

/// Puts an object's path into a failure that names it by reference, as far as it can be read.
pub async fn name_object(session: &Session, failure: Failure) -> Failure {
    use super::fault::Fault;
    let Failure::Fault(Fault::NoPermission { object, reference: Some(reference), privilege }) =
        failure
    else {
        return failure;
    };
    let climbed = Inventory::climb(session, &reference, &[], &[]).await;
    let path = climbed.ok().and_then(|inventory| inventory.path(&reference));
    Fault::NoPermission { object: path.unwrap_or(object), reference: None, privilege }.into()
}

fn find_by_uuid(search_index: &MoRef, uuid: &str) -> Element {
    search_index
        .call("FindByUuid")
        .push(Element::with_text("uuid", uuid))
        .push(Element::with_text("vmSearch", "true"))
        .push(Element::with_text("instanceUuid", "true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_by_uuid_asks_for_the_instance_uuid() {
        let call = find_by_uuid(&MoRef::new("SearchIndex", "SearchIndex"), "u");
        let names: Vec<&str> = call.children.iter().map(|child| child.name.as_str()).collect();
        assert_eq!(names, ["_this", "uuid", "vmSearch", "instanceUuid"]);
        assert_eq!(call.child_text("instanceUuid"), Some("true"));
    }
}
