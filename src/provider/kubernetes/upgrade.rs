//! Whether a project upgrades itself at the moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;
use tokio::sync::OnceCell;

use super::client::Client;
use super::couch::{ask, target};
use super::failure::Failure;
use super::membership::unheard;
use super::place::Place;
use super::pods;
use super::text::plain;
use crate::provider::Run;
use crate::resource::Address;

/// Asked from a pod beside it, whose resolver adds the namespace and the cluster's domain.
const UPGRADE: &str = "http://api:5988/api/v2/upgrade";

/// What is known of each project's upgrade, by namespace. A project is asked once, since what boma
/// then does to it keeps it from answering.
#[derive(Default)]
pub struct Upgrades(Mutex<BTreeMap<String, Arc<OnceCell<Option<String>>>>>);

impl Upgrades {
    /// Refuses to change anything of a project while its upgrade runs. A project that does not
    /// run, or whose API does not answer, has none: it must be possible to repair it.
    ///
    /// # Errors
    /// An upgrade runs, or CouchDB is ready and no command can be run beside it.
    pub async fn refuse(
        &self,
        client: &Client,
        address: &Address,
        place: &Place,
        run: &dyn Run,
    ) -> Result<(), Failure> {
        let Some(_) = address.project() else { return Ok(()) };
        let namespace = place.namespace.as_deref().unwrap_or(&place.name);
        let known = self.of(namespace);
        let running = known.get_or_try_init(|| running(client, namespace, run)).await?;
        running.as_ref().map_or(Ok(()), |upgrade| {
            Err(Failure::refused(
                format!("an upgrade runs in {namespace}: {upgrade}"),
                "wait until it has ended, or cancel it on the Upgrades page of the project's \
                 App Management; then plan again",
            ))
        })
    }

    fn of(&self, namespace: &str) -> Arc<OnceCell<Option<String>>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(namespace.to_owned()).or_default().clone()
    }
}

/// The upgrade that runs, in words. `None` where none does.
async fn running(
    client: &Client,
    namespace: &str,
    run: &dyn Run,
) -> Result<Option<String>, Failure> {
    let pods = pods::ready(client, namespace, None).await?;
    let found = pods.iter().find_map(|pod| Some((pod, target(pod, namespace)?)));
    let Some((pod, target)) = found else { return Ok(None) };
    let answer = ask(client, &target, UPGRADE).await.map_err(|failure| {
        if failure.concerns_all() {
            return failure;
        }
        let machine = pod["spec"]["nodeName"].as_str().unwrap_or("its machine");
        Failure::later(
            format!(
                "whether an upgrade runs in {namespace} cannot be told: {}",
                unheard(&target.pod, machine, &failure)
            ),
            "mend that, then apply again: nothing of the project was changed",
        )
    })?;
    let answer = answer.unwrap_or_default();
    if matches!(answer["code"].as_u64(), Some(401 | 403)) {
        run.progress(&format!(
            "warning: the API of {namespace} refuses CouchDB's own credentials, so whether an \
             upgrade runs is not known"
        ));
    }
    Ok(told(&answer["upgradeDoc"]))
}

/// What the CHT's record of an upgrade says: `to 4.22.0, indexing`. `None` where there is none.
fn told(upgrade: &Json) -> Option<String> {
    upgrade.as_object()?;
    let text = |value: &Json| value.as_str().map(plain);
    let version = text(&upgrade["to"]["version"]).or_else(|| text(&upgrade["to"]["build"]));
    let state = text(&upgrade["state"]).unwrap_or_else(|| "it has not ended".to_owned());
    Some(match version {
        Some(version) => format!("to {version}, {state}"),
        None => state,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::told;

    #[test]
    fn an_upgrade_is_told_by_where_it_goes_and_how_far_it_is() {
        let check =
            |upgrade, expected: Option<&str>| assert_eq!(told(&upgrade).as_deref(), expected);
        check(json!({"state": "indexing", "to": {"build": "4.22.0"}}), Some("to 4.22.0, indexing"));
        check(json!({}), Some("it has not ended"));
        check(json!(null), None);
        check(json!("x"), None);
    }
}
