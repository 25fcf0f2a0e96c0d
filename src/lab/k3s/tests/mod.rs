//! Whole stories of clusters, and every refusal.

mod commands;
mod starts;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::effect::ClusterEffect;
use super::start::{Refused, Role, Start, Started, start};
use super::*;
use crate::lab::kubernetes::settle;
use crate::lab::vsphere::World;

const SEED: u64 = 7;
const V35: &str = "v1.35.9+k3s1";

/// Clusters and hosts: what lies in data directories, and who cannot be reached.
#[derive(Default)]
struct Site {
    clusters: Clusters,
    data: BTreeMap<String, String>,
    cut: RefCell<BTreeSet<String>>,
    now_ms: u64,
}

/// One host's start, as a test changes it.
#[derive(Clone)]
struct Host {
    name: String,
    address: String,
    role: Role,
    version: String,
    arguments: BTreeMap<String, Vec<String>>,
    password: String,
}

impl Host {
    fn new(name: &str, role: Role, arguments: &[(&str, &str)]) -> Self {
        let last: u32 = name.bytes().map(u32::from).sum::<u32>() % 200;
        let mut host = Self {
            name: name.to_owned(),
            address: format!("10.20.0.{last}"),
            role,
            version: V35.to_owned(),
            arguments: BTreeMap::new(),
            password: format!("password of {name}"),
        };
        arguments.iter().for_each(|(key, value)| host.set(key, value));
        host
    }

    fn first() -> Self {
        Self::new(
            "server-1",
            Role::Server,
            &[("cluster-init", "true"), ("token", "s"), ("agent-token", "a")],
        )
    }

    fn server(name: &str, to: &Host) -> Self {
        let url = format!("https://{}:6443", to.address);
        Self::new(name, Role::Server, &[("server", &url), ("token", "s"), ("agent-token", "a")])
    }

    fn agent(name: &str, to: &Host) -> Self {
        let url = format!("https://{}:6443", to.address);
        Self::new(name, Role::Agent, &[("server", &url), ("token", "a")])
    }

    fn set(&mut self, key: &str, value: &str) {
        self.arguments.insert(key.to_owned(), vec![value.to_owned()]);
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        self.set(key, value);
        self
    }
}

impl Site {
    /// Three servers and two agents, all settled.
    fn standing() -> (Self, [Host; 3], [Host; 2]) {
        let mut site = Self { now_ms: 1_795_380_375_000, ..Self::default() };
        let first = Host::first();
        let servers =
            [first.clone(), Host::server("server-2", &first), Host::server("server-3", &first)];
        let agents = [Host::agent("agent-1", &first), Host::agent("agent-2", &first)];
        for host in servers.iter().chain(&agents) {
            site.up(host);
        }
        (site, servers, agents)
    }

    fn try_start(&mut self, host: &Host) -> Result<Started, Refused> {
        let cut = self.cut.borrow().clone();
        let can_reach = |address: &str| !cut.contains(address);
        let outcome = start(
            &self.clusters,
            &Start {
                host: &host.name,
                hostname: &host.name,
                address: &host.address,
                machine_uuid: "4200AAAA-0000-4000-A000-000000000001",
                machine_id: "0123456789abcdef0123456789abcdef",
                role: host.role,
                docker: None,
                version: &host.version,
                arguments: &host.arguments,
                data: self.data.get(&host.name).map(String::as_str),
                node_password: &host.password,
                can_reach: &can_reach,
                now_ms: self.now_ms,
            },
            SEED,
        );
        match &outcome {
            Ok(started) => {
                self.apply(&started.effects);
                self.data.insert(host.name.clone(), started.data.clone());
            }
            Err(refused) => self.apply(&refused.effects),
        }
        outcome
    }

    /// Starts a host that must come up, and waits until it is settled.
    fn up(&mut self, host: &Host) {
        self.try_start(host).unwrap_or_else(|refused| panic!("{}: {refused:?}", host.name));
        self.now_ms += 1000;
    }

    /// Starts a host that must not; the journal must say so.
    fn refuse(&mut self, host: &Host, says: &str) -> Refused {
        let refused = self.try_start(host).map(|_| ()).unwrap_err();
        assert!(refused.journal.join("\n").contains(says), "{:?} lacks {says}", refused.journal);
        refused
    }

    fn stop(&mut self, name: &str) {
        let effects = stopped(&self.clusters, name, self.now_ms);
        self.apply(&effects);
    }

    fn apply(&mut self, effects: &[ClusterEffect]) {
        for effect in effects {
            let text = serde_json::to_string(effect).unwrap();
            self.clusters.apply(&serde_json::from_str(&text).unwrap());
        }
        self.settle();
    }

    /// Lets everything that moves by itself come to rest.
    fn settle(&mut self) {
        let ids: Vec<String> = self.clusters.all.keys().cloned().collect();
        for id in ids {
            let mut cluster = self.clusters.all.remove(&id).unwrap();
            // Time has passed.
            cluster.unsettled.everywhere = true;
            let none = crate::lab::kubernetes::Site::default();
            let settled = settle(cluster, &World::empty(SEED), &none, self.now_ms);
            self.clusters.all.insert(id, settled.cluster);
        }
    }

    fn cluster(&self) -> String {
        self.clusters.all.keys().next().unwrap().clone()
    }

    fn kubectl(&mut self, line: &str) -> Reply {
        self.settle();
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let reply = kubectl(&self.clusters, &self.cluster(), &words, self.now_ms);
        self.apply(&reply.effects);
        reply
    }

    fn k3s(&mut self, line: &str) -> Reply {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let reply = k3s(&self.clusters, &self.cluster(), &words, self.now_ms);
        self.apply(&reply.effects);
        reply
    }

    fn node(&mut self, name: &str) -> Value {
        serde_json::from_str(&self.kubectl(&format!("get node {name} -o json")).stdout).unwrap()
    }

    fn status(&self) -> ClusterStatus {
        status(&self.clusters, self.now_ms).remove(0)
    }
}

#[track_caller]
fn check(reply: &Reply, status: i32, stdout: &str, stderr: &str) {
    assert_eq!(
        (reply.status, reply.stdout.as_str(), reply.stderr.as_str()),
        (status, stdout, stderr)
    );
}
