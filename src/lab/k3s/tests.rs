//! Whole stories of clusters, and every refusal.

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

#[test]
fn a_cluster_forms_and_says_what_real_ones_say() {
    let (mut site, servers, _) = Site::standing();
    let status = site.status();
    assert!(status.nodes.iter().all(|node| node.ready) && status.nodes.len() == 5, "{status:?}");
    assert_eq!(status.nodes.iter().filter(|node| node.member == "voter").count(), 3);
    let node = site.node("server-2");
    let labels = &node["metadata"]["labels"];
    assert_eq!(labels["node-role.kubernetes.io/control-plane"], "true");
    assert_eq!(labels["node-role.kubernetes.io/etcd"], "true");
    assert_eq!(labels["node-role.kubernetes.io/master"], Value::Null);
    let notes = &node["metadata"]["annotations"];
    assert_eq!(notes["etcd.k3s.cattle.io/node-address"], servers[1].address.as_str());
    assert!(notes["k3s.io/node-args"].as_str().unwrap().contains("\"--token\",\"********\""));
    assert_eq!(node["status"]["nodeInfo"]["kubeletVersion"], V35);
    assert_eq!(node["status"]["nodeInfo"]["systemUUID"], "4200aaaa-0000-4000-a000-000000000001");
    check(&site.kubectl("get --raw /readyz"), 0, "ok", "");
    assert!(!format!("{:?}", site.clusters).contains("Hidden"));
}

#[test]
fn older_servers_carry_the_master_label() {
    let mut site = Site::default();
    site.up(&Host { version: "v1.25.14+k3s1".to_owned(), ..Host::first() });
    assert_eq!(
        site.node("server-1")["metadata"]["labels"]["node-role.kubernetes.io/master"],
        "true"
    );
}

