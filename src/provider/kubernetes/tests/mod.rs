//! The provider against an API server that answers as told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adopting;
mod commands;
mod ends;
mod faults;
mod keeping;
mod reading;
mod upgrading;
mod writing;

use serde_json::{Value as Json, json};

use super::Kubernetes;
use crate::provider::{Provider, Wanted};
use crate::resource::Reading;

fn object(name: &str, uid: &str) -> Json {
    json!({"metadata": {"name": name, "namespace": "default", "uid": uid}})
}

/// Pods with one container each, ready, on agent-1.
fn pods(containers: &[&str]) -> Json {
    let pod = |container: &&str| {
        json!({"metadata": {"name": format!("{container}-x")},
            "spec": {"nodeName": "agent-1", "containers": [{"name": container}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    };
    json!({"items": containers.iter().map(pod).collect::<Vec<_>>()})
}

async fn read(provider: &Kubernetes, wanted: &[Wanted]) -> Vec<Reading> {
    let readings = provider.read(wanted).await;
    let of = |one: &Wanted| readings.iter().find(|(address, _)| *address == one.address);
    wanted.iter().map(|one| of(one).unwrap().1.clone()).collect()
}

fn ids(readings: &[Reading]) -> Vec<String> {
    let id = |reading: &Reading| match reading {
        Reading::Present(object) => object.id.clone(),
        Reading::Absent => "absent".into(),
        Reading::Unread(reason) => format!("unread: {reason}"),
    };
    readings.iter().map(id).collect()
}
