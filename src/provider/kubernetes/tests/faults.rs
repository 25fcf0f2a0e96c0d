//! Faults that pass, and those that do not.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{ids, object, read};
use crate::plan::Operation;
use crate::provider::kubernetes::client::PARALLEL;
use crate::provider::kubernetes::testing::{Deed, Fake, Heard, Reply, ok, status, wanted};
use crate::provider::{ProviderError, Retry};

/// Too many requests; the pause is as long as the server asks for.
fn busy(seconds: u64) -> Reply {
    let Reply::Json(code, body, _) = status(429, "TooManyRequests", "busy", json!([])) else {
        unreachable!()
    };
    Reply::Json(code, body, vec![("retry-after", seconds.to_string())])
}

fn failed() -> Reply {
    status(500, "InternalError", "etcdserver: timed out", json!([]))
}

fn raced() -> Reply {
    status(409, "Conflict", "the object has been modified", json!([]))
}

#[tokio::test]
async fn each_passing_fault_is_forgiven_in_one_call() {
    let path = "GET /api/v1/namespaces/default/configmaps/a";
    let one = [wanted("ConfigMap", "a")];

    let fake = Fake::new();
    fake.on(path, [busy(1), failed(), Reply::Drop, failed(), ok(object("a", "1"))]);
    let provider = fake.provider();
    assert_eq!(ids(&read(&provider, &one).await), ["1"]);
    assert_eq!((provider.requests(), fake.connections.load(Ordering::Relaxed)), (5, 2));

    for (fault, words) in
        [(busy(1), "busy"), (failed(), "etcdserver"), (Reply::Drop, "broke: the server closed it;")]
    {
        let fake = Fake::new();
        fake.on(path, [fault]);
        let provider = fake.provider();
        let id = ids(&read(&provider, &one).await).remove(0);
        assert!(id.starts_with("unread: ") && id.contains(words), "{id}");
        assert_eq!(provider.requests(), 3);
    }
}

/// Writes a ConfigMap at a server that always answers so; gives the number of requests that it
/// heard, and the error.
async fn write(reply: Reply) -> (usize, ProviderError) {
    let fake = Fake::new();
    fake.on("PATCH /api/v1/namespaces/default/configmaps/a", [reply]);
    let deed = Deed {
        wanted: wanted("ConfigMap", "a"),
        operation: Operation::Update,
        attributes: json!({"data": {"a": "1"}}),
        fields: &["data.a"],
        object: Some(("1", json!({}))),
        generated: &[],
    };
    let error = deed.carry_out(&fake.provider(), &Heard::default()).await.unwrap_err();
    (fake.lines().len(), error)
}

#[tokio::test]
async fn what_was_tried_again_is_not_for_the_step_to_repeat() {
    let unauthorized = status(401, "Unauthorized", "Unauthorized", json!([]));
    let invalid = status(422, "Invalid", "bad", json!([]));
    let unserved = Reply::Text(404, "404 page not found\n");
    let faults = [
        (busy(1), 3, Retry::NextApply),
        (failed(), 3, Retry::NextApply),
        (Reply::Drop, 3, Retry::NextApply),
        (raced(), 2, Retry::NextApply),
        (unserved, 4, Retry::NextApply),
        (unauthorized, 2, Retry::Never),
        (invalid, 1, Retry::Never),
    ];
    for (fault, requests, retry) in faults {
        let (heard, error) = write(fault).await;
        assert_eq!((heard, error.retry), (requests, retry), "{error:?}");
        assert!(!error.help.is_empty());
    }
}

#[tokio::test]
async fn a_server_that_starts_is_left_for_another() {
    let starting = status(503, "ServiceUnavailable", "apiserver not ready", json!([]));
    let fake = Fake::new();
    fake.on("GET /api/v1/namespaces/default/configmaps/a", [starting, ok(object("a", "1"))]);
    let provider = fake.provider();
    assert_eq!(ids(&read(&provider, &[wanted("ConfigMap", "a")]).await), ["1"]);
    let counts = [&fake.connections, &fake.moves].map(|count| count.load(Ordering::Relaxed));
    assert_eq!(counts, [2, 1]);
}