#[test]
fn the_same_inputs_give_the_same_cluster() {
    let texts = [0, 1].map(|_| serde_json::to_string(&Site::standing().0.clusters).unwrap());
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn a_second_cluster_init_makes_a_second_cluster() {
    let (mut site, servers, _) = Site::standing();
    site.up(&Host {
        name: "server-9".to_owned(),
        address: "10.20.0.9".to_owned(),
        ..servers[0].clone()
    });
    assert_eq!(site.clusters.all.len(), 2);
}

#[test]
fn cluster_init_and_server_mean_nothing_to_a_server_with_data() {
    let (mut site, servers, _) = Site::standing();
    site.up(&servers[0]);
    site.up(&servers[1].clone().with("server", "https://10.99.0.1:6443"));
    assert_eq!(site.clusters.all.len(), 1);
    assert_eq!(site.status().nodes.len(), 5);
}

#[test]
fn a_join_needs_a_server_that_answers() {
    let (mut site, servers, _) = Site::standing();
    let new = Host::server("server-4", &servers[0]);
    let away = new.clone().with("server", "https://10.20.9.9:6443");
    assert!(site.refuse(&away, "connection refused").retries);
    site.cut.borrow_mut().insert(servers[0].address.clone());
    assert!(site.refuse(&new, "i/o timeout").retries);
    site.cut.borrow_mut().clear();
    site.refuse(
        &new.clone().with("server", "10.20.0.1:6443"),
        "Initial server URL host is not defined",
    );
}

#[test]
fn a_virtual_address_leads_to_any_server_that_has_it_as_tls_san() {
    let (mut site, servers, _) = Site::standing();
    site.up(&servers[1].clone().with("tls-san", "api.example.org"));
    let agent = Host::agent("agent-3", &servers[0]).with("server", "https://api.example.org:6443");
    site.up(&agent);
}

#[test]
fn tokens_let_in_whom_they_name() {
    let (mut site, servers, _) = Site::standing();
    let hash = site.status().ca_hash;
    let other = "0".repeat(64);
    let server = Host::server("server-4", &servers[0]);
    let agent = Host::agent("agent-3", &servers[0]);
    site.refuse(
        &server.clone().with("token", "wrong"),
        "/v1-k3s/server-bootstrap: 401 Unauthorized",
    );
    site.refuse(&server.clone().with("token", "a"), "/v1-k3s/server-bootstrap: 403 Forbidden");
    let foreign = format!("K10{other}::server:s");
    let says = "token CA hash does not match the Cluster CA certificate hash";
    site.refuse(&server.clone().with("token", &foreign), says);
    site.refuse(&agent.clone().with("token", &foreign), says);
    site.refuse(&agent.clone().with("token", "wrong"), "401 Unauthorized");
    site.refuse(&server.clone().with("token", "K10short::server:s"), "invalid token format");
    site.refuse(&server.clone().with("token", ""), "--token is required");
    let created = site.k3s("token create").stdout;
    site.up(&agent.clone().with("token", &format!("K10{hash}::node:a")));
    site.up(&Host::agent("agent-4", &servers[0]).with("token", "s"));
    site.up(&Host::agent("agent-5", &servers[0]).with("token", created.trim()));
    site.up(&server.with("token", &format!("K10{hash}::server:s")));
    let mut fresh = Site::default();
    fresh.refuse(&Host::first().with("token", &foreign), "failed to normalize server token");
}

#[test]
fn critical_flags_are_the_first_servers() {
    let (mut site, servers, _) = Site::standing();
    let new = Host::server("server-4", &servers[0]).with("cluster-cidr", "10.50.0.0/16");
    let refused = site.refuse(&new, "critical configuration value mismatch between servers");
    assert!(refused.journal[0].contains("critical configuration mismatched: cluster-cidr"));
    let changed = servers[1].clone().with("disable", "servicelb");
    site.refuse(&changed, "mismatched: disable=servicelb");
    for host in &servers {
        site.stop(&host.name);
    }
    let all = servers.map(|host| host.with("disable-cloud-controller", "true"));
    site.refuse(&all[0], "Waiting for etcd server to become available");
    site.up(&all[1]);
    site.up(&all[0]);
    site.up(&all[2]);
    assert!(site.status().answers);
}

#[test]
fn names_belong_to_whoever_has_the_password() {
    let (mut site, servers, agents) = Site::standing();
    let rebuilt = Host { password: "another".to_owned(), ..agents[0].clone() };
    site.data.remove("agent-1");
    site.stop("agent-1");
    site.refuse(&rebuilt, "Node password rejected, duplicate hostname");
    check(&site.kubectl("delete node agent-1"), 0, "node \"agent-1\" deleted\n", "");
    site.up(&rebuilt);
    site.stop("server-3");
    site.data.remove("server-3");
    site.refuse(&servers[2], "duplicate node name found");
    site.kubectl("delete node server-3");
    site.up(&servers[2]);
    site.refuse(&Host { name: "no_name".to_owned(), ..Host::agent("x", &servers[0]) }, "RFC 1123");
}

#[test]
fn etcd_takes_one_member_at_a_time_and_only_when_healthy() {
    let mut site = Site::default();
    let first = Host::first();
    site.up(&first);
    site.try_start(&Host::server("server-2", &first)).unwrap();
    let says = "too many learner members";
    assert!(site.refuse(&Host::server("server-3", &first), says).retries);
    assert_eq!(site.node("server-2")["status"]["conditions"][0]["status"], "False");
    site.now_ms += 1000;
    assert_eq!(site.node("server-2")["status"]["conditions"][0]["status"], "True");
    site.up(&Host::server("server-3", &first));
    site.stop("server-2");
    site.refuse(&Host::server("server-4", &first), "unhealthy cluster");
}

#[test]
fn a_first_server_without_cluster_init_has_nothing_to_join() {
    let mut site = Site::default();
    let first = Host::new("server-1", Role::Server, &[("token", "s"), ("agent-token", "a")]);
    site.up(&first);
    site.refuse(&Host::server("server-2", &first), "server-bootstrap: 401 Unauthorized");
    site.up(&Host::agent("agent-1", &first));
    site.up(&first.clone().with("cluster-init", "true"));
    site.up(&Host::server("server-2", &first));
}

#[test]
fn a_removed_member_must_be_wiped() {
    let (mut site, servers, _) = Site::standing();
    site.kubectl("delete node server-2");
    assert!(!runs(&site.clusters, "server-2") && runs(&site.clusters, "server-1"));
    site.refuse(&servers[1], "permanently removed from the cluster");
    site.data.remove("server-2");
    site.up(&servers[1]);
    let reply = site.kubectl("annotate node server-2 etcd.k3s.cattle.io/remove=true");
    assert_eq!(reply.status, 0);
    assert!(!runs(&site.clusters, "server-2"));
}

#[test]
fn a_provider_id_stays() {
    let (mut site, servers, agents) = Site::standing();
    let id = |text: &str| agents[0].clone().with("kubelet-arg", &format!("provider-id={text}"));
    site.up(&id("vsphere://one"));
    site.refuse(&id("vsphere://two"), "node updates may not change providerID");
    assert_eq!(site.node("agent-1")["spec"]["providerID"], "vsphere://one");
    site.kubectl("delete node agent-1");
    site.up(&id("vsphere://two"));
    let mut external = Host::agent("agent-3", &servers[0]);
    external.arguments.insert(
        "kubelet-arg".to_owned(),
        vec!["cloud-provider=external".to_owned(), "provider-id=vsphere://3".to_owned()],
    );
    site.up(&external);
    let taint = &site.node("agent-3")["spec"]["taints"][0];
    assert_eq!(taint["key"], super::node::UNINITIALIZED);
}

#[test]
fn without_a_quorum_nobody_answers() {
    let (mut site, servers, agents) = Site::standing();
    site.stop("server-2");
    assert!(site.status().answers);
    site.stop("server-3");
    let reply = site.kubectl("get nodes -o json");
    assert_eq!((reply.status, reply.took_ms), (1, 60_000));
    let (code, _) =
        https(&site.clusters, &site.cluster(), "/v1-k3s/readyz", Some(("node", "a")), site.now_ms);
    assert_eq!(code, 503);
    site.refuse(&agents[0], "503 Service Unavailable");
    site.refuse(&Host::server("server-4", &servers[0]), "503 Service Unavailable");
    assert_eq!(site.status().together_down[0].servers, ["server-2", "server-3"]);
    site.stop("server-1");
    assert!(site.kubectl("get nodes").stderr.contains("was refused"));
    site.refuse(&servers[2], "Waiting for etcd server");
    site.up(&servers[0]);
    site.up(&servers[2]);
    assert!(site.status().answers);
}

#[test]
fn a_token_of_another_time_does_not_open_the_data() {
    let (mut site, servers, _) = Site::standing();
    let says = "bootstrap data already found and encrypted with different token";
    site.refuse(&servers[0].clone().with("token", "other"), says);
    site.up(&servers[0]);
}

#[test]
fn versions_go_up_only() {
    let (mut site, servers, agents) = Site::standing();
    let at = |host: &Host, version: &str| Host { version: version.to_owned(), ..host.clone() };
    site.refuse(&at(&servers[0], "v1.34.9+k3s1"), "cluster cannot be downgraded");
    site.up(&at(&servers[0], "v1.37.0+k3s1"));
    assert_eq!(site.node("server-1")["status"]["nodeInfo"]["kubeletVersion"], "v1.37.0+k3s1");
    site.up(&at(&agents[0], "v1.36.1+k3s1"));
    let status = site.status();
    assert_eq!(status.skipped_minors.len(), 1);
    assert!(
        status.history.iter().any(|line| line.contains("agent-1 Skew")),
        "{:?}",
        status.history
    );
}

#[test]
fn restarts_show_new_arguments_and_are_counted() {
    let (mut site, _, agents) = Site::standing();
    let before = site.node("agent-1");
    site.kubectl("cordon agent-1");
    site.kubectl("drain agent-1 --ignore-daemonsets --delete-emptydir-data --timeout=60s");
    site.up(&agents[0].clone().with("node-label", "zone=a"));
    let after = site.node("agent-1");
    let hash = |node: &Value| node["metadata"]["annotations"]["k3s.io/node-config-hash"].clone();
    assert_ne!(hash(&before), hash(&after));
    assert_eq!(after["metadata"]["labels"]["zone"], "a");
    assert_eq!(after["spec"]["unschedulable"], true);
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    site.up(&agents[1]);
    let drained: Vec<bool> = site.status().restarts.iter().map(Restarted::was_drained).collect();
    assert_eq!(drained, [true, false]);
}

#[test]
fn an_agent_needs_docker_where_it_is_told_to_use_it() {
    let (mut site, servers, _) = Site::standing();
    let agent = Host::agent("agent-3", &servers[0]).with("docker", "true");
    site.refuse(&agent, "Cannot connect to the Docker daemon");
}

#[test]
fn an_agent_that_has_data_knows_the_other_servers() {
    let (mut site, servers, agents) = Site::standing();
    site.stop("server-1");
    site.up(&agents[0]);
    site.refuse(&Host::agent("agent-3", &servers[0]), "failed to get CA certs");
    site.refuse(&Host::new("agent-4", Role::Agent, &[("token", "a")]), "--server is required");
}

#[test]
fn arguments_that_are_none_are_refused() {
    let mut site = Site::default();
    let refuse = |site: &mut Site, key: &str, value: &str, says: &str| {
        assert!(!site.refuse(&Host::first().with(key, value), says).retries);
    };
    refuse(
        &mut site,
        "server https://a:6443",
        "true",
        "flag provided but not defined: -server https",
    );
    refuse(&mut site, "cluster-cidr", "10.42.0.0", "invalid CIDR address: 10.42.0.0");
    refuse(&mut site, "node-ip", "host", "invalid ip format 'host'");
}

#[test]
fn cordon_and_drain_speak_as_kubectl_does() {
    let (mut site, _, _) = Site::standing();
    check(&site.kubectl("cordon agent-1"), 0, "node/agent-1 cordoned\n", "");
    check(&site.kubectl("cordon agent-1"), 0, "node/agent-1 already cordoned\n", "");
    check(&site.kubectl("uncordon agent-1"), 0, "node/agent-1 uncordoned\n", "");
    let missing = "Error from server (NotFound): nodes \"agent-9\" not found\n";
    check(&site.kubectl("cordon agent-9"), 1, "", missing);
    let refused = site.kubectl("drain agent-1");
    assert_eq!((refused.status, refused.stdout.as_str()), (1, "node/agent-1 cordoned\n"));
    assert!(
        refused.stderr.contains("(use --ignore-daemonsets to ignore): kube-system/svclb-traefik")
    );
    assert!(refused.stderr.contains("(use --delete-emptydir-data to override): lab/cache-"));
    assert!(refused.stderr.contains("There are pending nodes to be drained:\n agent-1\n"));
    let done = site.kubectl("drain agent-1 --ignore-daemonsets --delete-emptydir-data");
    assert!(done.status == 0 && done.stdout.ends_with("node/agent-1 drained\n"), "{done:?}");
    assert!(done.stderr.starts_with("Warning: ignoring DaemonSet-managed Pods: kube-system/"));
    let pods = |site: &Site, name: &str| {
        site.status().nodes.iter().find(|node| node.name == name).unwrap().pods
    };
    assert_eq!((pods(&site, "agent-1"), pods(&site, "agent-2")), (0, 4));
    site.kubectl("drain agent-2 --ignore-daemonsets --delete-emptydir-data");
    assert_eq!((pods(&site, "agent-1"), pods(&site, "agent-2")), (0, 0));
    site.kubectl("uncordon agent-1");
    assert_eq!(pods(&site, "agent-1"), 4);
}

#[test]
fn a_stuck_pod_makes_a_drain_time_out() {
    let (mut site, _, _) = Site::standing();
    let cluster = site.cluster();
    let effects = stick_pod(&site.clusters, &cluster, "agent-1", site.now_ms);
    site.apply(&effects);
    let line = "drain agent-1 --ignore-daemonsets --delete-emptydir-data --timeout=90s";
    let reply = site.kubectl(line);
    assert_eq!((reply.status, reply.took_ms), (1, 90_000));
    assert!(
        reply.stderr.contains("Cannot evict pod as it would violate the pod's disruption budget.")
    );
    assert!(reply.stderr.contains("global timeout reached: 1m30s"));
    let effects = release_pods(&site.clusters, &cluster);
    site.apply(&effects);
    assert_eq!(site.kubectl(line).status, 0);
    site.stop("agent-2");
    let dead =
        site.kubectl("drain agent-2 --ignore-daemonsets --delete-emptydir-data --timeout=5s");
    assert!(dead.status == 1 && dead.stderr.contains("to terminate: global timeout reached: 5s"));
}

#[test]
fn edits_speak_as_kubectl_does() {
    let (mut site, _, _) = Site::standing();
    let annotated = "node/agent-1 annotated\n";
    check(&site.kubectl("annotate node agent-1 boma.dev/cordoned=x"), 0, annotated, "");
    let reply = site.kubectl("annotate node agent-1 boma.dev/cordoned=y");
    assert!(reply.status == 1 && reply.stderr.contains("already has a value (x)"));
    check(&site.kubectl("annotate --overwrite node/agent-1 boma.dev/cordoned=y"), 0, annotated, "");
    check(&site.kubectl("annotate node agent-1 boma.dev/cordoned-"), 0, annotated, "");
    assert!(site.node("agent-1")["metadata"]["annotations"].get("boma.dev/cordoned").is_none());
    check(&site.kubectl("label node agent-1 zone=a"), 0, "node/agent-1 labeled\n", "");
    check(&site.kubectl("label node agent-1 zone=a"), 0, "node/agent-1 not labeled\n", "");
    let refused = "error: 'zone' already has a value (a), and --overwrite is false\n";
    check(&site.kubectl("label node agent-1 zone=b"), 1, "", refused);
    check(&site.kubectl("label node agent-1 zone-"), 0, "node/agent-1 unlabeled\n", "");
    check(&site.kubectl("taint node agent-1 k=v:NoSchedule"), 0, "node/agent-1 tainted\n", "");
    assert_eq!(site.kubectl("taint node agent-1 k=w:NoSchedule").status, 1);
    check(&site.kubectl("taint node agent-1 k:NoSchedule-"), 0, "node/agent-1 untainted\n", "");
    check(&site.kubectl("taint node agent-1 k-"), 1, "", "error: taint \"k\" not found\n");
    check(
        &site.kubectl("taint node agent-1 k=v:Never"),
        1,
        "",
        "error: invalid taint spec: k=v:Never\n",
    );
}

#[test]
fn deleting_a_node_takes_member_and_password_with_it() {
    let (mut site, _, _) = Site::standing();
    let missing = "Error from server (NotFound): nodes \"x\" not found\n";
    check(&site.kubectl("delete node x"), 1, "", missing);
    check(&site.kubectl("delete node x --ignore-not-found"), 0, "", "");
    site.kubectl("delete node agent-1");
    assert!(runs(&site.clusters, "agent-1"), "its kubelet runs on, unregistered");
    assert_eq!(site.kubectl("get node agent-1").status, 1);
    site.stop("agent-1");
    assert!(!runs(&site.clusters, "agent-1"));
    site.stop("server-3");
    site.kubectl("delete node server-3");
    assert_eq!(site.status().nodes.len(), 3);
    site.kubectl("delete node server-2");
    let last = site.kubectl("delete node server-1 --timeout=10s");
    assert_eq!((last.status, last.took_ms), (1, 10_000));
}

#[test]
fn what_kubectl_does_not_know_it_refuses() {
    let (mut site, _, _) = Site::standing();
    check(&site.kubectl("frob"), 1, "", "error: unknown command \"frob\" for \"kubectl\"\n");
    let kind = "error: the server doesn't have a resource type \"frobs\"\n";
    check(&site.kubectl("get frobs"), 1, "", kind);
    let flag = "error: unknown flag: --frob\nSee 'kubectl get --help' for usage.\n";
    check(&site.kubectl("get nodes --frob"), 1, "", flag);
    assert!(site.kubectl("get nodes -x").stderr.contains("unknown shorthand flag: 'x' in -x"));
    assert!(site.kubectl("drain agent-1 --timeout=soon").stderr.contains("invalid duration"));
    for odd in [
        "",
        "get",
        "drain",
        "delete",
        "delete node",
        "annotate",
        "label node",
        "taint",
        "get -o",
        "get nodes -ojson",
        "cordon - -- ü",
        "get --raw",
        "annotate node agent-1 =",
        "taint node agent-1 -",
    ] {
        let _ = site.kubectl(odd);
    }
    assert!(site.kubectl("get nodes").stdout.starts_with("NAME"));
    assert!(site.kubectl("version").stdout.contains("Server Version: v1.35.9+k3s1"));
    let pods: Value = serde_json::from_str(&site.kubectl("get pods -A -o json").stdout).unwrap();
    assert_eq!(pods["items"].as_array().unwrap().len(), 13);
}

#[test]
fn k3s_saves_snapshots_and_changes_tokens() {
    let (mut site, servers, agents) = Site::standing();
    let reply = site.k3s("etcd-snapshot save --name before-upgrade");
    assert!(reply.status == 0 && reply.stderr.contains("Snapshot before-upgrade-server-1-"));
    assert_eq!(site.k3s("etcd-snapshot ls").stdout.lines().count(), 2);
    assert_eq!(site.k3s("token rotate --token wrong --new-token n").status, 1);
    let reply = site.k3s("token rotate --token s --new-token n");
    assert!(reply.stdout.contains("Token rotated"), "{reply:?}");
    site.refuse(&servers[0], "encrypted with different token");
    site.refuse(&Host::server("server-4", &servers[1]), "401 Unauthorized");
    site.up(&servers[0].clone().with("token", "n"));
    site.up(&agents[0]);
    site.up(&Host::server("server-4", &servers[1]).with("token", "n"));
    assert!(version_text(V35).starts_with("k3s version v1.35.9+k3s1 ("));
    assert_eq!(site.k3s("check-config").status, 0);
    assert_eq!(site.k3s("frob").status, 3);
}

#[test]
fn a_server_answers_strangers_little() {
    let (site, _, _) = Site::standing();
    let ask = |path: &str, auth| https(&site.clusters, &site.cluster(), path, auth, site.now_ms);
    assert_eq!(ask("/ping", None), (200, "pong".to_owned()));
    assert_eq!(super::ids::sha256(&ask("/cacerts", None).1), site.status().ca_hash);
    assert_eq!(ask("/v1-k3s/readyz", Some(("node", "a"))).0, 200);
    assert_eq!(ask("/v1-k3s/readyz", Some(("server", "s"))).0, 200);
    assert_eq!(ask("/v1-k3s/readyz", Some(("node", "wrong"))).0, 401);
    assert_eq!(ask("/v1-k3s/readyz", None).0, 401);
    assert_eq!(ask("/api/v1/nodes", None).0, 401);
}

#[test]
fn the_token_is_changed_over_https_by_whoever_has_it() {
    let (mut site, servers, _) = Site::standing();
    let put = |site: &Site, auth, body: &str| {
        put_token(&site.clusters, &site.cluster(), auth, body, site.now_ms)
    };
    let body = r#"{"newToken": "n"}"#;
    assert_eq!(put(&site, None, body).0, 401);
    assert_eq!(put(&site, Some(("server", "wrong")), body).0, 401);
    assert_eq!(put(&site, Some(("node", "a")), body).0, 403);
    assert_eq!(put(&site, Some(("server", "s")), "{").0, 400);
    let (status, _, effects) = put(&site, Some(("server", "s")), body);
    assert_eq!(status, 200);
    site.apply(&effects);
    site.refuse(&servers[0], "encrypted with different token");
    site.up(&servers[0].clone().with("token", "n"));
}
