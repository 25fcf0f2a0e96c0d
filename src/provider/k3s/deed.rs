//! One step on one machine.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::arguments::Disk;
use super::cluster::{Cluster, Node};
use super::heart::Heart;
use super::install::Install;
use super::join::{self, Join};
use super::provider::Machines;
use super::reading::{self, Surroundings};
use super::unit::Role;
use super::{node, remove, rotate, token};
use crate::plan::{Operation, Step};
use crate::provider::host::docker::{self, DOCKER};
use crate::provider::host::firewall::{self, FIREWALL, Wanted};
use crate::provider::host::{Failure, LONG, Probe, Remote, command, mark};
use crate::provider::{Inputs, Run};

/// What a step needs.
pub struct Deed<'a> {
    /// The provider.
    pub machines: &'a Machines,
    /// The step.
    pub step: &'a Step,
    /// What it works with.
    pub inputs: &'a Inputs,
    /// The host it is about.
    pub remote: Remote<'a>,
    /// Who may ask to stop.
    pub run: &'a dyn Run,
}

impl Deed<'_> {
    /// Carries out a step of `host/firewall`.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub async fn firewall(&self) -> Result<(), Failure> {
        let probe = self.probe().await?;
        let wanted = Wanted::of(&self.inputs.attributes);
        let revert_after = self.machines.revert_after;
        match self.step.operation {
            Operation::Create | Operation::Update => {
                self.sign(&probe, FIREWALL).await?;
                let heart = self.heart(&probe).await;
                let still_up = || heart.still_beats();
                firewall::apply(self.remote, &probe, &wanted, revert_after, &still_up).await
            }
            Operation::Delete => firewall::remove(self.remote, &probe, revert_after).await,
            _ => Err(self.unknown()),
        }
    }

    /// Carries out a step of `host/docker`.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub async fn docker(&self) -> Result<(), Failure> {
        let probe = self.probe().await?;
        match self.step.operation {
            Operation::Create | Operation::Update => {
                self.sign(&probe, DOCKER).await?;
                docker::install(self.remote, &probe, &self.inputs.attributes).await
            }
            Operation::Delete => docker::remove(self.remote, &probe).await,
            Operation::Start => docker::service(self.remote, "start").await,
            Operation::Restart => docker::service(self.remote, "restart").await,
            _ => Err(self.unknown()),
        }
    }

    /// Carries out a step of `k3s/server` or `k3s/agent`.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub async fn k3s(&self, role: Role) -> Result<(), Failure> {
        match self.step.operation {
            Operation::Expel => return self.expel().await,
            Operation::Delete => return remove::remove(self.remote, role).await,
            _ => {}
        }
        let probe = self.probe().await?;
        if matches!(
            self.step.operation,
            Operation::Create | Operation::InitCluster | Operation::Join | Operation::Start
        ) {
            self.machines.check_clock(self.remote.target, &probe)?;
        }
        let attributes = &self.inputs.attributes;
        let fields = &self.step.fields;
        let install = Install { remote: self.remote, role, probe: &probe, attributes, fields };
        match self.step.operation {
            Operation::Create | Operation::Update => install.write(self.inputs.mark.as_ref()).await,
            Operation::InitCluster => self.init_cluster(&probe).await,
            Operation::Join => self.join(role, &probe).through_a_server().await,
            Operation::Start => self.start(role, &probe, "start").await,
            Operation::Restart => self.start(role, &probe, "restart").await,
            Operation::Drain => self.drain(&probe).await,
            Operation::Uncordon => self.uncordon(&probe).await,
            Operation::EtcdSnapshot => self.snapshot().await,
            Operation::RotateToken if role == Role::Server => {
                rotate::rotate(self.remote, &probe, attributes).await
            }
            _ => Err(self.unknown()),
        }
    }

    /// A step that no machine knows.
    pub fn unknown(&self) -> Failure {
        Failure::refused(
            format!("machines have no {:?} of {}", self.step.operation, self.step.kind.name),
            "the plan was made by another version of boma: plan again",
        )
    }

    async fn probe(&self) -> Result<Probe, Failure> {
        Probe::of(self.remote, &self.machines.now).await
    }

    /// Leaves boma's mark, where it is not there.
    async fn sign(&self, probe: &Probe, kind: &str) -> Result<(), Failure> {
        let is_there = probe.text(&format!("mark/{}", mark::file_name(kind))).is_some();
        match &self.inputs.mark {
            Some(mark) if !is_there => self.remote.write(&mark::file(kind, mark)).await,
            _ => Ok(()),
        }
    }

    /// The machine's node, where it is one that is Ready: any other has nothing to lose.
    async fn heart(&self, probe: &Probe) -> Heart<'_> {
        let servers = self.machines.servers(Some(self.remote.target));
        let patience = self.machines.revert_after * 3 / 4;
        let joined = probe.word("joined") == Some("yes") && reading::service(probe) == "active";
        let name = Some(self.node_name(probe)).filter(|_| joined);
        Heart::of(servers, name, patience).await
    }

    fn join<'a>(&'a self, role: Role, probe: &'a Probe) -> Join<'a> {
        let attributes = &self.inputs.attributes;
        let known_hashes = self.machines.ca_hashes(self.remote.target);
        Join { remote: self.remote, role, probe, attributes, known_hashes }
    }

    /// Founds the cluster and stays until it stands, for what makes a server found one must be gone
    /// before anything can make it found another.
    async fn init_cluster(&self, probe: &Probe) -> Result<(), Failure> {
        if let Some(other) = self.machines.another_server(self.remote.target) {
            return Err(Failure::refused(
                format!(
                    "{} runs a cluster already, so that a second one would be made",
                    other.machine
                ),
                "plan again: this server shall join it",
            ));
        }
        self.join(Role::Server, probe).first().await?;
        let end = Instant::now() + Duration::from_secs(self.step.deadline_s);
        let mut pause = Duration::from_millis(100);
        loop {
            let probe = self.probe().await?;
            if is_voter(&probe) {
                return join::forget_init(self.remote, &probe).await;
            }
            if Instant::now() >= end || self.run.stopping() {
                return Ok(());
            }
            self.run.progress("waiting for etcd's first voter");
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(Duration::from_secs(3));
        }
    }

    async fn start(&self, role: Role, probe: &Probe, verb: &str) -> Result<(), Failure> {
        if probe.word("joined") == Some("yes") {
            join::forget_init(self.remote, probe).await?;
        }
        join::start(self.remote, role, verb).await?;
        token::used(self.remote, probe).await
    }

    async fn drain(&self, probe: &Probe) -> Result<(), Failure> {
        let servers = self.machines.servers(Some(self.remote.target));
        let name = self.node_name(probe);
        let Some(node) = self.node(&name).await? else { return Ok(()) };
        let marks = [&self.inputs.mark, &self.inputs.locator.mark];
        let lineage =
            marks.into_iter().flatten().next().map_or("boma", |mark| mark.lineage.as_str());
        let timeout = Duration::from_secs(self.step.deadline_s);
        node::drain(&servers, &name, &node, lineage, timeout).await
    }

    async fn uncordon(&self, probe: &Probe) -> Result<(), Failure> {
        let name = self.node_name(probe);
        let Some(node) = self.node(&name).await? else { return Ok(()) };
        node::uncordon(&self.machines.servers(Some(self.remote.target)), &name, &node).await
    }

    /// Works without the machine itself: it may be gone for good.
    async fn expel(&self) -> Result<(), Failure> {
        let live = self.inputs.object.as_ref().map(|object| object.attributes.tree());
        let trees =
            [live.as_ref().map(|tree| &tree["effective"]), Some(&self.inputs.attributes["config"])];
        let names = trees.into_iter().flatten().filter_map(|tree| tree["node-name"].as_str());
        let name = names.map(str::to_owned).next();
        let name = name.unwrap_or_else(|| self.remote.target.machine.to_ascii_lowercase());
        let mut servers = self.machines.servers(None);
        servers.targets.retain(|target| target != self.remote.target);
        node::expel(&servers, &name).await
    }

    async fn snapshot(&self) -> Result<(), Failure> {
        let now = Timestamp::from_second((self.machines.now)()).unwrap_or_default();
        let name = format!("boma-{}", now.strftime("%Y%m%dT%H%M%S"));
        let words = ["k3s", "etcd-snapshot", "save", "--name", &name];
        let mut servers = self.machines.servers(None);
        // On another machine where one runs: this one may be about to be wiped.
        servers.targets.sort_by_key(|target| target == self.remote.target);
        servers.first(&command(&words).root().timeout(LONG)).await.map(drop)
    }

    fn node_name(&self, probe: &Probe) -> String {
        let disk = Disk::of(probe).unwrap_or_default();
        disk.node_name(probe)
    }

    /// The node as a live server shows it. `None` where the cluster has none of that name.
    async fn node(&self, name: &str) -> Result<Option<Node>, Failure> {
        let servers = self.machines.servers(Some(self.remote.target));
        let Some(cluster) = servers.cluster().await else {
            return Err(Failure::later(
                "no server shows the cluster's nodes",
                "bring a server up (`systemctl status k3s` there says why it is down), then apply again",
            ));
        };
        Ok(cluster.node(name).cloned())
    }
}

/// Whether a server shows itself as a voter that is ready.
fn is_voter(probe: &Probe) -> bool {
    let cluster = probe.text("nodes").and_then(Cluster::parse);
    let around = Surroundings { cluster: cluster.as_ref(), uuids: &Default::default() };
    let reading = reading::read(Role::Server, probe, &around);
    let tree = reading.object().map_or(Json::Null, |object| object.attributes.tree());
    tree["ready"] == "yes"
}
