//! Claims that wait for their first pod.

use std::collections::BTreeSet;

use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::ListParams;
use serde_json::Value as Json;

use super::client::Client;
use super::failure::Failure;
use super::list::page;
use super::place::Place;
use super::ready::Around;

/// The storage classes that make a volume only when a pod needs it.
#[derive(Debug, Default)]
pub struct Waiting(BTreeSet<String>);

impl Waiting {
    /// Reads all classes.
    ///
    /// # Errors
    /// The API does not answer.
    pub async fn read(client: &Client) -> Result<Self, Failure> {
        let classes = page::<StorageClass>(client, None, &ListParams::default()).await?;
        let waiting =
            classes.iter().filter(|class| class["volumeBindingMode"] == "WaitForFirstConsumer");
        let names = waiting.filter_map(|class| class["metadata"]["name"].as_str());
        Ok(Self(names.map(str::to_owned).collect()))
    }

    /// What is to be known of a claim.
    pub fn around(&self, claim: &Json) -> Around {
        let class = claim["spec"]["storageClassName"].as_str();
        Around { waits_for_consumer: class.is_some_and(|class| self.0.contains(class)) }
    }
}

/// Whether an object is a claim for which its class decides if it is ready.
pub fn is_pending(place: &Place, live: &Json) -> bool {
    place.is("", "PersistentVolumeClaim")
        && live["status"]["phase"] != "Bound"
        && live["metadata"]["deletionTimestamp"].is_null()
}
