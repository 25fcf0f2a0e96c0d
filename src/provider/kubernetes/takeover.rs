//! Objects that helm made and boma keeps from now on.

use serde_json::{Value as Json, json};

use super::apply::Applied;
use super::call::Call;
use super::client::Client;
use super::failure::Failure;
use super::fields::MANAGER;
use super::place::Place;
use super::read::get;
use super::status;

/// The manager as which helm writes, whatever its version.
const HELM: &str = "helm";
/// The label that helm puts on what it makes.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// How often others may write the object in between. Controllers do so while pods start.
const TRIES: usize = 5;

/// Who made an object as part of a release, and still has an entry in its books. `None` where boma
/// has taken its place, or nobody did.
pub fn holder(live: &Json) -> Option<&'static str> {
    let is_helms = live["metadata"]["labels"][MANAGED_BY] == "Helm";
    let mut entries = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let holds = |entry: &Json| entry["manager"] == HELM && entry["subresource"].is_null();
    (is_helms && entries.any(holds)).then_some(HELM)
}

/// Removes the entry of managers whose place boma takes from an object's books, which changes
/// nothing of the object itself: helm's where boma keeps what it made, and that of boma's own
/// patches. What boma leaves out from then on is taken off the object, which a second owner would
/// prevent. A later release of helm's enters it anew; the next write of boma's removes it again.
///
/// # Errors
/// The server refuses, or others write the object all the time.
pub async fn take_over(
    client: &Client,
    place: &Place,
    applied: Applied,
) -> Result<Applied, Failure> {
    let adopts = holder(&applied.object).is_some();
    let mut object = applied.object;
    for _ in 0..TRIES {
        let entries = superseded(&object, adopts);
        if entries.is_empty() {
            return Ok(Applied { object, ..applied });
        }
        let patch = Call::json_patch(place, &without(&object, &entries))?;
        let answer = client.call(&patch).await?;
        if answer.status.is_success() {
            object = answer.json();
            continue;
        }
        let status = status::of(&answer);
        // What was tested is no longer so.
        if !matches!(status.code, 409 | 422) {
            return Err(status.into());
        }
        let Some(live) = get(client, place).await? else { return Err(status.into()) };
        object = live;
    }
    Err(Failure::spent(
        format!("{} is written all the time, so that helm still owns its fields", place.name),
        "apply again",
    ))
}

/// Which entries of the books go, by their place in them.
fn superseded(live: &Json, adopts: bool) -> Vec<usize> {
    let entries = live["metadata"]["managedFields"].as_array().into_iter().flatten().enumerate();
    let goes = |entry: &Json| {
        let is_helm = adopts && entry["manager"] == HELM;
        let is_patch = entry["manager"] == MANAGER && entry["operation"] == "Update";
        entry["subresource"].is_null() && (is_helm || is_patch)
    };
    entries.filter(|(_, entry)| goes(entry)).map(|(at, _)| at).collect()
}

/// The patch that removes entries of exactly this version of the object.
fn without(live: &Json, entries: &[usize]) -> Json {
    let version = &live["metadata"]["resourceVersion"];
    let test = json!({"op": "test", "path": "/metadata/resourceVersion", "value": version});
    // The last one first: those before it keep their places.
    let removed = entries.iter().rev().map(|at| {
        let path = format!("/metadata/managedFields/{at}");
        json!({"op": "remove", "path": path})
    });
    std::iter::once(test).chain(removed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helms_entries_go_where_boma_adopts_and_those_of_subresources_stay() {
        let entry =
            |manager: &str, operation: &str| json!({"manager": manager, "operation": operation});
        let mut status = entry("helm", "Update");
        status["subresource"] = json!("status");
        let entries = [
            entry("helm", "Update"),
            entry("boma", "Apply"),
            entry("kubectl", "Update"),
            entry("helm", "Apply"),
            status,
            entry("boma", "Update"),
        ];
        let live = json!({"metadata": {"resourceVersion": "7", "managedFields": entries}});
        assert_eq!(superseded(&live, true), [0, 3, 5]);
        assert_eq!(superseded(&live, false), [5]);
        let paths = without(&live, &[0, 3]);
        assert_eq!(paths[0]["value"], "7");
        assert_eq!(paths[1]["path"], "/metadata/managedFields/3");
        assert_eq!(paths[2]["path"], "/metadata/managedFields/0");
    }
}
