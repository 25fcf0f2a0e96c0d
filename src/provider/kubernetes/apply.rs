//! Server-side apply.

use kube::api::{Patch, PatchParams};
use kube::core::Status;
use serde_json::{Value as Json, json};

use super::call::{Answer, Call};
use super::client::Client;
use super::conflict;
use super::failure::Failure;
use super::fields::MANAGER;
use super::manifest::head;
use super::place::Place;
use super::status::{self, is_field_conflict, is_race};

/// How often a kind may be unknown: a server knows it shortly after its definition is established,
/// and each server for itself.
const UNSERVED: u32 = 3;

/// What is applied, and how far one may go.
pub struct Draft<'a> {
    pub place: &'a Place,
    pub manifest: Json,
    /// The fields that the plan showed: those may be taken from others.
    pub fields: &'a [String],
    /// The server checks it and changes nothing.
    pub dry_run: bool,
}

/// What the server made of it.
pub struct Applied {
    /// The whole object.
    pub object: Json,
    /// The server's remarks.
    pub warnings: Vec<String>,
}

/// Applies a whole manifest as field manager `boma`. What boma applied before and leaves out now
/// is taken off the object.
///
/// # Errors
/// The server refuses, in its own words; another manager holds a field that the plan did not show.
pub async fn apply(client: &Client, draft: &Draft<'_>) -> Result<Applied, Failure> {
    let mut force = false;
    // Where the version matters, who asked has to look again.
    let mut raced = draft.manifest["metadata"]["resourceVersion"].is_string();
    let mut unserved = 0;
    loop {
        let params = PatchParams { force, dry_run: draft.dry_run, ..strict() };
        let patch = Patch::Apply(&draft.manifest);
        let answer = client.call(&Call::patch(draft.place, &params, &patch)?).await?;
        if answer.status.is_success() {
            return Ok(Applied { object: answer.json(), warnings: answer.warnings });
        }
        let status = status::of(&answer);
        if is_field_conflict(&status) && !force {
            if !conflict::was_shown(&status, draft.fields, &draft.manifest) {
                return Err(conflict::failure(&status));
            }
            force = true;
        } else if is_race(&status) && !raced {
            // Others wrote the object more often than the server tries by itself.
            raced = true;
        } else if is_unserved(&status) && !draft.dry_run && unserved < UNSERVED {
            unserved += 1;
            client.pause().await;
        } else {
            return Err(refusal(draft.place, status));
        }
    }
}

/// Sets the strategy of a Deployment to `Recreate`. Server-side apply cannot: whoever set
/// `rollingUpdate`, the server's defaults included, keeps it, and the two exclude each other.
///
/// # Errors
/// As [`apply`].
pub async fn recreate(client: &Client, place: &Place, uid: &str) -> Result<(), Failure> {
    let mut patch = head(place, Some(uid));
    patch["spec"] = json!({"strategy": {"type": "Recreate", "rollingUpdate": null}});
    let answer = merge(client, place, &patch).await?;
    match answer.status.is_success() {
        true => Ok(()),
        false => Err(refusal(place, status::of(&answer))),
    }
}

/// Sends a merge patch as field manager `boma`.
///
/// # Errors
/// There is no answer.
pub async fn merge(client: &Client, place: &Place, patch: &Json) -> Result<Answer, Failure> {
    client.call(&Call::patch(place, &strict(), &Patch::Merge(patch))?).await
}

/// As boma, and nothing that the server does not know.
fn strict() -> PatchParams {
    PatchParams::apply(MANAGER).validation_strict()
}

/// Whether the kind is unknown: the answer is text then.
fn is_unserved(status: &Status) -> bool {
    status.code == 404 && status.reason.is_empty()
}

/// Says what is missing where the server only says that something is.
fn refusal(place: &Place, status: Status) -> Failure {
    if is_unserved(&status) {
        return Failure::spent(
            format!("the cluster does not serve {} of {} yet", place.plural, place.api),
            "see that its CustomResourceDefinition is established, then apply again",
        );
    }
    status.into()
}
