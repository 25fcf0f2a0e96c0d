//! Deleting, and the last word on what holds data.

use hyper::StatusCode;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::{DeleteParams, ListParams, Preconditions};
use serde_json::Value as Json;

use super::call::Call;
use super::client::Client;
use super::failure::Failure;
use super::list::page;
use super::place::Place;
use super::status;
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
    let params = ListParams::default().limit(1);
    let claims = page::<PersistentVolumeClaim>(client, Some(namespace), &params).await?;
    let name = |claim: &Json| claim["metadata"]["name"].as_str().map(str::to_owned);
    Ok(claims.first().map(|claim| name(claim).unwrap_or_else(|| "without a name".into())))
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
    let mut params = match place.group() {
        "apps" | "batch" => DeleteParams::foreground(),
        _ => DeleteParams::background(),
    };
    params.preconditions =
        uid.map(|uid| Preconditions { uid: Some(uid.to_owned()), ..Preconditions::default() });
    let answer = client.call(&Call::delete(place, &params)?).await?;
    match answer.status {
        StatusCode::NOT_FOUND => Ok(None),
        status if status.is_success() => {
            // Some kinds answer with the object, which is gone unless it waits for something.
            let object = answer.json();
            Ok(object["metadata"]["deletionTimestamp"].is_string().then_some(object))
        }
        _ => Err(status::of(&answer).into()),
    }
}
