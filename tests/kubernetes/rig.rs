//! An API server to test against, and a provider that is an administrator there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use boma::plan::Operation;
use boma::provider::kubernetes::{Access, Kubernetes, Stream};
use boma::provider::{Act, BoxFuture, ProviderError};
use boma::resource::{Object, Reading};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio::sync::{RwLockReadGuard, RwLockWriteGuard};

use super::audit::{Audit, Request};
use super::authority::Signed;
use super::client::Client;
use super::lab_plane::LabPlane;
use super::plane::Plane;
use super::subject::Subject;

/// Nothing that is waited for takes longer on a busy computer.
const LIMIT: Duration = Duration::from_secs(60);

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Kubernetes itself.
    Real,
    /// The lab's.
    Lab,
}

/// An API server, and a namespace of the test's own in it.
pub struct Rig {
    pub provider: Kubernetes,
    /// What is done and looked at behind the provider's back.
    pub api: Client,
    pub namespace: String,
    backing: Backing,
}

/// Where it is, and who tells what was asked there.
enum Backing {
    Real { audit: Audit, _turn: Turn },
    Lab(LabPlane),
}

/// Which other tests may run meanwhile.
enum Turn {
    Shared { _guard: RwLockReadGuard<'static, ()> },
    Alone { _guard: RwLockWriteGuard<'static, ()> },
}

impl Rig {
    /// The name is the test's own.
    pub async fn on(backend: Backend, name: &str) -> Self {
        match backend {
            Backend::Real => Self::of(name, Turn::Shared { _guard: Plane::shared().await }).await,
            Backend::Lab => Self::in_lab(name).await,
        }
    }

    async fn in_lab(name: &str) -> Self {
        let plane = LabPlane::start(name).await;
        let way = Way { kubeconfig: plane.kubeconfig.clone(), port: plane.port };
        let (provider, api) = (Kubernetes::new(Arc::new(way)), plane.admin());
        Self::with(provider, api, name, Backing::Lab(plane)).await
    }

    /// While no other test runs.
    pub async fn alone(name: &str) -> Self {
        Self::of(name, Turn::Alone { _guard: Plane::alone().await }).await
    }

    async fn of(name: &str, turn: Turn) -> Self {
        let plane = Plane::get();
        let signed = plane.watched(name);
        let provider = Kubernetes::new(Arc::new(Way::to(plane, &signed)));
        let log = plane.audit_log.clone();
        let audit = Audit { log, user: name.to_owned(), client: plane.client(&signed) };
        Self::with(provider, plane.admin(), name, Backing::Real { audit, _turn: turn }).await
    }

    async fn with(provider: Kubernetes, api: Client, name: &str, backing: Backing) -> Self {
        let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        api.post("/api/v1/namespaces", &made).await.ok();
        Self { provider, api, namespace: name.to_owned(), backing }
    }

    /// A provider whose user may do nothing.
    pub fn nobody(&self) -> Kubernetes {
        let plane = Plane::get();
        Kubernetes::new(Arc::new(Way::to(plane, &plane.nobody())))
    }

    pub fn subject(&self, manifest: &Json) -> Subject {
        Subject::of(manifest, &self.namespace)
    }

    /// A node that no pod is put on. It is the test's own; in the lab it is the agent, which has
    /// the test's name.
    pub async fn node(&self, name: &str) -> String {
        if let Backing::Real { .. } = self.backing {
            let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
                "spec": {"unschedulable": true}});
            self.api.post("/api/v1/nodes", &node).await.ok();
        }
        let path = format!("/api/v1/nodes/{name}");
        let is_ready = |node: &Json| {
            let conditions = node["status"]["conditions"].as_array();
            let ready = |one: &Json| one["type"] == "Ready" && one["status"] == "True";
            let taints = node["spec"]["taints"].to_string();
            conditions.is_some_and(|all| all.iter().any(ready)) && !taints.contains("not-ready")
        };
        self.until(&path, is_ready).await;
        path
    }

    pub async fn act(&self, subject: &Subject, operation: Operation, fields: &[&str]) -> Act {
        subject.act(&self.provider, operation, fields).await
    }

    /// Makes what a manifest says.
    pub async fn make(&self, manifest: &Json) -> Subject {
        let subject = self.subject(manifest);
        let object = present(self.act(&subject, Operation::Create, &[]).await.unwrap());
        subject.known(object)
    }

    /// Writes what is desired by now, which must be taken.
    pub async fn update(&self, subject: &Subject, fields: &[&str]) -> Subject {
        let object = present(self.act(subject, Operation::Update, fields).await.unwrap());
        subject.clone().known(object)
    }

    pub async fn read(&self, subject: &Subject) -> Reading {
        subject.read(&self.provider).await
    }

    /// The subject as it is read now.
    pub async fn seen(&self, subject: &Subject) -> Subject {
        let object = present(self.read(subject).await);
        subject.clone().known(object)
    }

    /// Reads until the attributes are right.
    pub async fn wait(&self, subject: &Subject, right: impl Fn(&Json) -> bool) -> Subject {
        let end = Instant::now() + LIMIT;
        loop {
            let seen = self.seen(subject).await;
            let tree = seen.object.as_ref().unwrap().attributes.tree();
            if right(&tree) {
                return seen;
            }
            assert!(Instant::now() < end, "{} stays {tree}", subject.address);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Reads until it is ready.
    pub async fn ready(&self, subject: &Subject) -> Subject {
        self.wait(subject, |tree| tree["ready"] == true).await
    }

    /// Reads until it is gone.
    pub async fn gone(&self, subject: &Subject) {
        let end = Instant::now() + LIMIT;
        loop {
            let reading = self.read(subject).await;
            if reading == Reading::Absent {
                return;
            }
            assert!(Instant::now() < end, "{} stays {reading:?}", subject.address);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The object behind the provider's back, once it is as it should be.
    pub async fn until(&self, path: &str, holds: impl Fn(&Json) -> bool) -> Json {
        let end = Instant::now() + LIMIT;
        loop {
            let read = self.api.get(path).await.ok();
            if holds(&read) {
                return read;
            }
            assert!(Instant::now() < end, "{path} stays {read}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What the provider has asked the server for.
    pub async fn requests(&self) -> Vec<Request> {
        match &self.backing {
            Backing::Real { audit, .. } => audit.requests().await,
            Backing::Lab(plane) => plane.requests(),
        }
    }

    /// What of that were writes.
    pub async fn writes(&self) -> Vec<Request> {
        match &self.backing {
            Backing::Real { audit, .. } => audit.writes().await,
            Backing::Lab(plane) => plane.writes(),
        }
    }

    /// Removes the namespace.
    pub async fn stop(self) {
        self.api.delete(&format!("/api/v1/namespaces/{}", self.namespace)).await;
    }
}

/// A connection to loopback with a kubeconfig from memory.
pub struct Way {
    kubeconfig: String,
    port: u16,
}

impl Way {
    pub fn to(plane: &Plane, signed: &Signed) -> Self {
        Self { kubeconfig: plane.kubeconfig(signed), port: plane.port }
    }
}

impl Access for Way {
    fn kubeconfig(&self) -> BoxFuture<'_, Result<SecretString, ProviderError>> {
        Box::pin(async { Ok(self.kubeconfig.clone().into()) })
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Stream>, ProviderError>> {
        Box::pin(async {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
            let stream: Box<dyn Stream> = Box::new(stream);
            Ok(stream)
        })
    }

    /// There is one server only.
    fn move_on(&self) {}
}

pub fn present(reading: Reading) -> Object {
    match reading {
        Reading::Present(object) => object,
        other => panic!("not present: {other:?}"),
    }
}
