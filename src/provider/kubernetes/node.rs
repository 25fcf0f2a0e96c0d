//! Nodes: boma puts labels, annotations and taints on what k3s registered, and takes them off.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::apply::{Applied, Draft, apply, merge};
use super::call::Call;
use super::client::Client;
use super::failure::Failure;
use super::manifest::{head, manifest};
use super::place::Place;
use super::read::get;
use super::shape::TAINTS;
use super::status::{self, is_race};
use crate::resource::Mark;

/// Where taints are among the fields of a step.
const AT: &str = "taints.";

/// How often somebody else may write a node in between. k3s and the cloud provider do so while it
/// joins.
const TRIES: usize = 5;

/// What a node shall have of boma's.
pub struct Wish<'a> {
    pub attributes: &'a Json,
    pub mark: Option<&'a Mark>,
    pub fields: &'a [String],
}

/// Writes labels and annotations, then taints; others' taints stay but for those that the plan says
/// go. Never makes a Node.
///
/// # Errors
/// k3s has not registered the node; the server refuses.
pub async fn write(client: &Client, place: &Place, wish: &Wish<'_>) -> Result<Applied, Failure> {
    let Some(live) = get(client, place).await? else {
        return Err(Failure::later(
            format!("the cluster has no node {}", place.name),
            "see that k3s runs on it (`systemctl status k3s k3s-agent`), then apply again",
        ));
    };
    let taints = wish.attributes["taints"].as_array().cloned().unwrap_or_default();
    let mut former = own_taints(&live);
    let listed = live["spec"]["taints"].as_array().into_iter().flatten();
    let listed = listed.filter_map(|taint| taint["key"].as_str());
    let goes = |key: &&str| wish.fields.iter().any(|path| *path == format!("{AT}{key}"));
    former.extend(listed.filter(goes).map(str::to_owned));
    let mut manifest =
        manifest(place, wish.attributes, wish.mark, live["metadata"]["uid"].as_str());
    if let Some(object) = manifest.as_object_mut() {
        object.remove("taints");
    }
    let keys: BTreeSet<&str> = taints.iter().filter_map(|taint| taint["key"].as_str()).collect();
    if !keys.is_empty() {
        let keys: Vec<&str> = keys.iter().copied().collect();
        manifest["metadata"]["annotations"][TAINTS] = keys.join(",").into();
    }
    let draft = Draft { place, manifest, fields: wish.fields, dry_run: false };
    let applied = apply(client, &draft).await?;
    let object = set_taints(client, place, applied.object, &former, &taints).await?;
    Ok(Applied { object, ..applied })
}

/// Takes everything of boma's off a node, which stays.
///
/// # Errors
/// The server refuses.
pub async fn release(client: &Client, place: &Place) -> Result<(), Failure> {
    let Some(live) = get(client, place).await? else { return Ok(()) };
    let former = own_taints(&live);
    let live = set_taints(client, place, live, &former, &[]).await?;
    let manifest = head(place, live["metadata"]["uid"].as_str());
    apply(client, &Draft { place, manifest, fields: &[], dry_run: false }).await.map(drop)
}

/// The keys of the taints that boma put on a node.
pub fn own_taints(live: &Json) -> BTreeSet<String> {
    let keys = live["metadata"]["annotations"][TAINTS].as_str().unwrap_or_default();
    keys.split(',').filter(|key| !key.is_empty()).map(str::to_owned).collect()
}

/// Writes the list of taints, which is one field: read, changed, and written only if nobody wrote
/// the node meanwhile; where somebody did, it is read again.
async fn set_taints(
    client: &Client,
    place: &Place,
    live: Json,
    former: &BTreeSet<String>,
    wanted: &[Json],
) -> Result<Json, Failure> {
    let (mut live, mut tries) = (live, 0);
    loop {
        tries += 1;
        let Some(taints) = with_taints(&live, former, wanted) else { return Ok(live) };
        let metadata = &live["metadata"];
        let patch = json!({
            "metadata": {"resourceVersion": metadata["resourceVersion"], "uid": metadata["uid"]},
            "spec": {"taints": taints},
        });
        let answer = merge(client, place, &patch).await?;
        if answer.status.is_success() {
            return Ok(answer.json());
        }
        let status = status::of(&answer);
        if !is_race(&status) || tries == TRIES {
            return Err(status.into());
        }
        live = client.ok(&Call::get(place)?).await?.json();
    }
}

/// The list with the wanted taints in it and those of boma's that are no longer wanted out of it.
/// `None` where it is so already.
fn with_taints(live: &Json, former: &BTreeSet<String>, wanted: &[Json]) -> Option<Vec<Json>> {
    let now = live["spec"]["taints"].as_array().cloned().unwrap_or_default();
    let is_wanted = |taint: &Json| wanted.iter().any(|wanted| is_same(wanted, taint));
    let is_own = |taint: &Json| {
        let key = taint["key"].as_str().unwrap_or_default();
        former.contains(key) || wanted.iter().any(|wanted| wanted["key"] == key)
    };
    let mut next: Vec<Json> =
        now.iter().filter(|taint| is_wanted(taint) || !is_own(taint)).cloned().collect();
    let missing = wanted.iter().filter(|wanted| !now.iter().any(|taint| is_same(wanted, taint)));
    next.extend(missing.cloned());
    (next != now).then_some(next)
}

/// Whether two taints are one; a missing value is an empty one.
fn is_same(one: &Json, other: &Json) -> bool {
    let value = |taint: &Json| taint["value"].as_str().unwrap_or_default().to_owned();
    one["key"] == other["key"] && one["effect"] == other["effect"] && value(one) == value(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Taints by `KEY:EFFECT`.
    fn taints(taints: &[&str]) -> Vec<Json> {
        let taint = |text: &&str| {
            let (key, effect) = text.split_once(':').unwrap_or_default();
            json!({"key": key, "effect": effect})
        };
        taints.iter().map(taint).collect()
    }

    fn check(live: &[&str], former: &str, wanted: &[&str], expected: Option<&[&str]>) {
        let annotations = json!({TAINTS: former});
        let live =
            json!({"spec": {"taints": taints(live)}, "metadata": {"annotations": annotations}});
        let found = with_taints(&live, &own_taints(&live), &taints(wanted));
        assert_eq!(found, expected.map(taints));
    }

    #[test]
    fn others_taints_stay() {
        let (own, other) = ("boma:NoSchedule", "kubelet:NoExecute");
        check(&[other], "", &[own], Some(&[other, own]));
        check(&[other, own], "boma", &[own], None);
        check(&[own, other], "boma", &[], Some(&[other]));
        check(&[own], "", &[], None);
        check(&[own, other], "boma", &["boma:NoExecute"], Some(&[other, "boma:NoExecute"]));
    }
}
