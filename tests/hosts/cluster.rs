//! k3s on three servers and two agents, step by step as the executor would take them.

use std::time::Duration;

use boma::plan::{Operation, Step};
use boma::provider::k3s::Machines;
use boma::provider::{Act, Inputs, Provider as _, ProviderError, Run, Wanted};
use boma::resource::{
    Address, Attributes, Condition, Endpoint, Kind, Locator, Mark, Object, Reading,
};
use serde_json::{Value as Json, json};

use super::rig::{Rig, until};

const SERVERS: [&str; 3] = ["server-1", "server-2", "server-3"];
const AGENTS: [&str; 2] = ["agent-1", "agent-2"];
const OLD: &str = "v1.35.8+k3s1";
const NEW: &str = "v1.35.9+k3s1";
const LIMIT: Duration = Duration::from_secs(60);

/// A resource on a host as the engine would hand it to the provider.
#[derive(Clone)]
pub struct Subject {
    address: Address,
    kind: Kind,
    locator: Locator,
}

impl Subject {
    pub fn of(rig: &Rig, kind: &str, machine: &str) -> Self {
        let address = Address::of(kind, machine);
        let role = machine.split('-').next().unwrap();
        let place = json!({"machine": machine, "address": rig.address(machine), "role": role});
        let mark = Mark { lineage: "lineage-1".into(), address: address.clone() };
        let locator =
            Locator { place: Attributes::new(&place), mark: Some(mark), ..Locator::default() };
        Self { address, kind: Kind::named(kind).unwrap(), locator }
    }

    pub fn wanted(&self) -> Wanted {
        Wanted { address: self.address.clone(), kind: self.kind, locator: self.locator.clone() }
    }

    pub async fn act(&self, machines: &Machines, operation: Operation, attributes: Json) -> Act {
        let object = match self.read(machines).await {
            Reading::Present(object) => Some(object),
            _ => None,
        };
        let step = Step {
            address: self.address.clone(),
            kind: self.kind,
            endpoint: Endpoint::named(format!("host/{}", self.address.name())),
            operation,
            fields: Vec::new(),
            guard: None,
            guard_s: 0,
            done: Condition::Exists,
            deadline_s: 60,
        };
        let mark = self.locator.mark.clone();
        let inputs = Inputs {
            attributes,
            generated: Vec::new(),
            object,
            locator: self.locator.clone(),
            mark,
        };
        machines.act(&step, &inputs, &Quiet).await
    }

    pub async fn read(&self, machines: &Machines) -> Reading {
        machines.read(&[self.wanted()]).await.remove(0).1
    }

    async fn tree(&self, machines: &Machines) -> Option<Json> {
        match self.read(machines).await {
            Reading::Present(Object { attributes, .. }) => Some(attributes.tree()),
            _ => None,
        }
    }

    /// Reads until these attributes are as expected, as the executor waits.
    async fn becomes(&self, machines: &Machines, expected: Json) {
        let mut last = None;
        let ready = async || {
            last = self.tree(machines).await;
            let tree = last.as_ref()?;
            let mut pairs = expected.as_object().unwrap().iter();
            pairs.all(|(name, value)| tree[name] == *value).then_some(())
        };
        let what = format!("{} becomes {expected}", self.address);
        until(&what, LIMIT, ready).await;
    }
}

struct Quiet;

impl Run for Quiet {
    fn note(&self, _data: Json) -> Result<(), ProviderError> {
        Ok(())
    }

    fn progress(&self, _text: &str) {}

    fn stopping(&self) -> bool {
        false
    }
}

fn k3s(rig: &Rig, machine: &str) -> Subject {
    let role = machine.split('-').next().unwrap();
    Subject::of(rig, &format!("k3s/{role}"), machine)
}

