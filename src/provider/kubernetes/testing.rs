//! An API server that answers as told, in this process: TLS and HTTP over pipes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::SinkExt;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, SEC_WEBSOCKET_KEY};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::place::Place;
use super::{Access, Kubernetes, Pace, Stream};
use crate::plan::{Operation, Step};
use crate::provider::{Act, BoxFuture, Inputs, Provider, ProviderError, Retry, Run, Wanted};
use crate::resource::{
    Address, Attributes, Condition, Endpoint, Identity, Kind, KindFacts, Layer, Lifecycle, Locator,
    Mark, Object, Reading,
};

/// The place of an object of a kind; objects in a namespace are in `default`.
pub fn place(kind: &str, name: &str) -> Place {
    let (api, plural) = match kind {
        "Deployment" => ("apps/v1", "deployments"),
        "DaemonSet" => ("apps/v1", "daemonsets"),
        "StatefulSet" => ("apps/v1", "statefulsets"),
        "Job" => ("batch/v1", "jobs"),
        "Pod" => ("v1", "pods"),
        "StorageClass" => ("storage.k8s.io/v1", "storageclasses"),
        "CustomResourceDefinition" => ("apiextensions.k8s.io/v1", "customresourcedefinitions"),
        "PersistentVolumeClaim" => ("v1", "persistentvolumeclaims"),
        "PersistentVolume" => ("v1", "persistentvolumes"),
        "Namespace" => ("v1", "namespaces"),
        "ConfigMap" => ("v1", "configmaps"),
        "Secret" => ("v1", "secrets"),
        "Node" => ("v1", "nodes"),
        _ => ("example.org/v1", "others"),
    };
    let cluster_wide =
        ["Node", "Namespace", "StorageClass", "PersistentVolume", "CustomResourceDefinition"];
    let namespace = (!cluster_wide.contains(&kind)).then(|| "default".to_owned());
    let [api, kind, plural, name] = [api, kind, plural, name].map(str::to_owned);
    Place { api, kind, plural, namespace, name }
}

/// One answer.
#[derive(Clone)]
pub enum Reply {
    /// JSON, with headers.
    Json(u16, Json, Vec<(&'static str, String)>),
    /// Text, as for paths that no server knows.
    Text(u16, &'static str),
    /// A WebSocket of this protocol, these messages with their channels, and its end.
    Messages(&'static str, Vec<(u8, String)>),
    /// The connection is closed instead.
    Drop,
}

/// JSON with status 200.
pub fn ok(body: Json) -> Reply {
    Reply::Json(200, body, Vec::new())
}

/// A refusal.
pub fn status(code: u16, reason: &str, message: &str, causes: Json) -> Reply {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
        "reason": reason, "message": message, "details": {"causes": causes}});
    Reply::Json(code, body, Vec::new())
}

/// A command that says something and ends.
pub fn ran(stdout: &str, code: u64) -> Reply {
    let status = match code {
        0 => json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}),
        code => json!({"status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: exit status {code}"),
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]}}),
    };
    Reply::Messages("v4.channel.k8s.io", vec![(1, stdout.to_owned()), (3, status.to_string())])
}

/// What came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `PATCH /api/v1/…?fieldManager=boma`
    pub line: String,
    /// Its content type; empty where there is none.
    pub content_type: String,
    /// Null where there is none.
    pub body: Json,
}

/// The server, and the way to it.
#[derive(Default)]
pub struct Fake {
    /// By method and path without the query; the last answer to one is given for ever.
    replies: Mutex<BTreeMap<String, VecDeque<Reply>>>,
    seen: Mutex<Vec<Seen>>,
    /// Tokens that are refused. The first kubeconfig has `token-1`, the next `token-2`.
    pub refused: Mutex<BTreeSet<String>>,
    pub kubeconfigs: AtomicUsize,
    pub connections: AtomicUsize,
    /// How often another server was asked for.
    pub moves: AtomicUsize,
    /// The kubeconfig trusts another authority than the server's.
    pub is_strange: AtomicBool,
    /// Connections, each until its end.
    pub served: Mutex<Vec<JoinHandle<()>>>,
    /// No stream can be opened.
    pub away: Mutex<bool>,
    /// Nothing is answered before so many requests have come.
    pub together: Mutex<Option<Arc<Barrier>>>,
}

impl Fake {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Tells it what to answer to `GET /api/v1/nodes/x`.
    pub fn on(&self, call: &str, replies: impl IntoIterator<Item = Reply>) {
        self.replies.lock().unwrap().insert(call.to_owned(), replies.into_iter().collect());
    }

