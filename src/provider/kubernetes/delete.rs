//! Deleting.

use hyper::StatusCode;
use serde_json::{Value as Json, json};

use super::call::Call;
use super::client::Client;
use super::failure::Failure;
use super::place::Place;
use super::status::Status;

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
    let policy = if place.group() == "apps" { "Foreground" } else { "Background" };
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