#[tokio::test]
async fn one_connection_serves_one_call_after_the_other() {
    let fake = Fake::new();
    fake.on("GET /api/v1/namespaces/default/configmaps/a", [ok(object("a", "1"))]);
    let provider = fake.provider();
    for _ in 0..3 {
        read(&provider, &[wanted("ConfigMap", "a")]).await;
    }
    assert_eq!((provider.requests(), fake.connections.load(Ordering::Relaxed)), (3, 1));
    assert_eq!(fake.kubeconfigs.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn many_calls_at_once_share_few_connections() {
    let fake = Fake::new();
    fake.on("GET /api/v1/namespaces/default/configmaps/a", [ok(object("a", "1"))]);
    let provider = Arc::new(fake.provider());
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let provider = provider.clone();
        tasks.spawn(async move { ids(&read(&provider, &[wanted("ConfigMap", "a")]).await) });
    }
    assert!(tasks.join_all().await.iter().all(|ids| ids == &["1"]));
    assert_eq!(provider.requests(), 100);
    assert!(fake.connections.load(Ordering::Relaxed) <= PARALLEL);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_not_asked() {
    let fake = Fake::new();
    fake.on("GET /api/v1/namespaces/default/configmaps/a", [ok(object("a", "1"))]);
    let provider = fake.provider();
    read(&provider, &[wanted("ConfigMap", "a")]).await;
    fake.hang_up().await;
    assert_eq!(ids(&read(&provider, &[wanted("ConfigMap", "a")]).await), ["1"]);
    assert_eq!((provider.requests(), fake.lines().len()), (2, 2));
    assert_eq!(fake.connections.load(Ordering::Relaxed), 2);
}

/// Two connections are idle when one of them breaks.
#[tokio::test]
async fn where_one_connection_breaks_the_others_are_let_go() {
    let fake = Fake::new();
    let path = "GET /api/v1/namespaces/default/configmaps/a";
    fake.on(path, [ok(object("a", "1")), Reply::Drop, ok(object("a", "1"))]);
    fake.on("GET /api/v1/nodes/a", [ok(object("a", "2"))]);
    let provider = fake.provider();
    *fake.together.lock().unwrap() = Some(Arc::new(Barrier::new(2)));
    read(&provider, &["ConfigMap", "Node"].map(|kind| wanted(kind, "a"))).await;
    *fake.together.lock().unwrap() = None;
    let idle = std::mem::take(&mut *fake.served.lock().unwrap());
    assert_eq!(idle.len(), 2);
    assert_eq!(ids(&read(&provider, &[wanted("ConfigMap", "a")]).await), ["1"]);
    let counts = [&fake.connections, &fake.moves].map(|count| count.load(Ordering::Relaxed));
    assert_eq!((provider.requests(), counts), (4, [3, 1]));
    for connection in idle {
        timeout(Duration::from_secs(10), connection).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_server_of_another_authority_is_asked_nothing() {
    let fake = Fake::new();
    fake.is_strange.store(true, Ordering::Relaxed);
    let provider = fake.provider();
    let id = ids(&read(&provider, &[wanted("ConfigMap", "a")]).await).remove(0);
    assert!(id.contains("unread: the API server's certificate is refused: "), "{id}");
    // The kubeconfig may have been that of an older cluster.
    let counts = [&fake.kubeconfigs, &fake.connections].map(|count| count.load(Ordering::Relaxed));
    assert_eq!((provider.requests(), counts), (0, [2, 2]));
}

#[tokio::test]
async fn refused_credentials_are_fetched_anew_once() {
    let path = "GET /api/v1/namespaces/default/configmaps/a";
    let one = [wanted("ConfigMap", "a")];
    let fake = Fake::new();
    fake.on(path, [ok(object("a", "1"))]);
    fake.refused.lock().unwrap().insert("token-1".into());
    let provider = fake.provider();
    assert_eq!(ids(&read(&provider, &one).await), ["1"]);
    // Each server has a kubeconfig of its own.
    assert_eq!(fake.moves.load(Ordering::Relaxed), 1);
    // One that worked and then expires is fetched anew too.
    fake.refused.lock().unwrap().insert("token-2".into());
    assert_eq!(ids(&read(&provider, &one).await), ["1"]);
    assert_eq!(fake.kubeconfigs.load(Ordering::Relaxed), 3);

    let fake = Fake::new();
    fake.refused.lock().unwrap().extend(["token-1".into(), "token-2".into()]);
    let provider = fake.provider();
    let kinds = ["ConfigMap", "Secret", "Node", "Namespace"];
    let many = kinds.map(|kind| wanted(kind, "a"));
    for id in ids(&read(&provider, &many).await) {
        assert!(id.starts_with("unread: Unauthorized; the kubeconfig was read anew"), "{id}");
    }
    assert_eq!(fake.kubeconfigs.load(Ordering::Relaxed), 2);
    let error = provider.cluster_uid().await.unwrap_err();
    assert_eq!((error.retry, fake.kubeconfigs.load(Ordering::Relaxed)), (Retry::Never, 2));
}

#[tokio::test]
async fn a_cluster_that_is_away_has_one_reason() {
    let fake = Fake::new();
    *fake.away.lock().unwrap() = true;
    let provider = fake.provider();
    let readings =
        read(&provider, &["ConfigMap", "Secret", "Node"].map(|kind| wanted(kind, "a"))).await;
    for id in ids(&readings) {
        assert_eq!(
            id,
            "unread: connect to the Kubernetes API: no server answers; bring a server up"
        );
    }
    assert_eq!(provider.requests(), 0);
}
