//! Secrets that CouchDB's volumes were made with: what stands is never written over, unless the
//! plan showed that somebody moved it from what was recorded.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::ListParams;
use serde_json::{Map, Value as Json};

use super::apply::{Applied, Draft, apply};
use super::client::Client;
use super::failure::Failure;
use super::fields::applied;
use super::list::{PAGE, page};
use super::manifest::manifest;
use super::place::Place;
use super::read::get;
use super::shape;
use super::status::is_race;
use crate::provider::Inputs;
use crate::resource::pointer_word;

/// The kind whose `data` is kept.
pub const KIND: &str = "kubernetes/Credentials";

/// Applies a Secret with the values that it has, whatever is desired, but for those that the plan
/// puts back (`fields`); what it lacks is added. Made up values are written only where no volume
/// can have been made with others.
///
/// # Errors
/// As [`apply`]; values would have to be made up for volumes that stand.
pub async fn write(
    client: &Client,
    place: &Place,
    inputs: &Inputs,
    fields: &[String],
) -> Result<Applied, Failure> {
    let mut raced = false;
    // No other value is taken from another manager, whatever was shown.
    let is_data = |field: &str| field.starts_with("data") || field.starts_with("binary_data");
    let may_take = |field: &&String| !is_data(field) || put_back(inputs, field).is_some();
    let fields: Vec<String> = fields.iter().filter(may_take).cloned().collect();
    loop {
        let live = get(client, place).await?;
        let uid = inputs.object.as_ref().map(|object| object.id.as_str());
        let mark = inputs.mark.as_ref();
        let manifest = match &live {
            Some(live) => {
                let attributes = with_live(place, inputs, &fields, live)?;
                let mut manifest = manifest(place, &attributes, mark, uid);
                manifest["metadata"]["resourceVersion"] =
                    live["metadata"]["resourceVersion"].clone();
                manifest
            }
            None => {
                if !inputs.generated.is_empty() {
                    no_data(client, place).await?;
                }
                manifest(place, &inputs.attributes, mark, uid)
            }
        };
        match apply(client, &Draft { place, manifest, fields: &fields, dry_run: false }).await {
            Err(Failure::Api(status)) if is_race(&status) && !raced => raced = true,
            outcome => return outcome,
        }
    }
}

/// Everything desired, with the live value of every key that has one and is not put back. Keys that
/// boma wrote once stay, too.
fn with_live(
    place: &Place,
    inputs: &Inputs,
    fields: &[String],
    live: &Json,
) -> Result<Json, Failure> {
    let (now, own) = (shape::attributes(place, live), shape::attributes(place, &applied(live)));
    let mut attributes = inputs.attributes.clone();
    let mut parts = ["data", "binary_data"].map(|part| map(&attributes[part]));
    for (part, values) in ["data", "binary_data"].iter().zip(&mut parts) {
        values.extend(map(own.get(*part).unwrap_or(&Json::Null)));
    }
    let [mut texts, mut binary] = parts;
    let keys: Vec<String> = texts.keys().chain(binary.keys()).cloned().collect();
    for key in keys {
        let of = |part: &str| now.get(part).and_then(|values| values.get(&key)).cloned();
        if let Some(text) = of("data") {
            binary.remove(&key);
            texts.insert(key, text);
        } else if let Some(bytes) = of("binary_data") {
            texts.remove(&key);
            binary.insert(key, bytes);
        } else if is_made_up(inputs, &key) {
            return Err(Failure::refused(
                format!(
                    "the Secret {} has no {key}, and boma would have to make one up",
                    place.name
                ),
                "CouchDB was made with a value of its own: put that into the Secret \
                 (`kubectl edit secret`), then plan again",
            ));
        }
    }
    for (key, text) in fields.iter().filter_map(|field| put_back(inputs, field)) {
        binary.remove(key);
        texts.insert(key.to_owned(), text.clone());
    }
    for (part, values) in [("data", texts), ("binary_data", binary)] {
        if !values.is_empty() {
            attributes[part] = Json::Object(values);
        }
    }
    Ok(attributes)
}

/// The key and the value that a field of the plan is put back to. The plan shows a value only where
/// what is desired is what was recorded, or what is missing; a value that was made up is none.
fn put_back<'a>(inputs: &'a Inputs, field: &'a str) -> Option<(&'a str, &'a Json)> {
    let key = field.strip_prefix("data.").filter(|key| !is_made_up(inputs, key))?;
    Some((key, inputs.attributes["data"].get(key)?))
}

fn is_made_up(inputs: &Inputs, key: &str) -> bool {
    let pointer = format!("/data/{}", pointer_word(key));
    inputs.generated.contains(&pointer)
}

/// Refuses where claims of the namespace have volumes. One that never had any holds nothing yet.
async fn no_data(client: &Client, place: &Place) -> Result<(), Failure> {
    let Some(namespace) = &place.namespace else { return Ok(()) };
    let params = ListParams::default().limit(PAGE);
    let claims = page::<PersistentVolumeClaim>(client, Some(namespace), &params).await?;
    let full = claims.iter().filter(|claim| claim["spec"]["volumeName"].is_string());
    let names: Vec<&str> = full.filter_map(|claim| claim["metadata"]["name"].as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(
        format!(
            "the Secret {} of {namespace} is gone while volumes stand that were made with it: {}; \
             new credentials would lock everybody out of them",
            place.name,
            names.join(", ")
        ),
        "restore the Secret from what `boma secrets export` wrote, or name its values under \
         `credentials` of the project in the spec; then plan again",
    ))
}

fn map(tree: &Json) -> Map<String, Json> {
    tree.as_object().cloned().unwrap_or_default()
}
