//! The port on which kubelets run commands in pods, for all stand-in nodes together. The API server
//! passes what a client speaks on to it. In the pods is a CouchDB, as far as it can be asked.

use std::sync::Arc;

use futures_util::SinkExt as _;
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::authority::Signed;
use super::client::Client;

/// What kubelets of every version speak over a WebSocket.
const PROTOCOL: &str = "v4.channel.k8s.io";

/// Listens on loopback until the tests end. Gives its port.
pub async fn serve(api: Client, signed: &Signed) -> u16 {
    let acceptor = acceptor(signed);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, api) = (acceptor.clone(), api.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |request| answer(api.clone(), request));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                let _ = connection.with_upgrades().await;
            });
        }
    });
    port
}

fn acceptor(signed: &Signed) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Of `/exec/NAMESPACE/POD/CONTAINER?command=…`.
async fn answer(
    api: Client,
    mut request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, hyper::http::Error> {
    let header = |request: &Request<Incoming>, name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let key = header(&request, "sec-websocket-key");
    let speaks = header(&request, "sec-websocket-protocol").contains(PROTOCOL);
    let parts: Vec<String> = request.uri().path().split('/').map(str::to_owned).collect();
    let [_, exec, namespace, ..] = parts.as_slice() else {
        return Response::builder().status(404).body(Empty::new());
    };
    if exec != "exec" || !speaks {
        return Response::builder().status(400).body(Empty::new());
    }
    let (namespace, query) = (namespace.clone(), request.uri().query().unwrap_or("").to_owned());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let stream = TokioIo::new(upgrade.await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        for (channel, text) in run(&api, &namespace, &query).await {
            let bytes = [&[channel][..], text.as_bytes()].concat();
            let _ = socket.send(Message::Binary(bytes.into())).await;
        }
        let _ = socket.close(None).await;
    });
    Response::builder()
        .status(101)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-accept", derive_accept_key(key.as_bytes()))
        .header("sec-websocket-protocol", PROTOCOL)
        .body(Empty::new())
}

/// What a command says on which channel, as curl would about CouchDB; nothing else listens.
async fn run(api: &Client, namespace: &str, query: &str) -> Vec<(u8, String)> {
    let stdout = match query {
        query if query.contains("%3A5984%2F_up") => json!({"status": "ok", "seeds": {}}),
        query if query.contains("%3A5984%2F_membership") => membership(api, namespace).await,
        _ => {
            let code = json!([{"reason": "ExitCode", "message": "7"}]);
            let status = json!({"status": "Failure", "reason": "NonZeroExitCode",
                "message": "command terminated with non-zero exit code", "details": {"causes": code}});
            return vec![(3, status.to_string())];
        }
    };
    let status = json!({"metadata": {}, "status": "Success"});
    vec![(1, stdout.to_string()), (3, status.to_string())]
}

/// Every node of CouchDB whose pod runs is a member.
async fn membership(api: &Client, namespace: &str) -> Json {
    let pods = api.items(&format!("/api/v1/namespaces/{namespace}/pods")).await;
    let mut nodes: Vec<String> = pods.iter().filter_map(node).collect();
    nodes.sort();
    json!({"all_nodes": nodes, "cluster_nodes": nodes})
}

fn node(pod: &Json) -> Option<String> {
    let env = pod["spec"]["containers"].as_array()?.iter().flat_map(|one| one["env"].as_array());
    let name = env.flatten().find(|variable| variable["name"] == "SVC_NAME")?["value"].as_str()?;
    (pod["status"]["phase"] == "Running").then(|| format!("couchdb@{name}"))
}
