//! `SearchIndex`.

use super::answer::Answer;
use super::call::{Call, flag};
use super::fault::Fault;
use super::permission::holds;
use super::world::{Entity, ROOT, Ref};

/// `FindByInventoryPath`; an empty answer when there is nothing, or nothing that the caller may
/// see.
pub(super) fn by_path(call: &Call<'_>) -> Result<Answer, Fault> {
    let path = call.text("inventoryPath");
    let found = call.world.at(path).filter(|entity| entity.id != ROOT || path == "/");
    Ok(found
        .filter(|entity| visible(call, entity))
        .map_or_else(Answer::default, |entity| Answer::object(&entity.reference())))
}

/// `FindByUuid`: BIOS UUID unless `instanceUuid` is true; the first where several share one.
pub(super) fn by_uuid(call: &Call<'_>) -> Result<Answer, Fault> {
    let found = machines(call)?.into_iter().next();
    Ok(found.map_or_else(Answer::default, |object| Answer::object(&object)))
}

/// `FindAllByUuid`.
pub(super) fn all_by_uuid(call: &Call<'_>) -> Result<Answer, Fault> {
    let found = machines(call)?;
    Ok(Answer::values(found.iter().map(|object| object.element("returnval")).collect()))
}

fn machines(call: &Call<'_>) -> Result<Vec<Ref>, Fault> {
    if flag(call.body, "vmSearch") != Some(true) {
        return Err(Fault::unsimulated("looking for hosts by UUID"));
    }
    let datacenter = match call.object("datacenter") {
        Some(datacenter) => Some(call.of_class(Some(datacenter), "Datacenter", "datacenter")?),
        None => None,
    };
    let wanted = call.text("uuid").to_lowercase();
    let instance = flag(call.body, "instanceUuid") == Some(true);
    let found = call.world.of_class("VirtualMachine").filter(|entity| {
        let uuid = entity
            .machine()
            .map(|machine| if instance { &machine.instance_uuid } else { &machine.uuid });
        uuid == Some(&wanted)
            && datacenter.is_none_or(|datacenter| call.world.is_below(&entity.id, &datacenter.id))
            && visible(call, entity)
    });
    Ok(found.map(Entity::reference).collect())
}

fn visible(call: &Call<'_>, entity: &Entity) -> bool {
    holds(call.world, &call.session.principal, &entity.id, "System.View")
}
