//! Which machines volumes hang on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use k8s_openapi::api::storage::v1::VolumeAttachment;
use kube::Resource;
use serde_json::Value as Json;
use tokio::sync::Mutex;

use super::client::Client;
use super::failure::Failure;
use super::list::list;

/// Names of nodes, in order, by the volume's name. An attachment goes once the driver has taken the
/// disk off the machine.
type Nodes = BTreeMap<String, Vec<String>>;

/// All attachments as they were read last. The API selects them by no volume, and a country's
/// volumes are waited for all at once: so who asked before a reading began shares its outcome, and
/// any number of claims costs two readings at a time.
#[derive(Default)]
pub struct Attachments {
    /// How often anybody asked.
    asked: AtomicU64,
    last: Mutex<Option<Reading>>,
}

struct Reading {
    /// Who drew a lower number had asked before it began.
    since: u64,
    outcome: Result<Arc<Nodes>, Failure>,
}

impl Attachments {
    /// The nodes that the volume of a claim hangs on, as of this call or later.
    ///
    /// # Errors
    /// The API does not answer.
    pub async fn of_claim(&self, client: &Client, claim: &Json) -> Result<Vec<String>, Failure> {
        let Some(volume) = claim["spec"]["volumeName"].as_str() else { return Ok(Vec::new()) };
        let nodes = self.read(client).await?;
        Ok(nodes.get(volume).cloned().unwrap_or_default())
    }

    async fn read(&self, client: &Client) -> Result<Arc<Nodes>, Failure> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let mut last = self.last.lock().await;
        if let Some(reading) = last.as_ref().filter(|reading| number < reading.since) {
            return reading.outcome.clone();
        }
        let since = self.asked.load(Ordering::Relaxed);
        let outcome = nodes(client).await.map(Arc::new);
        *last = Some(Reading { since, outcome: outcome.clone() });
        outcome
    }
}

async fn nodes(client: &Client) -> Result<Nodes, Failure> {
    let mut nodes = Nodes::new();
    let mut take = |attachment: Json| {
        let spec = &attachment["spec"];
        let volume = spec["source"]["persistentVolumeName"].as_str();
        if let (Some(volume), Some(node)) = (volume, spec["nodeName"].as_str()) {
            nodes.entry(volume.to_owned()).or_default().push(node.to_owned());
        }
    };
    let all = VolumeAttachment::url_path(&(), None);
    list(client, &all, &|_, _| true, &mut take).await?;
    for nodes in nodes.values_mut() {
        nodes.sort();
        nodes.dedup();
    }
    Ok(nodes)
}
