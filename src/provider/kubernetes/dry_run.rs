//! What the server would say.

use serde_json::Value as Json;

use super::apply::{Draft, apply};
use super::client::Client;
use super::failure::Failure;
use super::manifest::manifest;
use super::place::Place;
use crate::provider::Retry;
use crate::resource::{Address, Attributes, Mark};

/// One object that a plan would write. It holds secrets, so it has no `Debug`.
#[derive(Clone)]
pub struct Trial {
    /// Which resource it is.
    pub address: Address,
    /// Its natural key.
    pub place: Attributes,
    /// Everything desired of it, all values known.
    pub attributes: Json,
    /// boma's sign, as it would be written.
    pub mark: Option<Mark>,
    /// The fields that the plan shows.
    pub fields: Vec<String>,
}

/// Why the server would not take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// In the server's words.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// Whether what was sent is to blame, and no quota, webhook or fault that may pass: a value that
    /// is not allowed, or a field that does not change.
    pub is_lasting: bool,
}

/// Has the server check one object, changing nothing. What cannot be tried before its namespace or
/// its definition is there counts as accepted, and so does a Node, which boma does not make.
///
/// # Errors
/// The objection.
pub async fn dry_run(client: &Client, trial: &Trial) -> Result<(), Objection> {
    let Some(place) = Place::of(&trial.place).filter(|place| !place.is_node()) else {
        return Ok(());
    };
    let manifest = manifest(&place, &trial.attributes, trial.mark.as_ref(), None);
    let draft = Draft { place: &place, manifest, fields: &trial.fields, dry_run: true };
    match apply(client, &draft).await {
        Ok(_) => Ok(()),
        Err(Failure::Refused { retry: Retry::NextApply, .. }) => Ok(()),
        Err(Failure::Api(status)) if status.code == 404 => Ok(()),
        Err(failure) => Err(Objection {
            message: failure.to_string(),
            help: failure.help(),
            is_lasting: is_lasting(&failure),
        }),
    }
}

fn is_lasting(failure: &Failure) -> bool {
    matches!(failure, Failure::Api(status) if status.code == 422)
}
