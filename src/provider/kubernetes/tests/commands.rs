//! Commands in pods: how CouchDB is asked whether its cluster has formed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value as Json, json};

use super::{pods, read};
use crate::plan::Operation;
use crate::provider::kubernetes::Kubernetes;
use crate::provider::kubernetes::testing::{
    Deed, Fake, Heard, Reply, ok, ran, status, tree, wanted,
};
use crate::resource::Reading;

const PATH: &str = "/apis/apps/v1/namespaces/default/deployments/a";
const EXEC: &str = "GET /api/v1/namespaces/default/pods/cht-couchdb-2-x/exec";

/// The second node of two, whose Deployment is ready.
fn couchdb() -> Json {
    let env = json!([{"name": "NODE_COUNT", "value": "2"},
        {"name": "SVC_NAME", "value": "couchdb-2.ns"}]);
    json!({
        "metadata": {"name": "a", "namespace": "default", "uid": "1", "generation": 1},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"cht.service": "couchdb-2"}},
            "template": {"spec": {"containers": [{"name": "cht-couchdb-2", "env": env}]}}},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1,
            "availableReplicas": 1},
    })
}

fn members(all: &[&str]) -> String {
    let names: Vec<String> = all.iter().map(|node| format!("couchdb@couchdb-{node}.ns")).collect();
    json!({"all_nodes": names, "cluster_nodes": names}).to_string()
}

/// A provider that has just written it, and an API server that answers a command so.
async fn written(replies: impl IntoIterator<Item = Reply>) -> (Arc<Fake>, Kubernetes) {
    let fake = Fake::new();
    fake.on(&format!("PATCH {PATH}"), [ok(couchdb())]);
    fake.on(&format!("GET {PATH}"), [ok(couchdb())]);
    fake.on("GET /api/v1/namespaces/default/pods", [ok(pods(&["cht-couchdb-2"]))]);
    fake.on(EXEC, replies);
    let provider = fake.provider();
    let deed = Deed {
        wanted: wanted("Deployment", "a"),
        operation: Operation::Create,
        attributes: json!({}),
        fields: &[],
        object: None,
        generated: &[],
    };
    deed.carry_out(&provider, &Heard::default()).await.unwrap();
    (fake, provider)
}

async fn waiting(provider: &Kubernetes) -> Json {
    let tree = tree(&read(provider, &[wanted("Deployment", "a")]).await[0]);
    assert_eq!(tree["ready"] == true, tree["waiting"].is_null(), "{tree}");
    tree["waiting"].clone()
}

