//! The clusters' API: through a host's SSH connection, with the kubeconfig that lies on a server.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use tokio::net::TcpListener;

use crate::lab::{FaultRule, StagedFault};

use super::client::{Rig, address};
use super::k3s::cluster;

/// A port whose connections go through a host to a server's API.
pub async fn forward(rig: &Rig, host: usize, to: String) -> u16 {
    let client = Arc::new(rig.connect(host).await);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(channel) = client.direct(&to, 6443).await else { continue };
            tokio::spawn(async move {
                let mut channel = channel.into_stream();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut channel).await;
            });
        }
    });
    port
}

pub async fn kubeconfig(rig: &Rig, server: usize, port: u16) -> Kubeconfig {
    let text = rig.root(server, "cat /etc/rancher/k3s/k3s.yaml").await.stdout;
    let text = text.replace("127.0.0.1:6443", &format!("127.0.0.1:{port}"));
    Kubeconfig::from_yaml(&text).unwrap()
}

async fn client(config: Kubeconfig) -> Client {
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(config, &options).await.unwrap();
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

async fn connect(rig: &Rig, host: usize, server: usize) -> Client {
    let port = forward(rig, host, address(server)).await;
    client(kubeconfig(rig, server, port).await).await
}

async fn space(client: &Client, name: &str) {
    let spaces: Api<Namespace> = Api::all(client.clone());
    let apply = PatchParams::apply("boma");
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    spaces.patch(name, &apply, &Patch::Apply(object)).await.unwrap();
}

fn code(error: kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_api_answers_through_any_host_while_k3s_runs() {
    let rig = Rig::new(2).await;
    cluster(&rig, 1, 1).await;
    let client = connect(&rig, 2, 1).await;
    space(&client, "work").await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "work");
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"},
        "data": {"a": "1"}});
    let apply = PatchParams::apply("boma");
    maps.patch("x", &apply, &Patch::Apply(object)).await.unwrap();
    let edit = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..Default::default() };
    let changed = maps.patch("x", &edit, &Patch::Merge(json!({"data": {"a": "2"}}))).await.unwrap();
    assert_eq!(changed.data.unwrap()["a"], "2");
    let nodes: Api<Node> = Api::all(client.clone());
    assert_eq!(nodes.list(&ListParams::default().limit(1)).await.unwrap().items.len(), 1);
    maps.delete("x", &DeleteParams::default()).await.unwrap();
    assert!(maps.get_opt("x").await.unwrap().is_none());
    rig.console(1, "systemctl stop k3s", "");
    assert!(maps.get_opt("x").await.is_err());
    rig.console(1, "systemctl start --no-block k3s", "");
    assert!(maps.get_opt("x").await.unwrap().is_none());
}

#[tokio::test]
async fn objects_and_certificates_survive_a_restart_of_the_lab() {
    let rig = Rig::new(1).await;
    cluster(&rig, 1, 0).await;
    let before = connect(&rig, 1, 1).await;
    space(&before, "work").await;
    let text = rig.root(1, "cat /etc/rancher/k3s/k3s.yaml").await.stdout;
    let rig = rig.reopened().await;
    assert_eq!(rig.root(1, "cat /etc/rancher/k3s/k3s.yaml").await.stdout, text);
    let after = connect(&rig, 1, 1).await;
    let spaces: Api<Namespace> = Api::all(after);
    assert!(spaces.get_opt("work").await.unwrap().is_some());
}

#[tokio::test]
async fn faults_are_staged_and_calls_are_counted() {
    let rig = Rig::new(1).await;
    cluster(&rig, 1, 0).await;
    let client = connect(&rig, 1, 1).await;
    let spaces: Api<Namespace> = Api::all(client.clone());
    let stage = |method: &str, fault| {
        rig.running.stage(vec![FaultRule::next(&format!("Kubernetes:{method}"), fault)]);
    };
    let refuse =
        |kind: &str| StagedFault::Refuse { kind: kind.to_owned(), message: "x".to_owned() };
    let list = ListParams::default();
    for (fault, wanted) in [
        (refuse("429"), 429),
        (refuse("500"), 500),
        (StagedFault::Unavailable, 503),
        (StagedFault::ExpireSession, 401),
    ] {
        stage("LIST namespaces", fault);
        assert_eq!(code(spaces.list(&list).await.unwrap_err()), wanted);
        assert!(spaces.list(&list).await.is_ok());
    }
    stage("CREATE namespaces", StagedFault::DropAfter);
    let mut new = Namespace::default();
    new.metadata.name = Some("work".to_owned());
    assert!(spaces.create(&PostParams::default(), &new).await.is_err());
    assert!(spaces.get_opt("work").await.unwrap().is_some());
    let status = rig.running.status().unwrap();
    assert_eq!(status.requests["Kubernetes:LIST namespaces"], 8);
    assert!(status.faults.is_empty());
}
