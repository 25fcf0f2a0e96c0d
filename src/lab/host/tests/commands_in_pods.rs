//! Commands in containers, over a WebSocket.

use std::sync::Arc;

use futures_util::StreamExt;
use hyper::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::client::ConfigExt;
use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use rustls::pki_types::ServerName;
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::client::{Rig, address};
use super::k3s::cluster;
use super::kubernetes::{forward, kubeconfig};

/// What came over the channels, or the status of an answer that was no switch.
async fn exec(config: &Config, port: u16, path: &str, protocols: &str) -> Result<[String; 4], u16> {
    let tls = TlsConnector::from(Arc::new(config.rustls_client_config().unwrap()));
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TokioIo::new(tls.connect(name, stream).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    let mut request = hyper::Request::get(path).header(HOST, "127.0.0.1");
    if !protocols.is_empty() {
        request = request
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==")
            .header(SEC_WEBSOCKET_PROTOCOL, protocols);
    }
    let request = request.body(http_body_util::Empty::<hyper::body::Bytes>::new()).unwrap();
    let mut reply = sender.send_request(request).await.unwrap();
    if reply.status() != 101 {
        return Err(reply.status().as_u16());
    }
    assert_eq!(reply.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let chosen = reply.headers()["sec-websocket-protocol"].to_str().unwrap().to_owned();
    let upgraded = TokioIo::new(hyper::upgrade::on(&mut reply).await.unwrap());
    let mut frames = WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await;
    let mut channels = [const { String::new() }; 4];
    while let Some(Ok(message)) = frames.next().await {
        let bytes = message.into_data();
        if let Some((channel, text)) = bytes.split_first().filter(|(channel, _)| **channel < 4) {
            channels[usize::from(*channel)].push_str(std::str::from_utf8(text).unwrap());
        }
    }
    channels[0] = chosen;
    Ok(channels)
}

async fn pod(client: &Client) -> String {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "default");
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"},
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": {"app": "x"}}, "spec": {
                "containers": [{"name": "x", "image": "example.org/x:1"}],
            }},
        },
    });
    let apply = PatchParams::apply("boma");
    deployments.patch("x", &apply, &Patch::Apply(object)).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    let all = pods.list(&ListParams::default().labels("app=x")).await.unwrap();
    all.items[0].metadata.name.clone().unwrap()
}

#[tokio::test]
async fn commands_run_over_a_websocket() {
    let rig = Rig::new(2).await;
    cluster(&rig, 1, 1).await;
    let port = forward(&rig, 1, address(1)).await;
    let options = KubeConfigOptions::default();
    let config = kubeconfig(&rig, 1, port).await;
    let config = Config::from_custom_kubeconfig(config, &options).await.unwrap();
    let name = pod(&Client::try_from(config.clone()).unwrap()).await;
    let path = |name: &str, command: &str| {
        format!("/api/v1/namespaces/default/pods/{name}/exec?stdout=true&stderr=true&{command}")
    };
    let both = "v4.channel.k8s.io, v5.channel.k8s.io";
    let say = path(&name, "command=sh&command=-c&command=echo+hi+%7C+cat");
    let [chosen, stdout, stderr, status] = exec(&config, port, &say, both).await.unwrap();
    assert_eq!([chosen, stdout, stderr], ["v5.channel.k8s.io", "hi\n", ""]);
    assert_eq!(serde_json::from_str::<Json>(&status).unwrap()["status"], "Success");
    let none = path(&name, "command=sh&command=-c&command=none");
    let [chosen, _, stderr, status] =
        exec(&config, port, &none, "v4.channel.k8s.io").await.unwrap();
    assert_eq!(
        [chosen.as_str(), stderr.as_str()],
        ["v4.channel.k8s.io", "sh: 1: none: not found\n"]
    );
    let status: Json = serde_json::from_str(&status).unwrap();
    assert_eq!(status["details"]["causes"][0], json!({"reason": "ExitCode", "message": "127"}));
    let [.., status] = exec(&config, port, &path(&name, "command=none"), both).await.unwrap();
    assert!(status.contains("executable file not found"), "{status}");
    assert_eq!(exec(&config, port, &say, "").await, Err(400));
    assert_eq!(exec(&config, port, &say, "base64.binary.k8s.io").await, Err(400));
    assert_eq!(exec(&config, port, &path("other", "command=ls"), both).await, Err(404));
    assert_eq!(exec(&config, port, &path(&name, ""), both).await, Err(400));
    assert_eq!(rig.running.status().unwrap().requests["Kubernetes:GET pods/exec"], 7);
}
