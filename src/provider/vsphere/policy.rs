//! Storage policies, of which vim25 tells nothing: PBM does, with the same session.

use std::collections::BTreeSet;

use super::failure::Failure;
use super::moref::MoRef;
use super::session::Session;
use super::soap::{PBM, Service};
use crate::xml::Element;

/// The names of all storage policies that boma's account sees. Two requests.
///
/// # Errors
/// Any [`Failure`]; `NoPermission` where the account lacks `StorageProfile.View` on the root
/// folder.
pub async fn names(session: &Session) -> Result<BTreeSet<String>, Failure> {
    let answer = session.ask_of(Service::Pbm, query()).await?;
    let ids: Vec<String> = answer
        .children_named("returnval")
        .filter_map(|id| id.child_text("uniqueId").map(str::to_owned))
        .collect();
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let answer = session.ask_of(Service::Pbm, content(&ids)).await?;
    let profiles = answer.children_named("returnval");
    Ok(profiles.filter_map(|profile| profile.child_text("name").map(str::to_owned)).collect())
}

/// The only object that knows policies; its name is the same in every vCenter (govmomi's
/// `pbm/simulator` and `PbmRetrieveServiceContent`).
fn manager() -> MoRef {
    MoRef::new("PbmProfileProfileManager", "ProfileManager")
}

fn query() -> Element {
    let storage = Element::with_text("resourceType", "STORAGE");
    manager()
        .call("PbmQueryProfile")
        .attr("xmlns", PBM)
        .push(Element::new("resourceType").push(storage))
        .push(Element::with_text("profileCategory", "REQUIREMENT"))
}

fn content(ids: &[String]) -> Element {
    let id = |id: &String| Element::new("profileIds").push(Element::with_text("uniqueId", id));
    manager().call("PbmRetrieveContent").attr("xmlns", PBM).extend(ids.iter().map(id))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::vsphere::testing::names;

    #[test]
    fn the_calls_follow_the_order_of_the_wsdl() {
        assert_eq!(names(&query()), ["_this", "resourceType", "profileCategory"]);
        let content = content(&["a".into(), "b".into()]);
        assert_eq!(names(&content), ["_this", "profileIds", "profileIds"]);
        assert_eq!(content.attribute("xmlns"), Some("urn:pbm"));
    }
}
