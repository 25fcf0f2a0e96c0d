//! `vsphere/permission`: one entry of an entity's permissions.
//!
//! `SetEntityPermissions` merges per principal; `ResetEntityPermissions`, which wipes the others,
//! is never called.

use serde_json::{Value as Json, json};

use super::failure::Failure;
use super::fault::Fault;
use super::inventory::Inventory;
use super::locate;
use super::moref::MoRef;
use super::role::{self, Role};
use super::session::Session;
use crate::provider::Inputs;
use crate::resource::{Attributes, Locator, Object, Reading};
use crate::xml::Element;

/// A `Permission` as set on one entity (not inherited).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// What it is set on.
    pub entity: MoRef,
    /// As vCenter prints it: `VSPHERE.LOCAL\name`.
    pub principal: String,
    /// The principal is a group.
    pub group: bool,
    /// The role's id.
    pub role: i64,
    /// It holds below the entity too.
    pub propagate: bool,
}

impl Permission {
    /// Reads a `Permission` element, which may leave out the entity that was asked for. `None`
    /// where required parts are missing.
    pub fn of(element: &Element, asked: Option<&MoRef>) -> Option<Self> {
        Some(Self {
            entity: MoRef::child(element, "entity").or_else(|| asked.cloned())?,
            principal: element.child_text("principal")?.to_owned(),
            group: is_true(element.child_text("group")?),
            role: element.child_text("roleId")?.trim().parse().ok()?,
            propagate: is_true(element.child_text("propagate")?),
        })
    }

    /// The object in the common shape, with its entity's path as it is now.
    pub fn object(&self, path: &str, roles: &[Role]) -> Object {
        let role = roles.iter().find(|role| role.id == self.role);
        let role = role.map_or_else(|| self.role.to_string(), |role| role.name.clone());
        Object {
            id: format!("{}|{}", self.entity, self.principal),
            attributes: Attributes::new(&json!({
                "entity": path,
                "principal": self.principal,
                "group": self.group,
                "role": role,
                "propagate": self.propagate,
            })),
            mark: None,
        }
    }

    /// Whether it is the one of an entity and a principal; principals have no case.
    pub fn is(&self, entity: &MoRef, principal: &str) -> bool {
        self.entity.value == entity.value && same_principal(&self.principal, principal)
    }
}

/// Reads all permissions that are set anywhere.
///
/// # Errors
/// Any [`Failure`].
pub async fn list(session: &Session) -> Result<Vec<Permission>, Failure> {
    let manager = session.open().await?.content.authorization_manager.clone();
    let answer = session.ask(manager.call("RetrieveAllPermissions")).await?;
    let all = answer.children_named("returnval");
    Ok(all.filter_map(|element| Permission::of(element, None)).collect())
}

/// Reads the permission of one principal on one entity. `None` where there is none, or the entity
/// is gone.
///
/// # Errors
/// Any [`Failure`].
pub async fn on(
    session: &Session,
    entity: &MoRef,
    principal: &str,
) -> Result<Option<Permission>, Failure> {
    let manager = session.open().await?.content.authorization_manager.clone();
    let call = manager
        .call("RetrieveEntityPermissions")
        .push(entity.element("entity"))
        .push(Element::with_text("inherited", "false"));
    match session.ask(call).await {
        Ok(answer) => {
            let set = answer.children_named("returnval");
            let mut set = set.filter_map(|element| Permission::of(element, Some(entity)));
            Ok(set.find(|permission| permission.is(entity, principal)))
        }
        Err(failure) if failure.is_gone() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Reads one address with calls of its own: by recorded id, else by place.
///
/// # Errors
/// Any [`Failure`].
pub async fn read_one(session: &Session, locator: &Locator) -> Result<Reading, Failure> {
    let mut found = None;
    if let Some((entity, principal)) = locator.id.as_deref().and_then(parse_id) {
        found = on(session, &entity, &principal).await?;
    }
    if found.is_none() {
        let place = locator.place.tree();
        let (path, principal) = place_of(&place)?;
        if let Some(entity) = locate::by_path(session, path).await? {
            found = on(session, &entity, principal).await?;
        }
    }
    let Some(permission) = found else { return Ok(Reading::Absent) };
    let inventory = Inventory::climb(session, &permission.entity, &[], &[]).await?;
    let path = inventory.path(&permission.entity).ok_or_else(|| unplaced(&permission.entity))?;
    Ok(Reading::Present(permission.object(&path, &role::list(session).await?)))
}

/// Finds the permission of an address among all: by recorded id, else by place.
///
/// # Errors
/// `Refused` where the place is not whole.
pub fn find<'a>(
    locator: &Locator,
    all: &'a [Permission],
    inventory: &Inventory,
) -> Result<Option<&'a Permission>, Failure> {
    let recorded = locator.id.as_deref().and_then(parse_id);
    let by_id = recorded.and_then(|(entity, principal)| {
        all.iter().find(|permission| permission.is(&entity, &principal))
    });
    if by_id.is_some() {
        return Ok(by_id);
    }
    let place = locator.place.tree();
    let (path, principal) = place_of(&place)?;
    let Some(entity) = inventory.at(path) else { return Ok(None) };
    Ok(all.iter().find(|permission| permission.is(entity, principal)))
}

