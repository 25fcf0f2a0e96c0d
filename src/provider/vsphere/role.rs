//! `vsphere/role`: roles of the AuthorizationManager.

use serde_json::json;

use super::collect::{Row, retrieve_one};
use super::failure::Failure;
use super::fault::Fault;
use super::session::Session;
use crate::provider::Inputs;
use crate::resource::{Attributes, Locator, Object, Reading};
use crate::xml::Element;

/// An `AuthorizationRole`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Negative for the roles that vCenter brings.
    pub id: i64,
    /// The name that people see; `ReadOnly` and its like for those that vCenter brings.
    pub name: String,
    /// Sorted, without the ones that the server adds to every role.
    pub privileges: Vec<String>,
}

/// What the server adds to every role by itself.
const IMPLIED: &[&str] = &["System.Anonymous", "System.Read", "System.View"];

impl Role {
    fn of(element: &Element) -> Option<Self> {
        let privileges = element.children_named("privilege").map(|child| child.text.clone());
        Some(Self {
            id: element.child_text("roleId")?.trim().parse().ok()?,
            name: element.child_text("name")?.to_owned(),
            privileges: own(privileges.collect()),
        })
    }

    fn object(&self) -> Object {
        Object {
            id: self.id.to_string(),
            attributes: Attributes::new(&json!({
                "name": self.name,
                "privileges": self.privileges,
                "role_id": self.id.to_string(),
            })),
            mark: None,
        }
    }
}

/// Reads all roles: few dozen, in one property.
///
/// # Errors
/// Any [`Failure`].
pub async fn list(session: &Session) -> Result<Vec<Role>, Failure> {
    let manager = session.open().await?.content.authorization_manager.clone();
    from_row(&retrieve_one(session, &manager, &["roleList"]).await?)
}

/// Takes the roles out of the AuthorizationManager's row.
///
/// # Errors
/// The fault that vCenter gave in place of the list.
pub fn from_row(row: &Row) -> Result<Vec<Role>, Failure> {
    if let Some((_, fault)) = row.missing.first() {
        return Err(fault.clone().into());
    }
    let list =
        row.get("roleList").ok_or_else(|| Failure::missing("RetrievePropertiesEx", "roleList"))?;
    Ok(list.children.iter().filter_map(Role::of).collect())
}

/// The reading of one address: by recorded id, else by name.
pub fn read(wanted: &Locator, roles: &[Role]) -> Reading {
    let by_id = |role: &&Role| wanted.id.as_deref() == Some(role.id.to_string().as_str());
    let place = wanted.place.tree();
    let name = place["name"].as_str();
    let role = roles.iter().find(by_id).or_else(|| named(roles, name?));
    role.map_or(Reading::Absent, |role| Reading::Present(role.object()))
}

/// The role of a name. One that somebody made by hand may be spelt in another case; the exact
/// spelling goes first.
pub fn named<'a>(roles: &'a [Role], name: &str) -> Option<&'a Role> {
    let same = |role: &&Role| role.name.to_lowercase() == name.to_lowercase();
    roles.iter().find(|role| role.name == name).or_else(|| roles.iter().find(same))
}

/// Makes a role. One that is there already with exactly these privileges counts as made: that is
/// what a call whose answer was lost leaves behind.
///
/// # Errors
/// Any [`Failure`]; `Refused` for a role of that name with other privileges.
pub async fn create(session: &Session, inputs: &Inputs) -> Result<Reading, Failure> {
    let wanted = asked(inputs, None)?;
    let manager = session.open().await?.content.authorization_manager.clone();
    let call = manager
        .call("AddAuthorizationRole")
        .push(Element::with_text("name", wanted.name.as_str()))
        .extend(privileges(&wanted));
    match session.call(call).await {
        Ok(_) | Err(Failure::Fault(Fault::AlreadyExists { .. })) => made(session, &wanted).await,
        Err(failure) => Err(failure),
    }
}

/// Writes name and privileges. The call replaces the whole set, so what the step leaves out is
/// taken from the live role.
///
/// # Errors
/// Any [`Failure`]; `Refused` where the role is gone.
pub async fn update(session: &Session, inputs: &Inputs) -> Result<Reading, Failure> {
    let id = id_of(inputs)?;
    let roles = list(session).await?;
    let live = roles.iter().find(|role| role.id == id).ok_or_else(|| {
        Failure::later(
            format!("the role {id} is not there any more"),
            "plan again: it will be created",
        )
    })?;
    let wanted = asked(inputs, Some(live))?;
    let manager = session.open().await?.content.authorization_manager.clone();
    let call = manager
        .call("UpdateAuthorizationRole")
        .push(Element::with_text("roleId", id.to_string()))
        .push(Element::with_text("newName", wanted.name.as_str()))
        .extend(privileges(&wanted));
    session.call(call).await?;
    Ok(Reading::Present(Role { id, ..wanted }.object()))
}

