//! Which starts of k3s come to what.

use super::*;

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
