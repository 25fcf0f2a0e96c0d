//! A vCenter to test against, and a provider that is logged in to it as administrator.

use boma::lab::{
    Control, Endpoints, Lab, MachineSetup, Opened, Running, ServeOptions, Setup, Status,
    TemplateSetup,
};
use boma::plan::Operation;
use boma::provider::vsphere::{Trust, Vcenter, VcenterConfig};
use boma::provider::{Act, Provider as _};
use boma::resource::{Object, Reading};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::subject::{Notes, STORAGE, Subject, machine};
use super::vcsim::{Gap, Vcsim};

const SEED: u64 = 7;

/// Who answers.
#[derive(Clone, Copy)]
pub enum Backend {
    /// This repository's own simulator.
    Lab,
    /// govmomi's simulator, which nobody here wrote.
    Vcsim,
}

/// A running vCenter and a provider that is logged in as its administrator.
pub struct Rig {
    pub vcenter: Vcenter,
    pub config: VcenterConfig,
    server: Server,
}

enum Server {
    Lab { endpoints: Box<Endpoints>, running: Box<Running>, _home: TempDir },
    Vcsim(Box<Vcsim>),
}

impl Rig {
    /// A lab in which no machine of ours stands.
    pub async fn start() -> Self {
        Self::with(setup(Vec::new()), ServeOptions::default()).await
    }

    /// A lab.
    pub async fn with(setup: Setup, options: ServeOptions) -> Self {
        let home = tempfile::tempdir().unwrap();
        let Opened::Owned(lab) = Lab::open(home.path(), &setup).unwrap() else {
            panic!("the world of a new directory is nobody else's")
        };
        let running = lab.serve(options).await.unwrap();
        let endpoints = running.endpoints.clone();
        let server = endpoints.vcenter_url.strip_prefix("https://").unwrap();
        let (host, port) = server.rsplit_once(':').unwrap();
        let config = VcenterConfig {
            host: host.into(),
            port: port.parse().unwrap(),
            username: endpoints.username.clone(),
            password: endpoints.password.clone().into(),
            trust: Trust::CaPem(endpoints.ca_pem.clone()),
            user_agent: "boma/test".into(),
        };
        let (endpoints, running) = (Box::new(endpoints), Box::new(running));
        Self::of(config, Server::Lab { endpoints, running, _home: home })
    }

    /// Either backend, without a machine of ours.
    pub async fn on(backend: Backend) -> Self {
        match backend {
            Backend::Lab => Self::start().await,
            Backend::Vcsim => Self::simulated(0),
        }
    }

    /// Either backend, with machines `agent-0` and up.
    pub async fn with_machines(backend: Backend, count: usize) -> Self {
        let setup = || setup((0..count).map(standing).collect());
        match backend {
            Backend::Lab => Self::with(setup(), ServeOptions::default()).await,
            Backend::Vcsim => Self::simulated(count),
        }
    }

    fn simulated(machines: usize) -> Self {
        let vcsim = Vcsim::start(machines);
        Self::of(vcsim.config.clone(), Server::Vcsim(Box::new(vcsim)))
    }

    fn of(config: VcenterConfig, server: Server) -> Self {
        Self { vcenter: Vcenter::new(config.clone()).unwrap(), config, server }
    }

    /// The lab's side door.
    pub fn control(&self) -> Control {
        match &self.server {
            Server::Lab { endpoints, .. } => Control::connect(endpoints).unwrap(),
            Server::Vcsim(_) => panic!("only the lab has a side door"),
        }
    }

    /// Whether this backend has the gap, so that what it hides cannot be asserted.
    pub fn has(&self, _gap: Gap) -> bool {
        matches!(self.server, Server::Vcsim(_))
    }

    /// Checks attributes that a gap spoils. Where the backend has it, they must be spoilt: a gap
    /// that has closed is taken off the list.
    pub fn check_unless(&self, gap: Gap, object: &Object, expected: Json) {
        if !self.has(gap) {
            return check(object, expected);
        }
        let tree = object.attributes.tree();
        for (name, value) in expected.as_object().unwrap() {
            assert_ne!(&tree[name], value, "{gap:?} has closed: {name} of {tree}");
        }
    }

