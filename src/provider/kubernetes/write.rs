//! Writing an object whole, with all that has to be so before and after it.

use super::apply::{Applied, Draft, apply, recreate};
use super::client::Client;
use super::failure::Failure;
use super::image;
use super::kept;
use super::manifest::manifest;
use super::place::Place;
use super::takeover::take_over;
use crate::plan::Step;
use crate::provider::Inputs;

/// Applies everything desired.
///
/// # Errors
/// As [`apply`]; what the plan was made for is no longer so.
pub async fn write(
    client: &Client,
    step: &Step,
    inputs: &Inputs,
    place: &Place,
) -> Result<Applied, Failure> {
    let applied = match step.kind.name {
        kept::KIND => kept::write(client, place, inputs, &step.fields).await?,
        _ => whole(client, step, inputs, place).await?,
    };
    take_over(client, place, applied).await
}

async fn whole(
    client: &Client,
    step: &Step,
    inputs: &Inputs,
    place: &Place,
) -> Result<Applied, Failure> {
    let attributes = &inputs.attributes;
    let uid = inputs.object.as_ref().map(|object| object.id.as_str());
    let live = inputs.object.as_ref().map(|object| object.attributes.tree());
    if let (Some(live), Some(uid)) = (&live, uid) {
        let becomes = attributes["spec"]["strategy"]["type"] == "Recreate";
        let rolls = live["spec"]["strategy"]["rollingUpdate"].is_object();
        if becomes && rolls && place.is("apps", "Deployment") {
            recreate(client, place, uid).await?;
        }
    }
    let manifest = manifest(place, attributes, inputs.mark.as_ref(), uid);
    let mut draft = Draft { place, manifest, fields: &step.fields, dry_run: false };
    match &live {
        Some(live) if image::is_written(place, &draft.manifest) => {
            image::write(client, &mut draft, live).await
        }
        _ => apply(client, &draft).await,
    }
}
