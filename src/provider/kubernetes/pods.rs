//! Pods that commands can be run in.

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use serde_json::Value as Json;

use super::client::Client;
use super::failure::Failure;
use super::list::{PAGE, page};

/// The pods of a namespace that run and are ready; those with these labels, `app=x,tier=y`, where
/// there are any.
///
/// # Errors
/// The API does not answer.
pub async fn ready(
    client: &Client,
    namespace: &str,
    labels: Option<&str>,
) -> Result<Vec<Json>, Failure> {
    let mut params = ListParams::default().limit(PAGE);
    params.label_selector = labels.map(str::to_owned);
    let mut pods = page::<Pod>(client, Some(namespace), &params).await?;
    pods.retain(is_ready);
    Ok(pods)
}

/// Labels by which a workload finds its pods: `app=x,tier=y`. `None` where it has other means.
pub fn selector(workload: &Json) -> Option<String> {
    let labels = workload["spec"]["selector"]["matchLabels"].as_object()?;
    let pair = |(key, value): (&String, &Json)| Some(format!("{key}={}", value.as_str()?));
    let pairs: Vec<String> = labels.iter().filter_map(pair).collect();
    (!pairs.is_empty()).then(|| pairs.join(","))
}

/// The object's name.
pub fn name(object: &Json) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// Whether a pod runs, stays and serves.
pub fn is_ready(pod: &Json) -> bool {
    let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let ready = conditions.any(|one| one["type"] == "Ready" && one["status"] == "True");
    ready && pod["metadata"]["deletionTimestamp"].is_null()
}