/// Removes a role, unless a permission still uses it.
///
/// # Errors
/// Any [`Failure`].
pub async fn delete(session: &Session, inputs: &Inputs) -> Result<Reading, Failure> {
    let id = id_of(inputs)?;
    let manager = session.open().await?.content.authorization_manager.clone();
    let call = manager
        .call("RemoveAuthorizationRole")
        .push(Element::with_text("roleId", id.to_string()))
        .push(Element::with_text("failIfUsed", "true"));
    match session.call(call).await {
        Ok(_) | Err(Failure::Fault(Fault::NotFound { .. })) => Ok(Reading::Absent),
        Err(Failure::Fault(Fault::Other { name, .. })) if IN_USE.contains(&name.as_str()) => {
            Err(Failure::refused(
                format!("the role {id} is in use by permissions outside this spec"),
                "remove those permissions in vCenter, or keep the role: boma state rm forgets it",
            ))
        }
        Err(failure) => Err(failure),
    }
}

/// What vCenter answers for a role that permissions use.
const IN_USE: &[&str] = &["RemoveFailed", "ResourceInUse"];

/// What stands under the name now: the server's own list tells its id.
async fn made(session: &Session, wanted: &Role) -> Result<Reading, Failure> {
    let roles = list(session).await?;
    match roles.iter().find(|role| role.name == wanted.name) {
        Some(role) if role.privileges == wanted.privileges => Ok(Reading::Present(role.object())),
        Some(_) => Err(Failure::refused(
            format!("a role {} with other privileges exists already", wanted.name),
            "take it over with boma import, or name another role in the spec",
        )),
        None => Err(Failure::later(
            format!("the role {} is not there although it was made", wanted.name),
            "plan again: somebody else may be removing it",
        )),
    }
}

fn asked(inputs: &Inputs, live: Option<&Role>) -> Result<Role, Failure> {
    let attributes = &inputs.attributes;
    let name = match (attributes["name"].as_str(), live) {
        (Some(name), _) => name.to_owned(),
        (None, Some(live)) => live.name.clone(),
        (None, None) => return Err(Failure::missing("AddAuthorizationRole", "name in the spec")),
    };
    let privileges = match (attributes["privileges"].as_array(), live) {
        (Some(list), _) => {
            own(list.iter().filter_map(|id| id.as_str()).map(str::to_owned).collect())
        }
        (None, Some(live)) => live.privileges.clone(),
        (None, None) => Vec::new(),
    };
    Ok(Role { id: 0, name, privileges })
}

fn own(mut privileges: Vec<String>) -> Vec<String> {
    privileges.retain(|id| !IMPLIED.contains(&id.as_str()));
    privileges.sort();
    privileges.dedup();
    privileges
}

fn privileges(role: &Role) -> impl Iterator<Item = Element> {
    role.privileges.iter().map(|id| Element::with_text("privIds", id.as_str()))
}

fn id_of(inputs: &Inputs) -> Result<i64, Failure> {
    let id = inputs.object.as_ref().map(|object| &object.id).or(inputs.locator.id.as_ref());
    id.and_then(|id| id.parse().ok())
        .ok_or_else(|| Failure::refused("the role has no recorded id", "plan again"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::vsphere::testing::row;

    fn roles() -> Vec<Role> {
        let list = r#"<propSet><name>roleList</name><val xsi:type="ArrayOfAuthorizationRole">
            <AuthorizationRole xsi:type="AuthorizationRole"><roleId>-2</roleId><system>true</system><name>ReadOnly</name><info><label>Read-only</label><summary>See</summary></info><privilege>System.Anonymous</privilege><privilege>System.View</privilege><privilege>System.Read</privilege></AuthorizationRole>
            <AuthorizationRole xsi:type="AuthorizationRole"><roleId>1001</roleId><system>false</system><name>CNS-VM</name><info><label>CNS-VM</label><summary>CNS-VM</summary></info><privilege>VirtualMachine.Config.AddRemoveDevice</privilege><privilege>System.Anonymous</privilege><privilege>VirtualMachine.Config.AddExistingDisk</privilege><privilege>System.Read</privilege></AuthorizationRole>
            </val></propSet>"#;
        from_row(&row("AuthorizationManager", "AuthorizationManager", list)).unwrap()
    }

    fn check(id: Option<&str>, name: &str, expected: Option<&str>) {
        let locator = Locator {
            id: id.map(str::to_owned),
            place: Attributes::new(&json!({ "name": name })),
            ..Locator::default()
        };
        let reading = read(&locator, &roles());
        let found = reading.object().map(|object| object.attributes.as_str());
        assert_eq!(found, expected);
    }

    #[test]
    fn roles_are_found_by_id_then_by_name() {
        let cns = r#"{"name":"CNS-VM","privileges":["VirtualMachine.Config.AddExistingDisk","VirtualMachine.Config.AddRemoveDevice"],"role_id":"1001"}"#;
        check(Some("1001"), "renamed-in-the-spec", Some(cns));
        check(None, "CNS-VM", Some(cns));
        check(Some("77"), "CNS-VM", Some(cns));
        check(None, "ReadOnly", Some(r#"{"name":"ReadOnly","privileges":[],"role_id":"-2"}"#));
        check(None, "cns-vm", Some(cns));
        check(None, "nope", None);
    }

    #[test]
    fn a_list_that_may_not_be_seen_is_a_failure() {
        let missing = r#"<missingSet><path>roleList</path><fault><fault xsi:type="NoPermission"><privilegeId>System.View</privilegeId></fault></fault></missingSet>"#;
        let failure =
            from_row(&row("AuthorizationManager", "AuthorizationManager", missing)).unwrap_err();
        assert!(failure.to_string().contains("System.View"), "{failure}");
    }
}
