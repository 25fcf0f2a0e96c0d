//! What CHT's programs see: the objects of the cluster, the volumes, and one another by name.

use std::sync::Arc;

use serde_json::Value as Json;

use super::super::json::{has_labels, list, text};
use super::super::pod;
use super::super::work::Work;
use super::environment::Environment;
use super::program::Program;
use crate::lab::k3s::Cluster;
use crate::lab::kubernetes::{Key, Store};
use crate::lab::vsphere::World;

/// A cluster with its volumes, at one moment.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub store: &'a Store,
    pub world: &'a World,
}

/// A program in a pod.
#[derive(Clone)]
pub(super) struct Process {
    pub program: Program,
    pub pod: Arc<Json>,
    pub container: Json,
    pub env: Environment,
}

/// Why a connection does not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoWay {
    /// There is no Service of that name.
    Unknown(String),
    /// Nothing listens there.
    Refused(String),
}

impl<'a> Scene<'a> {
    pub(super) fn new(cluster: &'a Cluster, world: &'a World) -> Self {
        Self { store: &cluster.store, world }
    }

    pub(super) fn of(work: &'a Work<'_>) -> Self {
        Self::new(work.cluster(), &work.world)
    }

    /// The program of a container, if it is one of CHT's.
    pub(super) fn process(&self, pod: &Arc<Json>, container: &Json) -> Option<Process> {
        let program = Program::of(container)?;
        let env = Environment::of(self, pod, container);
        Some(Process { program, pod: Arc::clone(pod), container: container.clone(), env })
    }

    /// CHT's programs in the pods of a namespace that run.
    pub(super) fn running(&self, namespace: &str) -> Vec<Process> {
        let pods = self.store.list_in("", "pods", namespace).map(|(_, pod)| pod);
        let up = pods.filter(|pod| pod::is_active(pod) && text(pod, "/status/phase") == "Running");
        let all = up.flat_map(|pod| {
            let of = pod::containers(pod).iter().filter(|one| runs(pod, text(one, "/name")));
            of.filter_map(|container| self.process(pod, container)).collect::<Vec<_>>()
        });
        all.collect()
    }

    /// The program that listens at a port of a host, as a pod of a namespace finds it.
    ///
    /// # Errors
    /// There is no such Service, or nothing behind it.
    pub(super) fn reach(&self, namespace: &str, host: &str, port: u16) -> Result<Process, NoWay> {
        let mut parts = host.split('.');
        let name = parts.next().unwrap_or_default();
        let place = parts.next().unwrap_or(namespace);
        let service = self.store.get(&Key::new("", "services", place, name));
        let service = service.ok_or_else(|| NoWay::Unknown(host.to_owned()))?;
        let mut found = self.running(place).into_iter().filter(|process| {
            let labels = &process.pod["metadata"]["labels"];
            has_labels(&service["spec"]["selector"], labels)
        });
        let refused = || NoWay::Refused(format!("{host}:{port}"));
        found.find(|process| process.program.listens(&process.env) == port).ok_or_else(refused)
    }
}

impl Process {
    pub(super) fn namespace(&self) -> &str {
        text(&self.pod, "/metadata/namespace")
    }

    pub(super) fn image(&self) -> &str {
        text(&self.container, "/image")
    }
}

impl std::fmt::Display for NoWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(host) => write!(f, "getaddrinfo ENOTFOUND {host}"),
            Self::Refused(place) => write!(f, "connect ECONNREFUSED {place}"),
        }
    }
}

/// Whether one container of a pod runs.
pub(super) fn runs(pod: &Json, container: &str) -> bool {
    let mut statuses = list(pod, "/status/containerStatuses").iter();
    let own = statuses.find(|status| status["name"] == container);
    own.is_some_and(|status| status["state"].get("running").is_some())
}