    /// Everything that came, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Methods and paths of everything that came, in order.
    pub fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    /// Closes all connections.
    pub async fn hang_up(&self) {
        let served = std::mem::take(&mut *self.served.lock().unwrap());
        for connection in served {
            connection.abort();
            let _ = connection.await;
        }
    }

    /// The provider in front of it.
    pub fn provider(self: &Arc<Self>) -> Kubernetes {
        let pace = Pace { pause: Duration::ZERO, longest: Duration::ZERO };
        Kubernetes::with_pace(Arc::new(Way(self.clone())), pace)
    }

    fn answer(&self, line: &str, token: &str) -> Reply {
        if self.refused.lock().unwrap().contains(token) {
            return status(401, "Unauthorized", "Unauthorized", json!([]));
        }
        let call = line.split('?').next().unwrap_or_default();
        let mut replies = self.replies.lock().unwrap();
        match replies.get_mut(call) {
            Some(queue) if queue.len() > 1 => queue.pop_front().unwrap(),
            Some(queue) => queue.front().cloned().unwrap_or(Reply::Drop),
            None => Reply::Text(404, "404 page not found\n"),
        }
    }
}

struct Way(Arc<Fake>);

impl Access for Way {
    fn kubeconfig(&self) -> BoxFuture<'_, Result<SecretString, ProviderError>> {
        let count = self.0.kubeconfigs.fetch_add(1, Ordering::Relaxed) + 1;
        let mut text = kubeconfig(&format!("token-{count}"));
        if self.0.is_strange.load(Ordering::Relaxed) {
            let [own, other] = [&identity().ca_pem, &new_identity().ca_pem].map(|pem| data(pem));
            text = text.replace(&own, &other);
        }
        Box::pin(async move { Ok(text.into()) })
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Stream>, ProviderError>> {
        Box::pin(async move {
            if *self.0.away.lock().unwrap() {
                return Err(ProviderError {
                    operation: "connect to the Kubernetes API".into(),
                    message: "no server answers".into(),
                    help: "bring a server up".into(),
                    retry: Retry::Later,
                });
            }
            self.0.connections.fetch_add(1, Ordering::Relaxed);
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let served = tokio::spawn(serve(self.0.clone(), theirs));
            self.0.served.lock().unwrap().push(served);
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }

    fn move_on(&self) {
        self.0.moves.fetch_add(1, Ordering::Relaxed);
    }
}

async fn serve(fake: Arc<Fake>, stream: tokio::io::DuplexStream) {
    let acceptor = TlsAcceptor::from(identity().server.clone());
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| handle(fake.clone(), request));
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

/// An error closes the connection.
async fn handle(
    fake: Arc<Fake>,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| "cut")?.to_bytes();
    let header = |name| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let line = format!("{} {}", head.method, head.uri);
    fake.seen.lock().unwrap().push(Seen {
        line: line.clone(),
        content_type: header(CONTENT_TYPE),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    let barrier = fake.together.lock().unwrap().clone();
    if let Some(barrier) = barrier {
        barrier.wait().await;
    }
    let token = header(AUTHORIZATION);
    let answer = fake.answer(&line, token.trim_start_matches("Bearer "));
    let (code, body, headers) = match answer {
        Reply::Json(code, body, headers) => {
            let json = ("content-type", "application/json".to_owned());
            (code, body.to_string(), headers.into_iter().chain([json]).collect())
        }
        Reply::Text(code, body) => (code, body.to_owned(), Vec::new()),
        Reply::Messages(protocol, messages) => {
            tokio::spawn(speak(upgrade, messages));
            let accept = derive_accept_key(header(SEC_WEBSOCKET_KEY).as_bytes());
            let headers = vec![
                ("connection", "Upgrade".to_owned()),
                ("upgrade", "websocket".to_owned()),
                ("sec-websocket-accept", accept),
                ("sec-websocket-protocol", protocol.to_owned()),
            ];
            (101, String::new(), headers)
        }
        Reply::Drop => return Err("dropped"),
    };
    let mut response = Response::builder().status(code);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Full::new(body.into())).map_err(|_| "bad answer")
}

async fn speak(upgrade: OnUpgrade, messages: Vec<(u8, String)>) {
    let stream = TokioIo::new(upgrade.await.unwrap());
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    for (channel, text) in messages {
        let bytes = [&[channel][..], text.as_bytes()].concat();
        // Who has heard enough may have left.
        let _ = socket.send(Message::Binary(bytes.into())).await;
    }
    let _ = socket.close(None).await;
}

struct Tls {
    server: Arc<ServerConfig>,
    ca_pem: String,
}

fn identity() -> &'static Tls {
    static IDENTITY: OnceLock<Tls> = OnceLock::new();
    IDENTITY.get_or_init(new_identity)
}

fn new_identity() -> Tls {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let ca_key = KeyPair::generate().unwrap();
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let leaf = CertificateParams::new(vec!["kubernetes".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let leaf = CertificateDer::from_pem_slice(leaf.pem().as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf], key)
        .unwrap();
    Tls { server: Arc::new(server), ca_pem }
}

fn data(pem: &str) -> String {
    super::shape::encoded(pem).as_str().unwrap().to_owned()
}

/// As k3s writes it, with a token in the place of the client certificate.
pub fn kubeconfig(token: &str) -> String {
    let ca = data(&identity().ca_pem);
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: default\nclusters:\n- name: default\n  \
         cluster:\n    server: https://127.0.0.1:6443\n    tls-server-name: kubernetes\n    \
         certificate-authority-data: {ca}\nusers:\n- name: default\n  user:\n    token: {token}\n\
         contexts:\n- name: default\n  context:\n    cluster: default\n    user: default\n"
    )
}

/// Remembers what steps say, and what they note.
#[derive(Default)]
pub struct Heard(pub Mutex<Vec<String>>, pub Mutex<Vec<Json>>);

impl Run for Heard {
    fn note(&self, data: Json) -> Result<(), ProviderError> {
        self.1.lock().unwrap().push(data);
        Ok(())
    }

