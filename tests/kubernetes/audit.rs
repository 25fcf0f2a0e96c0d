//! What the API server was asked, from its own audit log.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::client::Client;

/// One user's requests, in the order of their answers.
pub struct Audit {
    pub log: PathBuf,
    pub user: String,
    /// The same user, for a request that marks the end.
    pub client: Client,
}

/// One request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// As RBAC names it: get, list, create, patch, update, delete.
    pub verb: String,
    /// Resource, namespace and name, as far as there are any, by slashes.
    pub object: String,
    pub code: u64,
    pub dry_run: bool,
}

impl Request {
    pub fn is_write(&self) -> bool {
        !["get", "list", "watch"].contains(&self.verb.as_str()) && !self.dry_run
    }
}

impl Audit {
    /// Everything so far. A request is written down about when its answer goes out, so that a
    /// later one is made and waited for.
    pub async fn requests(&self) -> Vec<Request> {
        let mark = format!("/version?mark={}", jiff::Timestamp::now().as_nanosecond());
        self.client.get(&mark).await.ok();
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let entries = self.entries();
            if entries.iter().any(|entry| entry["requestURI"] == mark.as_str()) {
                let asked = entries.iter().filter(|entry| !entry["objectRef"].is_null());
                return asked.map(request).collect();
            }
            assert!(Instant::now() < end, "the audit log lacks a request of {}", self.user);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The writes so far that were no dry runs.
    pub async fn writes(&self) -> Vec<Request> {
        self.requests().await.into_iter().filter(Request::is_write).collect()
    }

    /// The last line may be half written.
    fn entries(&self) -> Vec<Json> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        entries.filter(|entry| entry["user"]["username"] == self.user.as_str()).collect()
    }
}

fn request(entry: &Json) -> Request {
    let object = &entry["objectRef"];
    let parts = ["resource", "namespace", "name", "subresource"];
    let parts: Vec<&str> = parts.iter().filter_map(|part| object[*part].as_str()).collect();
    Request {
        verb: entry["verb"].as_str().unwrap_or_default().to_owned(),
        object: parts.join("/"),
        code: entry["responseStatus"]["code"].as_u64().unwrap_or_default(),
        dry_run: entry["requestURI"].as_str().unwrap_or_default().contains("dryRun="),
    }
}