    /// The folder that standing machines are in.
    pub fn home(&self) -> &'static str {
        match self.server {
            Server::Lab { .. } => "/DC1/vm/cht",
            Server::Vcsim(_) => "/DC1/vm",
        }
    }

    /// The world from outside. `None` where only its clients see it.
    pub async fn status(&self) -> Option<Status> {
        match &self.server {
            Server::Lab { .. } => Some(self.control().status().await.unwrap()),
            Server::Vcsim(_) => None,
        }
    }

    /// A digest of the whole world, where there is one.
    pub async fn digest(&self) -> Option<String> {
        self.status().await.map(|status| status.digest)
    }

    /// How many sessions are open, whoever opened them.
    pub async fn sessions(&self) -> usize {
        match &self.server {
            Server::Lab { .. } => self.control().status().await.unwrap().sessions.len(),
            Server::Vcsim(vcsim) => vcsim.sessions(),
        }
    }

    /// The other simulator, for what only it can be told.
    pub fn vcsim(&self) -> &Vcsim {
        match &self.server {
            Server::Lab { .. } => panic!("this is the lab"),
            Server::Vcsim(vcsim) => vcsim,
        }
    }

    /// A provider with another account of the lab.
    pub fn account(&self, principal: &str) -> Vcenter {
        self.login(principal, &Lab::password_of(SEED, principal))
    }

    /// A provider that trusts what it is told to.
    pub fn trusting(&self, trust: Trust) -> Vcenter {
        Vcenter::new(VcenterConfig { trust, ..self.config.clone() }).unwrap()
    }

    /// A provider with the administrator's name and any password.
    pub fn with_password(&self, password: &str) -> Vcenter {
        self.login(&self.config.username, password)
    }

    fn login(&self, username: &str, password: &str) -> Vcenter {
        let config = VcenterConfig {
            username: username.into(),
            password: password.to_owned().into(),
            ..self.config.clone()
        };
        Vcenter::new(config).unwrap()
    }

    /// The inputs of a machine, without what a gap makes impossible.
    pub fn machine(&self, name: &str) -> Json {
        let mut attributes = machine(name);
        if self.has(Gap::EditsCrash) {
            attributes["disk_gib"].take();
        }
        attributes
    }

    pub async fn act(&self, subject: &Subject, operation: Operation, attributes: Json) -> Act {
        subject.act(&self.vcenter, &Notes::default(), operation, attributes).await
    }

    pub async fn make(&self, subject: &Subject, attributes: Json) -> Object {
        present(self.act(subject, Operation::Create, attributes).await.unwrap())
    }

    pub async fn read(&self, subject: &Subject) -> Reading {
        self.vcenter.read(&[subject.wanted()]).await.remove(0).1
    }

    /// A standing machine, as it is read.
    pub async fn standing(&self, name: &str) -> Subject {
        let path = format!("{}/{name}", self.home());
        let subject = Subject::new("vsphere/vm", name, json!({ "path": path }));
        let object = present(self.read(&subject).await);
        subject.known(object)
    }

    /// Everything that a machine's clone needs: the folder `cht`.
    pub async fn folder(&self) -> Subject {
        let folder = Subject::new("vsphere/folder", "cht", json!({"path": "/DC1/vm/cht"}));
        let object = self.make(&folder, json!({"path": "/DC1/vm/cht"})).await;
        folder.known(object)
    }

    /// Logs out, and stops what was started.
    pub async fn stop(self) {
        self.vcenter.logout().await;
        match self.server {
            Server::Lab { running, .. } => running.shutdown().await.unwrap(),
            Server::Vcsim(vcsim) => vcsim.stop(),
        }
    }
}

/// A lab's world with these machines standing in it.
pub fn setup(machines: Vec<MachineSetup>) -> Setup {
    Setup {
        seed: SEED,
        datacenter: "DC1".into(),
        cluster: "Cluster1".into(),
        hosts: vec!["esx1".into(), "esx2".into()],
        datastores: vec!["vsanDatastore".into()],
        networks: vec!["VM Network".into(), "Other".into()],
        templates: vec![TemplateSetup {
            name: "ubuntu-22.04".into(),
            cpus: 2,
            memory_mib: 2048,
            disk_gib: 20,
            hardware_version: 13,
            ..TemplateSetup::default()
        }],
        machines,
        principals: vec![STORAGE.into()],
        ..Setup::default()
    }
}

/// `agent-<number>` as somebody made it by hand after the guide.
pub fn standing(number: usize) -> MachineSetup {
    MachineSetup {
        name: format!("agent-{number}"),
        folder: "cht".into(),
        cpus: 4,
        memory_mib: 8192,
        disk_gib: 50,
        disk_uuid: true,
        hardware_version: 15,
        powered_on: true,
        ..MachineSetup::default()
    }
}

pub fn present(reading: Reading) -> Object {
    match reading {
        Reading::Present(object) => object,
        other => panic!("not present: {other:?}"),
    }
}

/// The object's attributes are the expected ones; others are not looked at.
pub fn check(object: &Object, expected: Json) {
    let tree = object.attributes.tree();
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&tree[name], value, "{name} of {tree}");
    }
}