    fn progress(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }

    fn stopping(&self) -> bool {
        false
    }
}

static FACTS: KindFacts = KindFacts {
    name: "kubernetes/Object",
    layer: Layer::Cluster,
    fields: &[],
    holds_data: false,
    identity: Identity::Mark,
    lifecycle: Lifecycle::Plain,
    freed_first: false,
    ready: Condition::Exists,
    deletable: Condition::Exists,
    deadline_s: 60,
    weight_s: 1,
};

/// What is asked for an object.
pub fn wanted(kind: &str, name: &str) -> Wanted {
    let place = place(kind, name);
    let mut tree =
        json!({"api": place.api, "kind": place.kind, "plural": place.plural, "name": name});
    if let Some(namespace) = place.namespace {
        tree["namespace"] = namespace.into();
    }
    let address = Address::from(format!("cluster/test/{kind}/{name}"));
    let locator = Locator {
        place: Attributes::new(&tree),
        mark: Some(Mark { lineage: "lineage".into(), address: address.clone() }),
        ..Locator::default()
    };
    Wanted { address, kind: Kind::new(&FACTS), locator }
}

/// The same for an object of a project.
pub fn wanted_of_project(kind: &'static str, name: &str) -> Wanted {
    let known = if kind == "Secret" { "kubernetes/Credentials" } else { "kubernetes/Object" };
    let address = Address::from(format!("project/test/{kind}/{name}"));
    Wanted { address, kind: Kind::named(known).unwrap(), ..wanted(kind, name) }
}

/// A step to carry out.
pub struct Deed<'a> {
    pub wanted: Wanted,
    pub operation: Operation,
    pub attributes: Json,
    pub fields: &'a [&'a str],
    /// The object's uid and attributes. `None` on create.
    pub object: Option<(&'a str, Json)>,
    /// Where in the attributes values were made up.
    pub generated: &'a [&'a str],
}

impl Deed<'_> {
    pub async fn carry_out(self, provider: &Kubernetes, heard: &Heard) -> Act {
        let object = self.object.map(|(id, attributes)| Object {
            id: id.to_owned(),
            attributes: Attributes::new(&attributes),
            mark: None,
        });
        let mark = self.wanted.locator.mark.clone();
        let (attributes, locator) = (self.attributes, self.wanted.locator);
        let generated = self.generated.iter().map(|&pointer| pointer.to_owned()).collect();
        let inputs = Inputs { attributes, generated, object, locator, mark };
        let step = Step {
            address: self.wanted.address,
            kind: self.wanted.kind,
            endpoint: Endpoint::named("kubernetes"),
            operation: self.operation,
            fields: self.fields.iter().map(|&field| field.to_owned()).collect(),
            guard: None,
            done: Condition::Exists,
            guard_s: 0,
            deadline_s: 60,
        };
        provider.act(&step, &inputs, heard).await
    }
}

/// The attributes that were read.
pub fn tree(reading: &Reading) -> Json {
    reading.object().map(|object| object.attributes.tree()).unwrap_or_default()
}