/// Sets a permission: on create all fields come from the spec, on update the ones that stay come
/// from the object.
///
/// # Errors
/// Any [`Failure`]; `Refused` where entity or role are not there.
pub async fn set(session: &Session, inputs: &Inputs) -> Result<Reading, Failure> {
    let fields = fields(inputs);
    let text = |name: &str| {
        fields[name]
            .as_str()
            .ok_or_else(|| Failure::missing("SetEntityPermissions", &format!("{name} in the spec")))
    };
    let recorded = inputs.object.as_ref().and_then(|object| parse_id(&object.id));
    let entity = match recorded {
        Some((entity, _)) => entity,
        None => locate::must(session, "object", text("entity")?).await?,
    };
    let roles = role::list(session).await?;
    let role = fields["role"].as_str().and_then(|name| role::named(&roles, name));
    let role = role.ok_or_else(|| {
        Failure::refused(
            format!("there is no role {}", fields["role"]),
            "add it to the spec, or name one that is there",
        )
    })?;
    let permission = Permission {
        entity,
        principal: text("principal")?.to_owned(),
        group: fields["group"].as_bool().unwrap_or(false),
        role: role.id,
        propagate: fields["propagate"].as_bool().unwrap_or(false),
    };
    let manager = session.open().await?.content.authorization_manager.clone();
    session
        .call(set_call(&manager, &permission))
        .await
        .map_err(|failure| in_context(failure, &permission))?;
    let live = on(session, &permission.entity, &permission.principal).await?.unwrap_or(permission);
    Ok(Reading::Present(live.object(text("entity")?, &roles)))
}

/// Removes one principal's permission; the others on the entity stay.
///
/// # Errors
/// Any [`Failure`].
pub async fn delete(session: &Session, inputs: &Inputs) -> Result<Reading, Failure> {
    let object = inputs.object.as_ref();
    let id = object.map(|object| object.id.as_str()).or(inputs.locator.id.as_deref());
    let Some((entity, principal)) = id.and_then(parse_id) else {
        return Err(Failure::refused("the permission has no recorded id", "plan again"));
    };
    let Some(live) = on(session, &entity, &principal).await? else { return Ok(Reading::Absent) };
    let manager = session.open().await?.content.authorization_manager.clone();
    match session.call(remove_call(&manager, &live)).await {
        Ok(_) | Err(Failure::Fault(Fault::NotFound { .. })) => Ok(Reading::Absent),
        Err(failure) if failure.is_gone() => Ok(Reading::Absent),
        Err(failure) => Err(failure),
    }
}

/// The entity and the principal of a recorded id, `Type:moref|principal`; the type may be missing.
fn parse_id(id: &str) -> Option<(MoRef, String)> {
    let (entity, principal) = id.split_once('|')?;
    let entity = match entity.split_once(':') {
        Some((kind, value)) => MoRef::new(kind, value),
        None => MoRef::from_value(entity)?,
    };
    Some((entity, principal.to_owned()))
}

/// The failure for an entity whose path cannot be read.
pub fn unplaced(entity: &MoRef) -> Failure {
    Failure::refused(
        format!("the path of {entity} cannot be read"),
        "give boma's account the role ReadOnly on all folders above it",
    )
}

fn place_of(place: &Json) -> Result<(&str, &str), Failure> {
    match (place["entity"].as_str(), place["principal"].as_str()) {
        (Some(entity), Some(principal)) => Ok((entity, principal)),
        _ => Err(Failure::later(
            "its object is not known yet",
            "plan again once what it is set on exists",
        )),
    }
}

