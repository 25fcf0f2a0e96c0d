//! The lab's cluster in this process: one server and one agent, on which k3s stands already.

use std::time::Duration;

use boma::lab::{K3sSetup, Lab, MachineSetup, Opened, Running, ServeOptions, Setup, Status};

use super::audit::Request;
use super::client::Client;

/// What requests to a cluster's API are counted by.
const COUNTED: &str = "Kubernetes:";

const SERVER: &str = "10.20.0.11";

/// A lab of one test's own. It ends with this.
pub struct LabPlane {
    pub port: u16,
    pub kubeconfig: String,
    running: Running,
    _folder: tempfile::TempDir,
}

impl LabPlane {
    /// The agent has the name that the test gives it.
    pub async fn start(agent: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let Opened::Owned(lab) = Lab::open(folder.path(), &setup(agent)).unwrap() else {
            panic!("somebody else has a lab in {folder:?}")
        };
        let options = ServeOptions { kubernetes: true, ..ServeOptions::default() };
        let running = lab.serve(options).await.unwrap();
        let (port, path) = running.kubernetes().unwrap();
        // Written once the cluster answers.
        let kubeconfig = loop {
            match std::fs::read_to_string(&path) {
                Ok(text) => break text,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        Self { port, kubeconfig, running, _folder: folder }
    }

    pub fn admin(&self) -> Client {
        Client::of_kubeconfig(&self.kubeconfig)
    }

    /// What the API was asked, by whomever.
    pub fn requests(&self) -> Vec<Request> {
        let counts = self.status().requests.into_iter();
        let asked = counts.filter_map(|(name, times)| {
            let (verb, object) = name.strip_prefix(COUNTED)?.split_once(' ')?;
            let (verb, object) = (verb.to_lowercase(), object.to_owned());
            Some((Request { verb, object, code: 200, dry_run: false }, times))
        });
        asked.flat_map(|(request, times)| std::iter::repeat_n(request, times as usize)).collect()
    }

    /// What boma changed.
    pub fn writes(&self) -> Vec<Request> {
        let writes = self.status().writes.into_iter().filter(|write| write.manager == "boma");
        let request = |write: boma::lab::StatusWrite| {
            let request =
                Request { verb: write.verb, object: write.path, code: 200, dry_run: false };
            std::iter::repeat_n(request, write.times as usize)
        };
        writes.flat_map(request).collect()
    }

    fn status(&self) -> Status {
        self.running.status().unwrap()
    }
}

fn setup(agent: &str) -> Setup {
    Setup {
        seed: 5,
        datacenter: "DC1".into(),
        cluster: "Cluster1".into(),
        hosts: vec!["esx-1".into()],
        datastores: vec!["ds1".into()],
        networks: vec!["VM Network".into()],
        machines: vec![
            machine("server-1", SERVER, &["--cluster-init"]),
            machine(agent, "10.20.0.21", &["--server", &format!("https://{SERVER}:6443")]),
        ],
        ..Setup::default()
    }
}

fn machine(name: &str, address: &str, arguments: &[&str]) -> MachineSetup {
    let given = ["--token", "token of the tests"];
    let k3s = K3sSetup {
        version: "v1.35.9+k3s1".into(),
        server: address == SERVER,
        arguments: given.iter().chain(arguments).map(|text| (*text).to_owned()).collect(),
        ..K3sSetup::default()
    };
    MachineSetup {
        name: name.into(),
        cpus: 8,
        memory_mib: 32 << 10,
        disk_gib: 50,
        disk_uuid: true,
        hardware_version: 19,
        address: Some(address.into()),
        k3s: Some(k3s),
        ..MachineSetup::default()
    }
}
