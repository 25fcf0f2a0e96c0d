//! Faults that pass, and those that do not.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::{ids, object, read};
use crate::provider::Retry;
use crate::provider::kubernetes::testing::{Fake, Reply, ok, status, wanted};

#[tokio::test]
async fn each_passing_fault_is_forgiven_once() {
    let busy = || {
        let Reply::Json(code, body, _) = status(429, "TooManyRequests", "busy", json!([])) else {
            unreachable!()
        };
        Reply::Json(code, body, vec![("retry-after", "1".into())])
    };
    let failed = || status(500, "InternalError", "etcdserver: timed out", json!([]));
    let path = "GET /api/v1/namespaces/default/configmaps/a";
    let one = [wanted("ConfigMap", "a")];

    let fake = Fake::new();
    fake.on(path, [busy(), failed(), Reply::Drop, ok(object("a", "1"))]);
    let provider = fake.provider();
    assert_eq!(ids(&read(&provider, &one).await), ["1"]);
    assert_eq!((provider.requests(), fake.connections.load(Ordering::Relaxed)), (4, 2));

    for (fault, words) in [(busy(), "busy"), (failed(), "etcdserver"), (Reply::Drop, "broke")] {
        let fake = Fake::new();
        fake.on(path, [fault]);
        let provider = fake.provider();
        let id = ids(&read(&provider, &one).await).remove(0);
        assert!(id.starts_with("unread: ") && id.contains(words), "{id}");
        assert_eq!(provider.requests(), 2);
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
async fn refused_credentials_are_fetched_anew_once() {
    let path = "GET /api/v1/namespaces/default/configmaps/a";
    let one = [wanted("ConfigMap", "a")];
    let fake = Fake::new();
    fake.on(path, [ok(object("a", "1"))]);
    fake.refused.lock().unwrap().insert("token-1".into());
    let provider = fake.provider();
    assert_eq!(ids(&read(&provider, &one).await), ["1"]);
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