fn fields(inputs: &Inputs) -> Json {
    let mut fields =
        inputs.object.as_ref().map_or_else(|| json!({}), |object| object.attributes.tree());
    if let (Some(fields), Some(changed)) = (fields.as_object_mut(), inputs.attributes.as_object()) {
        fields.extend(changed.clone());
    }
    fields
}

fn set_call(manager: &MoRef, permission: &Permission) -> Element {
    let entry = Element::new("permission")
        .push(permission.entity.element("entity"))
        .push(Element::with_text("principal", permission.principal.as_str()))
        .push(Element::with_text("group", permission.group.to_string()))
        .push(Element::with_text("roleId", permission.role.to_string()))
        .push(Element::with_text("propagate", permission.propagate.to_string()));
    manager.call("SetEntityPermissions").push(permission.entity.element("entity")).push(entry)
}

fn remove_call(manager: &MoRef, permission: &Permission) -> Element {
    manager
        .call("RemoveEntityPermission")
        .push(permission.entity.element("entity"))
        .push(Element::with_text("user", permission.principal.as_str()))
        .push(Element::with_text("isGroup", permission.group.to_string()))
}

fn in_context(failure: Failure, permission: &Permission) -> Failure {
    match failure.fault() {
        Some(Fault::Other { name, .. }) if name == "UserNotFound" => Failure::refused(
            format!("vCenter does not know {}", permission.principal),
            "create the account or group in vCenter's single sign-on first, or correct its name",
        ),
        Some(Fault::InvalidArgument { .. }) => Failure::refused(
            format!("vCenter takes no permissions on {}", permission.entity),
            "set it on the datacenter, or on a folder that is not the datacenter's own vm, host, \
             datastore or network folder",
        ),
        _ => failure,
    }
}

fn same_principal(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn is_true(text: &str) -> bool {
    matches!(text.trim(), "true" | "1")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::vsphere::inventory::tests::small;
    use crate::provider::vsphere::testing::names;

    fn permission() -> Permission {
        let text = r#"<returnval xmlns="urn:vim25"><entity type="Folder">group-v9</entity><principal>VSPHERE.LOCAL\cht-storage</principal><group>false</group><roleId>1001</roleId><propagate>false</propagate></returnval>"#;
        Permission::of(&Element::parse(text).unwrap(), None).unwrap()
    }

    fn check(id: Option<&str>, entity: &str, principal: &str, found: bool) {
        let locator = Locator {
            id: id.map(str::to_owned),
            place: Attributes::new(&json!({"entity": entity, "principal": principal})),
            ..Locator::default()
        };
        let all = [permission()];
        assert_eq!(
            find(&locator, &all, &small()).unwrap().is_some(),
            found,
            "{id:?} {entity} {principal}"
        );
    }

    #[test]
    fn permissions_are_found_by_id_then_by_place_in_any_case() {
        check(Some(r"Folder:group-v9|VSPHERE.LOCAL\cht-storage"), "/gone", "x", true);
        check(Some(r"group-v9|vsphere.local\CHT-storage"), "/gone", "x", true);
        check(None, "/DC1/vm/cht", r"vsphere.local\cht-storage", true);
        check(None, "/DC1/vm", r"vsphere.local\cht-storage", false);
        check(None, "/DC1/vm/cht", r"vsphere.local\other", false);
    }

    #[test]
    fn the_object_names_path_and_role() {
        let roles = [Role { id: 1001, name: "CNS-VM".into(), privileges: Vec::new() }];
        let object = permission().object("/DC1/vm/cht", &roles);
        assert_eq!(object.id, r"Folder:group-v9|VSPHERE.LOCAL\cht-storage");
        assert_eq!(
            object.attributes.as_str(),
            r#"{"entity":"/DC1/vm/cht","group":false,"principal":"VSPHERE.LOCAL\\cht-storage","propagate":false,"role":"CNS-VM"}"#
        );
    }

    #[test]
    fn requests_follow_the_order_of_the_wsdl() {
        let manager = MoRef::new("AuthorizationManager", "AuthorizationManager");
        let set = set_call(&manager, &permission());
        assert_eq!(names(&set), ["_this", "entity", "permission"]);
        assert_eq!(
            names(set.child("permission").unwrap()),
            ["entity", "principal", "group", "roleId", "propagate"]
        );
        assert_eq!(
            names(&remove_call(&manager, &permission())),
            ["_this", "entity", "user", "isGroup"]
        );
    }
}
