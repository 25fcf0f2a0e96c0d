//! A lab that is served, its small spec, and hands at the consoles of its hosts.

use boma::lab::{
    ClusterStatus, Control, Endpoints, FaultRule, HostAction, HostAnswer, NodeStatus,
    ProjectAction, Status,
};
use tokio::runtime::Runtime;

use super::soap;
use crate::cli::env::TestEnv;
use crate::cli::process::Ran;
use crate::cli::served::Served;

pub const APPLY: &[&str] = &["apply", "--lab", "--yes", "--allow-disruption", "small.toml"];
pub const PLAN: &[&str] = &["plan", "--lab", "small.toml"];
pub const DRIFT: &[&str] = &["drift", "--lab", "small.toml"];
pub const NODES: [&str; 5] = ["agent-1", "agent-2", "server-1", "server-2", "server-3"];

/// A served lab, and what only tests can do there.
pub struct Rig {
    pub env: TestEnv,
    pub endpoints: Endpoints,
    control: Control,
    runtime: Runtime,
    // Ends with this.
    _served: Served,
}

impl Rig {
    /// A world in which nothing was applied yet.
    pub fn new() -> Self {
        let env = TestEnv::new();
        let served = env.serve(0);
        let endpoints: Endpoints =
            serde_json::from_slice(&env.read("state/lab/small/world/endpoints.json")).unwrap();
        // Somebody else may have installed it before: it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let control = Control::connect(&endpoints).unwrap();
        Self { env, endpoints, control, runtime: Runtime::new().unwrap(), _served: served }
    }

    /// A world with the whole cluster in it.
    pub fn applied() -> Self {
        let rig = Self::new();
        rig.env.apply();
        rig
    }

    pub fn status(&self) -> Status {
        self.runtime.block_on(self.control.status()).unwrap()
    }

    /// Does something in a county's own admin UI.
    pub fn project(&self, namespace: &str, action: &ProjectAction) {
        self.runtime.block_on(self.control.project(namespace, action)).unwrap();
    }

    /// Stages faults in place of those that were.
    pub fn stage(&self, faults: &[FaultRule]) {
        self.runtime.block_on(self.control.stage(faults)).unwrap();
    }

    /// Does something at the console of a host.
    pub fn at(&self, host: &str, action: HostAction) -> HostAnswer {
        self.runtime.block_on(self.control.at_host(host, &action)).unwrap()
    }

    /// Runs a command at the console of a host, and returns what it printed.
    #[track_caller]
    pub fn shell(&self, host: &str, line: &str) -> String {
        let answer = self.at(host, HostAction::Run { line: line.into(), stdin: String::new() });
        assert_eq!(answer.status, 0, "{line}: {}", answer.stderr);
        answer.stdout
    }

    /// Edits a file on a host by hand.
    #[track_caller]
    pub fn edit(&self, host: &str, path: &str, from: &str, to: &str) {
        let text = self.shell(host, &format!("cat {path}"));
        assert!(text.contains(from), "{path} has no {from:?}: {text}");
        let content = text.replace(from, to);
        self.at(host, HostAction::Write { path: path.into(), content, mode: 0o600 });
    }

    /// Turns a machine off and deletes it, as an administrator of the vCenter does.
    pub fn delete_vm(&self, path: &str) {
        self.runtime.block_on(soap::delete_vm(&self.endpoints, path));
    }

    /// The cluster: there never was another one.
    #[track_caller]
    pub fn cluster(&self) -> ClusterStatus {
        let mut clusters = self.status().clusters;
        assert_eq!(clusters.len(), 1, "{clusters:#?}");
        clusters.remove(0)
    }

    /// The node of that name.
    #[track_caller]
    pub fn node(&self, name: &str) -> NodeStatus {
        let nodes = self.cluster().nodes;
        nodes.into_iter().find(|node| node.name == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Applies, with leave to disturb.
    #[track_caller]
    pub fn apply(&self) -> Ran {
        self.env.expect(0, APPLY)
    }

    /// Every node of the spec is in its one cluster and can be used; there is nothing left to do.
    #[track_caller]
    pub fn assert_whole(&self, nodes: &[&str]) {
        let cluster = self.cluster();
        let names: Vec<&str> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, nodes);
        for node in &cluster.nodes {
            let member = if node.role == "server" { "voter" } else { "" };
            assert_eq!(
                (node.ready, node.cordoned, &*node.member),
                (true, false, member),
                "{node:?}"
            );
        }
        self.env.assert_settled();
    }

    /// No two servers were ever down at once, etcd was saved before each server that stopped, and
    /// no node stopped with pods on it.
    #[track_caller]
    pub fn assert_gentle(&self) {
        let cluster = self.cluster();
        assert_eq!(cluster.together_down, []);
        assert_eq!(cluster.skipped_minors, []);
        for restart in &cluster.restarts {
            assert!(restart.was_drained(), "{restart:?}\n{:#?}", cluster.history);
        }
        let mut saved = false;
        for line in &cluster.history {
            saved |= line.ends_with("SnapshotSaved");
            if line.contains("Stopped { server: true") {
                assert!(std::mem::take(&mut saved), "{line}\n{:#?}", cluster.history);
            }
        }
    }
}