fn attributes(rig: &Rig, machine: &str) -> Json {
    let address = rig.address(machine);
    let mut config = json!({
        "node-ip": address,
        "node-name": machine,
        "kubelet-arg": ["cloud-provider=external"],
    });
    let bios = rig.host(machine)["bios_uuid"].as_str().unwrap();
    let mut attributes = json!({
        "version": OLD,
        "provider_id": format!("vsphere://{bios}"),
        "token": "for-agents",
        "servers": SERVERS.map(|server| rig.address(server)),
        "arguments": "config.yaml",
        "service": "active",
        "running": "current",
        "schedulable": true,
    });
    if machine.starts_with("server-") {
        config["cluster-cidr"] = "10.42.0.0/16".into();
        config["disable-cloud-controller"] = true.into();
        config["tls-san"] = json!(["10.20.0.11"]);
        attributes["token"] = "for-servers".into();
        attributes["agent_token"] = "for-agents".into();
    }
    attributes["config"] = config;
    attributes
}

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn a_cluster_is_founded_changed_and_made_smaller() {
    let names: Vec<&str> = SERVERS.into_iter().chain(AGENTS).collect();
    let rig = Rig::boot(&names);
    let machines = rig.machines();
    for name in &names {
        let subject = k3s(&rig, name);
        assert!(matches!(subject.read(&machines).await, Reading::Absent), "{name}");
        subject.act(&machines, Operation::Create, attributes(&rig, name)).await.unwrap();
        let operation = match *name {
            "server-1" => Operation::InitCluster,
            _ => Operation::Join,
        };
        subject.act(&machines, operation, attributes(&rig, name)).await.unwrap();
        subject.becomes(&machines, json!({"ready": "yes", "version": OLD})).await;
    }
    for name in &names {
        let tree = k3s(&rig, name).tree(&machines).await.unwrap();
        let expected = attributes(&rig, name);
        for same in ["config", "provider_id", "service", "running", "schedulable", "arguments"] {
            assert_eq!(tree[same], expected[same], "{same} of {name}");
        }
        assert_eq!(tree["joined"], "yes");
    }
    config_that_somebody_edits_is_seen_and_put_right(&rig, &machines).await;
    servers_are_upgraded_one_by_one(&rig, &machines).await;
    an_agent_goes(&rig, &machines).await;
    machines.close().await;
}

async fn config_that_somebody_edits_is_seen_and_put_right(rig: &Rig, machines: &Machines) {
    let agent = k3s(rig, "agent-1");
    let added =
        "echo 'node-label: [\"a=b\"]' | sed 's/: .*/:\\n- \"a=b\"/' >>/etc/rancher/k3s/config.yaml";
    rig.shell("agent-1", added).await;
    let config = agent.tree(machines).await.unwrap()["config"].clone();
    assert_eq!(config["node-label"], json!(["a=b"]));
    let config = attributes(rig, "agent-1")["config"].clone();
    // What boma never set goes only where it is told to.
    let mut wanted = json!({"config": config});
    wanted["config"]["node-label"] = Json::Null;
    agent.act(machines, Operation::Update, wanted).await.unwrap();
    agent.act(machines, Operation::Restart, json!({})).await.unwrap();
    agent.becomes(machines, json!({"config": config, "ready": "yes", "running": "current"})).await;
    rig.shell("agent-1", "systemctl stop k3s-agent").await;
    agent.becomes(machines, json!({"service": "inactive"})).await;
    agent.act(machines, Operation::Start, json!({})).await.unwrap();
    agent.becomes(machines, json!({"service": "active", "ready": "yes"})).await;
}

async fn servers_are_upgraded_one_by_one(rig: &Rig, machines: &Machines) {
    for name in SERVERS {
        let server = k3s(rig, name);
        server.act(machines, Operation::EtcdSnapshot, json!({})).await.unwrap();
        server.act(machines, Operation::Update, json!({"version": NEW})).await.unwrap();
        server.becomes(machines, json!({"version": NEW, "running": "stale"})).await;
        server.act(machines, Operation::Restart, json!({})).await.unwrap();
        server.becomes(machines, json!({"ready": "yes", "running": "current"})).await;
    }
    let mut outages = outages(rig, &SERVERS).await;
    assert_eq!(outages.len(), SERVERS.len(), "{outages:?}");
    outages.sort_by(|one, other| one.0.total_cmp(&other.0));
    for pair in outages.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "two servers were down at once: {pair:?}");
    }
}

/// When each of these hosts had no k3s: from, to, name.
pub async fn outages<'a>(rig: &Rig, names: &[&'a str]) -> Vec<(f64, f64, &'a str)> {
    let mut outages = Vec::new();
    for name in names {
        let log = rig.shell(name, "cat /var/log/k3s-stand-in.jsonl").await;
        outages.extend(down_times(&log).into_iter().map(|(from, to)| (from, to, *name)));
    }
    outages
}

/// From each stop to the next readiness, in seconds since 1970.
fn down_times(log: &str) -> Vec<(f64, f64)> {
    let mut stopped = None;
    let mut times = Vec::new();
    for line in log.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        let at = line["at"].as_f64().unwrap();
        match line["event"].as_str().unwrap() {
            "stop" => stopped = Some(at),
            "ready" => times.extend(stopped.take().map(|from| (from, at))),
            _ => {}
        }
    }
    times
}

async fn an_agent_goes(rig: &Rig, machines: &Machines) {
    let agent = k3s(rig, "agent-2");
    for operation in [Operation::Drain, Operation::Expel, Operation::Delete] {
        agent.act(machines, operation, json!({})).await.unwrap();
    }
    assert!(matches!(agent.read(machines).await, Reading::Absent));
    let nodes = rig.shell("server-1", "k3s kubectl get nodes -o json").await;
    assert!(!nodes.contains("\"agent-2\""), "{nodes}");
    let ours = "find /usr/local /etc /var/lib -name '*k3s*'";
    assert_eq!(rig.shell("agent-2", ours).await, "");
}