#[tokio::test]
async fn a_node_is_waited_for_until_it_is_a_member() {
    let (fake, provider) = written([
        ran("", 7),
        ran(&members(&["2"]), 0),
        ran(r#"{"error":"unauthorized","reason":"No."}"#, 0),
        ran(&members(&["1", "2"]), 0),
    ])
    .await;
    let told = [
        "curl ended with 7, nothing listens there",
        "couchdb@couchdb-1.ns is not in the cluster yet: it sees couchdb@couchdb-2.ns and its \
         cluster has couchdb@couchdb-2.ns",
        "it answers unauthorized: No.",
    ];
    for told in told {
        let expected = format!("CouchDB in the pod cht-couchdb-2-x on agent-1: {told}");
        assert_eq!(waiting(&provider).await, expected);
    }
    assert_eq!(waiting(&provider).await, Json::Null);
    let asked = fake.lines().len();
    assert_eq!(waiting(&provider).await, Json::Null);
    assert_eq!(fake.lines().len(), asked + 1, "once it is a member it is not asked again");

    let lines = fake.lines();
    let exec = lines.iter().find(|line| line.starts_with(EXEC)).unwrap();
    let begin = "?&stdout=true&stderr=true&container=cht-couchdb-2&command=sh&command=-c&command=";
    assert!(exec.starts_with(&format!("{EXEC}{begin}printf")), "{exec}");
    assert!(exec.ends_with("curl+-s+-m+10+-K+-+http%3A%2F%2Flocalhost%3A5984%2F_membership"));
    assert!(exec.contains("%22%24COUCHDB_PASSWORD%22"), "the shell knows it, nobody else: {exec}");
}

#[tokio::test]
async fn a_reading_for_a_plan_runs_nothing() {
    let fake = Fake::new();
    fake.on(&format!("GET {PATH}"), [ok(couchdb())]);
    assert_eq!(waiting(&fake.provider()).await, Json::Null);
    assert_eq!(fake.lines().len(), 1);
}

/// What a run that was killed has noted is all that the next one knows.
#[tokio::test]
async fn a_node_whose_run_was_killed_is_asked_by_the_next_reading() {
    let (fake, _) = written([ran(&members(&["2"]), 0), ran(&members(&["1", "2"]), 0)]).await;
    fake.on("GET /apis/apps/v1/deployments", [ok(json!({"metadata": {}, "items": [couchdb()]}))]);
    let mut noted = wanted("Deployment", "a");
    noted.locator.notes = vec![json!({"joins": "couchdb@couchdb-2.ns"})];
    let others = ["b", "c"].map(|name| wanted("Deployment", name));
    let all: Vec<_> = [noted].into_iter().chain(others).collect();
    let provider = fake.provider();
    let told = async |expected: Json| {
        let tree = tree(&read(&provider, &all).await[0]);
        assert_eq!(tree["ready"], expected, "{tree}");
        tree["waiting"].as_str().unwrap_or_default().to_owned()
    };
    assert!(told(json!(false)).await.contains("is not in the cluster yet"));
    assert_eq!(told(json!(true)).await, "");
    let asked = fake.lines().iter().filter(|line| line.starts_with(EXEC)).count();
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn a_node_is_noted_before_it_is_written() {
    let fake = Fake::new();
    fake.on(&format!("PATCH {PATH}"), [ok(couchdb())]);
    let heard = Heard::default();
    for (attributes, noted) in [(couchdb(), 1), (json!({}), 1)] {
        let deed = Deed {
            wanted: wanted("Deployment", "a"),
            operation: Operation::Create,
            attributes: json!({"spec": attributes["spec"]}),
            fields: &[],
            object: None,
            generated: &[],
        };
        deed.carry_out(&fake.provider(), &heard).await.unwrap();
        let notes = heard.1.lock().unwrap().clone();
        assert_eq!(notes.len(), noted);
        assert_eq!(notes[0], json!({"joins": "couchdb@couchdb-2.ns"}));
    }
}

#[tokio::test]
async fn a_command_that_cannot_be_run_says_where_to_look() {
    let check = async |reply: Reply, words: &str| {
        let (_, provider) = written([reply]).await;
        let told = waiting(&provider).await;
        let told = told.as_str().unwrap();
        let help = "see that the kubelet of agent-1 runs (`systemctl status k3s-agent`)";
        assert!(told.contains(words) && told.contains(help), "{told}");
    };
    let messages = |protocol, messages: &[(u8, &str)]| {
        let messages = messages.iter().map(|(channel, text)| (*channel, (*text).to_owned()));
        Reply::Messages(protocol, messages.collect())
    };
    let refused = "error dialing backend: dial tcp 10.20.0.21:10250: connect: no route to host";
    check(status(500, "InternalError", refused, json!([])), refused).await;
    check(status(404, "NotFound", "pods \"x\" not found", json!([])), "not found").await;
    check(messages("v4.channel.k8s.io", &[(1, "half")]), "a command's end was not told").await;
    let failed = r#"{"status":"Failure","reason":"InternalError","message":"no such container"}"#;
    check(messages("v4.channel.k8s.io", &[(3, failed)]), "could not be run: no such container")
        .await;
    check(messages("v4.channel.k8s.io", &[(3, "nonsense")]), "no reason is given").await;
    check(messages("channel.k8s.io", &[]), "Sec-WebSocket-Protocol mismatched").await;
}

#[tokio::test]
async fn an_endless_message_is_not_taken() {
    let long = Reply::Messages("v5.channel.k8s.io", vec![(1, "x".repeat(2 << 20))]);
    let (_, provider) = written([long]).await;
    let readings = read(&provider, &[wanted("Deployment", "a")]).await;
    let Reading::Unread(reason) = &readings[0] else { panic!("{readings:?}") };
    assert!(reason.contains("Message too long"), "{reason}");
}

/// A server with too much to do, and credentials that have ended, are met by commands as well.
#[tokio::test]
async fn faults_that_pass_are_forgiven_before_a_command_runs() {
    let busy = || status(429, "TooManyRequests", "busy", json!([]));
    let ended = status(401, "Unauthorized", "Unauthorized", json!([]));
    let members = ran(&members(&["1", "2"]), 0);
    let (fake, provider) = written([busy(), busy(), Reply::Drop, ended, members]).await;
    assert_eq!(waiting(&provider).await, Json::Null);
    assert_eq!(fake.lines().iter().filter(|line| line.starts_with(EXEC)).count(), 5);
    assert_eq!(fake.kubeconfigs.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn output_comes_in_any_pieces_of_either_protocol() {
    let whole = members(&["1", "2"]);
    let (head, rest) = whole.split_at(20);
    let said = [(1, ""), (2, ""), (3, ""), (1, head), (2, "warning"), (255, "\u{2}"), (1, rest)];
    let mut messages: Vec<(u8, String)> =
        said.iter().map(|(channel, text)| (*channel, (*text).to_owned())).collect();
    messages.push((3, json!({"status": "Success"}).to_string()));
    for protocol in ["v4.channel.k8s.io", "v5.channel.k8s.io"] {
        let (_, provider) = written([Reply::Messages(protocol, messages.clone())]).await;
        assert_eq!(waiting(&provider).await, Json::Null, "{protocol}");
    }
}
