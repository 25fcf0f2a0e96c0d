//! Writes of images, which the CHT's own upgrade may write, too.

use serde_json::Value as Json;

use super::apply::{Applied, Draft, apply};
use super::client::Client;
use super::failure::Failure;
use super::place::Place;
use super::read::get;
use super::status::is_race;

/// How often somebody else may write it in between. Controllers do so while pods start.
const TRIES: usize = 5;

/// Whether a manifest says which image a container of a Deployment has.
pub fn is_written(place: &Place, manifest: &Json) -> bool {
    place.is("apps", "Deployment") && containers(manifest).any(|one| one["image"].is_string())
}

/// Applies a Deployment whose images are those that the plan was made for, and only if nobody wrote
/// it since they were looked at; where somebody did, they are looked at again.
///
/// # Errors
/// As [`apply`]; an image is another one by now.
pub async fn write(
    client: &Client,
    draft: &mut Draft<'_>,
    planned: &Json,
) -> Result<Applied, Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        if let Some(live) = get(client, draft.place).await? {
            unmoved(planned, &live, &draft.manifest)?;
            let version = live["metadata"]["resourceVersion"].clone();
            draft.manifest["metadata"]["resourceVersion"] = version;
        }
        match apply(client, draft).await {
            Err(Failure::Api(status)) if is_race(&status) && tries < TRIES => {}
            outcome => return outcome,
        }
    }
}

/// Whether every image is as the plan knows it, or as it is to be.
fn unmoved(planned: &Json, live: &Json, wanted: &Json) -> Result<(), Failure> {
    for container in containers(wanted) {
        let (before, now) = (image(planned, container), image(live, container));
        let (Some(before), Some(now)) = (before, now) else { continue };
        if now != before && container["image"] != now {
            let name = container["name"].as_str().unwrap_or_default();
            return Err(Failure::refused(
                format!("the image of {name} is {now} by now; the plan was made for {before}"),
                "somebody upgraded it meanwhile: plan again",
            ));
        }
    }
    Ok(())
}

fn containers(tree: &Json) -> impl Iterator<Item = &Json> {
    let pod = &tree["spec"]["template"]["spec"];
    let lists = [&pod["initContainers"], &pod["containers"]];
    lists.into_iter().flat_map(|list| list.as_array().into_iter().flatten())
}

fn image<'a>(tree: &'a Json, named: &Json) -> Option<&'a str> {
    containers(tree).find(|one| one["name"] == named["name"])?["image"].as_str()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(planned: &str, live: &str, wanted: &str, expected: bool) {
        let tree = |image: &str| json!({"spec": {"template": {"spec": {"containers": [{"name": "x", "image": image}]}}}});
        let outcome = unmoved(&tree(planned), &tree(live), &tree(wanted));
        assert_eq!(outcome.is_ok(), expected, "{planned} {live} {wanted}");
    }

    #[test]
    fn an_image_that_moved_is_left_alone() {
        check("a:1", "a:1", "a:2", true);
        check("a:1", "a:2", "a:2", true);
        check("a:1", "a:2", "a:1", false);
        check("a:1", "a:3", "a:2", false);
    }
}
