//! Deleting, and the last word on what holds data.

use hyper::StatusCode;
use serde_json::{Value as Json, json};

use super::call::Call;
use super::client::Client;
use super::failure::Failure;
use super::place::Place;
use super::status::Status;
use super::text::encode;
use crate::resource::Kind;

/// What a Secret has without which nobody gets into a project's databases.
const PASSWORD: &str = "COUCHDB_PASSWORD";

/// Refuses to delete what holds data, whatever a plan says: claims and volumes, whatever is said to
/// hold data, a Secret with a CouchDB password, a StatefulSet that takes its claims with it, a
/// namespace with a claim in it.
///
/// # Errors
/// It holds data; nobody can say whether a namespace has claims.
pub async fn refuse_data(
    client: &Client,
    kind: Kind,
    place: &Place,
    seen: Option<&Json>,
) -> Result<(), Failure> {
    let volume = place.is("", "PersistentVolumeClaim") || place.is("", "PersistentVolume");
    let password = place.is_secret() && seen.is_some_and(has_password);
    if volume || password || kind.holds_data {
        return Err(kept(format!("{} {} holds data", place.kind, place.name)));
    }
    if place.is("apps", "StatefulSet") && seen.is_some_and(takes_claims) {
        return Err(kept(format!("the claims of the StatefulSet {} go with it", place.name)));
    }
    if !place.is("", "Namespace") {
        return Ok(());
    }
    match first_claim(client, &place.name).await? {
        Some(claim) => {
            let message =
                format!("the Namespace {} holds data: it has the claim {claim}", place.name);
            Err(kept(message))
        }
        None => Ok(()),
    }
}

fn has_password(secret: &Json) -> bool {
    ["data", "binary_data"].iter().any(|part| secret[*part].get(PASSWORD).is_some())
}

fn takes_claims(set: &Json) -> bool {
    let spec = &set["spec"];
    spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete"
        && spec["volumeClaimTemplates"].as_array().is_some_and(|claims| !claims.is_empty())
}

/// A claim of a namespace. `None` where it has none.
async fn first_claim(client: &Client, namespace: &str) -> Result<Option<String>, Failure> {
    let namespace = encode(namespace);
    let path = format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims?limit=1");
    let list = client.ok(&Call::get(path)).await?.json();
    let claim = &list["items"][0]["metadata"]["name"];
    Ok((!claim.is_null()).then(|| claim.as_str().unwrap_or("without a name").to_owned()))
}

fn kept(message: String) -> Failure {
    Failure::refused(
        format!("{message}, and nobody gave it up"),
        "plan again; data is deleted only by `boma destroy SPEC --abandon-data PROJECT`",
    )
}

/// Asks for an object's end: that one's, by its uid, and no successor's. Workloads end after their
/// pods. Gives the object where it is still there, as it is while finalizers run.
///
/// # Errors
/// The server refuses; another object stands in its place.
pub async fn delete(
    client: &Client,
    place: &Place,
    uid: Option<&str>,
) -> Result<Option<Json>, Failure> {
    let policy =
        if ["apps", "batch"].contains(&place.group()) { "Foreground" } else { "Background" };
    let mut options =
        json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy});
    if let Some(uid) = uid {
        options["preconditions"] = json!({"uid": uid});
    }
    let answer = client.call(&Call::delete(place.path(), &options)).await?;
    match answer.status {
        StatusCode::NOT_FOUND => Ok(None),
        status if status.is_success() => {
            // Some kinds answer with the object, which is gone unless it waits for something.
            let object = answer.json();
            Ok(object["metadata"]["deletionTimestamp"].is_string().then_some(object))
        }
        _ => Err(Status::of(&answer).into()),
    }
}
