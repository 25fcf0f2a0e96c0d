//! Claims that wait for their first pod.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::call::Call;
use super::client::Client;
use super::failure::Failure;
use super::list::list;
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
        let list = client.ok(&Call::get("/apis/storage.k8s.io/v1/storageclasses")).await?.json();
        let classes = list["items"].as_array().into_iter().flatten();
        let waiting = classes.filter(|class| class["volumeBindingMode"] == "WaitForFirstConsumer");
        let names = waiting.filter_map(|class| class["metadata"]["name"].as_str());
        Ok(Self(names.map(str::to_owned).collect()))
    }

    /// What is to be known of a claim.
    pub fn around(&self, claim: &Json) -> Around {
        let class = claim["spec"]["storageClassName"].as_str();
        Around { waits_for_consumer: class.is_some_and(|class| self.0.contains(class)) }
    }
}

/// The nodes that the volume of a claim hangs on. The object that says so goes once the driver has
/// taken the disk off the machine.
///
/// # Errors
/// The API does not answer.
pub async fn attached(client: &Client, claim: &Json) -> Result<Vec<String>, Failure> {
    let Some(volume) = claim["spec"]["volumeName"].as_str() else { return Ok(Vec::new()) };
    let path = "/apis/storage.k8s.io/v1/volumeattachments";
    let mut nodes = Vec::new();
    let of_volume =
        |attachment: &Json| attachment["spec"]["source"]["persistentVolumeName"] == volume;
    let mut take = |attachment: Json| {
        let node = attachment["spec"]["nodeName"].as_str().filter(|_| of_volume(&attachment));
        nodes.extend(node.map(str::to_owned));
    };
    list(client, path, &|_, _| true, &mut take).await?;
    nodes.sort();
    nodes.dedup();
    Ok(nodes)
}

/// Whether an object is a claim for which its class decides if it is ready.
pub fn is_pending(place: &Place, live: &Json) -> bool {
    place.is("", "PersistentVolumeClaim")
        && live["status"]["phase"] != "Bound"
        && live["metadata"]["deletionTimestamp"].is_null()
}
