//! Steps against a machine that answers as told: what it is asked, in which order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};

use super::cluster::tests::{answer, node};
use super::{Candidate, Machines};
use crate::plan::{Operation, Step};
use crate::provider::host::scripted::{Answer, Scripted, is_probe, ok, probe_answer, target};
use crate::provider::kubernetes::Access;
use crate::provider::{Inputs, Provider, ProviderError, Retry, Run, Wanted};
use crate::resource::{
    Address, Attributes, Condition, Endpoint, Identity, Kind, KindFacts, Layer, Lifecycle, Locator,
    Mark, Reading,
};

const CA: &str = "-----BEGIN CERTIFICATE-----\nCA\n-----END CERTIFICATE-----\n";

struct Quiet;

impl Run for Quiet {
    fn note(&self, _: Json) -> Result<(), ProviderError> {
        Ok(())
    }

    fn progress(&self, _: &str) {}

    fn stopping(&self) -> bool {
        false
    }
}

fn kind(name: &'static str) -> Kind {
    Kind::new(Box::leak(Box::new(KindFacts {
        name,
        layer: Layer::Hosts,
        fields: &[],
        holds_data: false,
        identity: Identity::Mark,
        lifecycle: Lifecycle::Plain,
        freed_first: false,
        ready: Condition::Exists,
        deletable: Condition::Exists,
        deadline_s: 60,
        weight_s: 1,
    })))
}

fn wanted(name: &'static str, machine: &str) -> Wanted {
    let address = Address::of(name, machine);
    let role = if machine.starts_with("server") { "server" } else { "agent" };
    let place = json!({"machine": machine, "address": "127.0.0.1", "role": role});
    let mark = Mark { lineage: "lineage-1".into(), address: address.clone() };
    let locator =
        Locator { place: Attributes::new(&place), mark: Some(mark), ..Locator::default() };
    Wanted { address, kind: kind(name), locator }
}

fn machines(server: &Scripted) -> Machines {
    let hosts = server.hosts(&["server-1", "server-2", "agent-1"]);
    Machines::new(hosts, Arc::new(|| 1_795_380_374), vec![target("server-1"), target("server-2")])
}

async fn act(
    machines: &Machines,
    wanted: &Wanted,
    operation: Operation,
    attributes: Json,
) -> Result<Reading, ProviderError> {
    let step = Step {
        address: wanted.address.clone(),
        kind: wanted.kind,
        endpoint: Endpoint::named("host/x"),
        operation,
        fields: Vec::new(),
        guard: None,
        guard_s: 0,
        done: Condition::Exists,
        deadline_s: 60,
    };
    let (locator, mark) = (wanted.locator.clone(), wanted.locator.mark.clone());
    let inputs = Inputs { attributes, generated: Vec::new(), object: None, locator, mark };
    machines.act(&step, &inputs, &Quiet).await
}

/// The words of commands without the temporary names that files are written to.
fn short(lines: &[String]) -> Vec<String> {
    let renames = lines.iter().filter(|line| !line.starts_with("install "));
    let short = renames.map(|line| match line.strip_prefix("mv -fT ") {
        Some(paths) => format!("write {}", paths.split(' ').nth(1).unwrap()),
        None => line.clone(),
    });
    short.collect()
}

fn has_no_secret(server: &Scripted) {
    assert!(!server.lines().concat().contains("s3cret"), "{:?}", server.lines());
}

fn installing(line: &str) -> Answer {
    let hash = "a".repeat(64);
    match line {
        line if is_probe(line) => probe_answer(&[
            ("machine-id", "id-1\n"),
            ("kernel", "5.15 x86_64\n"),
            ("hostname", "server-1\n"),
        ]),
        line if line.ends_with("sha256sum-amd64.txt") => ok(&format!("{hash}  k3s\n")),
        "sha256sum /usr/local/bin/.k3s.boma-new" => ok(&format!("{hash}  x\n")),
        "sha256sum /usr/local/bin/k3s" => (1, String::new(), "No such file or directory".into()),
        "/usr/local/bin/.k3s.boma-new --version" => ok("k3s version v1.35.9+k3s1 (abc)\n"),
        _ => ok(""),
    }
}

#[tokio::test]
async fn a_server_is_installed_and_not_started() {
    let server = Scripted::start(installing).await;
    let attributes = json!({"version": "v1.35.9+k3s1", "config": {"docker": true}, "token": "s3cret", "provider_id": "vsphere://42"});
    let wanted = wanted("k3s/server", "server-1");
    act(&machines(&server), &wanted, Operation::Create, attributes).await.unwrap();
    let base = "https://github.com/k3s-io/k3s/releases/download/v1.35.9%2Bk3s1";
    let expected = [
        "boma-probe".to_owned(),
        "write /etc/boma/k3s-server.json".into(),
        "write /etc/rancher/k3s/token".into(),
        "write /etc/rancher/k3s/config.yaml".into(),
        format!("curl -fsSL --proto '=https' {base}/sha256sum-amd64.txt"),
        "sha256sum /usr/local/bin/k3s".into(),
        format!("curl -fsSL --proto '=https' --retry 3 -o /usr/local/bin/.k3s.boma-new {base}/k3s"),
        "sha256sum /usr/local/bin/.k3s.boma-new".into(),
        "chmod 0755 /usr/local/bin/.k3s.boma-new".into(),
        "/usr/local/bin/.k3s.boma-new --version".into(),
        "write /usr/local/bin/k3s".into(),
        "ln -sfn k3s /usr/local/bin/kubectl".into(),
        "ln -sfn k3s /usr/local/bin/crictl".into(),
        "write /etc/systemd/system/k3s.service".into(),
        "systemctl daemon-reload".into(),
        "boma-probe".into(),
    ];
    assert_eq!(short(&server.lines()), expected);
    assert!(server.inputs().contains(&"s3cret\n".to_owned()));
    has_no_secret(&server);
}

#[tokio::test]
async fn a_changed_binary_is_never_put_in_place() {
    let changed = |line: &str| match line {
        "sha256sum /usr/local/bin/.k3s.boma-new" => ok(&"b".repeat(64)),
        line => installing(line),
    };
    let server = Scripted::start(changed).await;
    let attributes = json!({"version": "v1.35.9+k3s1"});
    let wanted = wanted("k3s/server", "server-1");
    let outcome = act(&machines(&server), &wanted, Operation::Update, attributes).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.operation, "change k3s/server/server-1");
    assert_eq!(error.retry, Retry::Never);
    let lines = short(&server.lines());
    assert!(lines.contains(&"rm -f /usr/local/bin/.k3s.boma-new".to_owned()), "{lines:?}");
    assert!(!lines.contains(&"write /usr/local/bin/k3s".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn an_adopted_agent_moves_to_files_and_does_not_restart() {
    let unit = "[Service]\nExecStart=/usr/local/bin/k3s \\\n agent \\\n '--docker' \\\n '--token' \\\n 's3cret' \\\n '--server' \\\n 'https://10.20.0.11:6443' \\\n";
    let server = Scripted::start(move |line| match is_probe(line) {
        true => probe_answer(&[
            ("unit-text", unit),
            ("unit-env", "K3S_NODE_NAME=a\nHTTP_PROXY=p\n"),
            ("joined", "yes"),
        ]),
        false => ok(""),
    })
    .await;
    let attributes = json!({"arguments": "config.yaml", "config": {"docker": true}});
    let wanted = wanted("k3s/agent", "agent-1");
    act(&machines(&server), &wanted, Operation::Update, attributes).await.unwrap();
    let expected = [
        "boma-probe",
        "write /etc/boma/k3s-agent.json",
        "write /etc/rancher/k3s/token",
        "write /etc/rancher/k3s/config.yaml.d/50-boma-join.yaml",
        "write /etc/rancher/k3s/config.yaml",
        "write /etc/systemd/system/k3s-agent.service.env",
        "write /etc/systemd/system/k3s-agent.service",
        "systemctl daemon-reload",
        "boma-probe",
    ];
    assert_eq!(short(&server.lines()), expected);
    let inputs = server.inputs();
    let config = "# written by boma: docker\ndocker: true\nnode-name: \"a\"\ntoken-file: \"/etc/rancher/k3s/token\"\n";
    for text in ["s3cret\n", "server: \"https://10.20.0.11:6443\"\n", config, "HTTP_PROXY=p\n"] {
        assert!(inputs.contains(&text.to_owned()), "{text} in {inputs:?}");
    }
    has_no_secret(&server);
}

fn joining(line: &str) -> Answer {
    match line {
        line if is_probe(line) => probe_answer(&[("machine-id", "id-2\n"), ("token", "s3cret\n")]),
        line if line.ends_with("10.20.0.11:6443/ping") => {
            (7, String::new(), "curl: (7) Failed to connect\n".into())
        }
        line if line.ends_with("/ping") => ok("pong"),
        line if line.ends_with("/cacerts") => ok(CA),
        _ => ok(""),
    }
}

#[tokio::test]
async fn an_agent_joins_the_first_server_that_answers() {
    let server = Scripted::start(joining).await;
    let attributes = json!({"servers": ["10.20.0.11", "10.20.0.12"], "token": "s3cret"});
    let wanted = wanted("k3s/agent", "agent-1");
    act(&machines(&server), &wanted, Operation::Join, attributes).await.unwrap();
    let ask = "curl -sSk --max-time 10 https://10.20.0";
    let expected = [
        "boma-probe".to_owned(),
        format!("{ask}.11:6443/ping"),
        format!("{ask}.12:6443/ping"),
        format!("{ask}.12:6443/cacerts"),
        format!("{ask}.12:6443/v1-k3s/readyz -f -K -"),
        "write /etc/rancher/k3s/token".into(),
        "write /etc/rancher/k3s/config.yaml.d/50-boma-join.yaml".into(),
        "systemctl daemon-reload".into(),
        "systemctl enable k3s-agent".into(),
        "systemctl start --no-block k3s-agent".into(),
        "boma-probe".into(),
    ];
    assert_eq!(short(&server.lines()), expected);
    let inputs = server.inputs();
    assert!(inputs.contains(&"user = \"node:s3cret\"\n".to_owned()), "{inputs:?}");
    let bound = format!("K10{}::node:s3cret\n", crate::resource::Digest::of(CA.as_bytes()));
    assert!(inputs.contains(&bound), "{inputs:?}");
    assert!(inputs.contains(&"server: \"https://10.20.0.12:6443\"\n".to_owned()), "{inputs:?}");
    has_no_secret(&server);
}

/// Asks on agent-1 whether it can join, once server-1 was read.
async fn preflight(answers: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Option<Json> {
    let hash = crate::resource::Digest::of(CA.as_bytes());
    let server = Scripted::start(move |line| match line {
        line if is_probe(line) => probe_answer(&[
            ("unit-show", "ActiveState=active\n"),
            ("cacert-hash", &format!("{hash}  server-ca.crt\n")),
        ]),
        line => answers(line),
    })
    .await;
    let machines = machines(&server);
    let attributes = json!({"servers": ["10.20.0.11", "10.20.0.12"], "token": "s3cret"});
    let candidate = || Candidate {
        target: target("agent-1"),
        kind: "k3s/agent",
        attributes: attributes.clone(),
    };
    assert_eq!(machines.preflight(&[candidate()]).await, [None], "no server was seen");
    assert!(server.lines().is_empty());
    machines.read(&[wanted("k3s/server", "server-1")]).await;
    let answer = machines.preflight(&[candidate()]).await.remove(0);
    has_no_secret(&server);
    let writes = |line: &String| line.starts_with("install ") || line.starts_with("mv ");
    assert!(!server.lines().iter().any(writes), "{:?}", server.lines());
    answer
}

#[tokio::test]
async fn who_is_to_join_asks_before_anything_is_written() {
    let ready = json!({"join": "ready", "token_accepted": true});
    assert_eq!(preflight(joining).await, Some(ready));
    let of = |answer: Option<Json>, key: &str| answer.unwrap()[key].clone();
    let silent = |_: &str| (7, String::new(), "curl: (7) Failed to connect\n".into());
    let problem = of(preflight(silent).await, "join_problem");
    assert!(problem.as_str().unwrap().contains("10.20.0.12: curl: (7) Failed to connect"));
    let other = |line: &str| match line.ends_with("/cacerts") {
        true => ok(&CA.replace("\nCA\n", "\nOTHER\n")),
        false => joining(line),
    };
    assert_eq!(of(preflight(other).await, "join"), "another-cluster");
    let refused = preflight(|line| match line.contains("readyz") {
        true => (22, String::new(), "curl: (22) The requested URL returned error: 401\n".into()),
        false => joining(line),
    });
    let refused = refused.await.unwrap();
    assert_eq!(
        (&refused["join"], &refused["token_accepted"]),
        (&json!("token-refused"), &json!(false))
    );
    let starting = preflight(|line| match line.contains("readyz") {
        true => (22, String::new(), "curl: (22) The requested URL returned error: 503\n".into()),
        false => joining(line),
    });
    assert_eq!(of(starting.await, "join"), "not-ready");
}

#[tokio::test]
async fn a_token_that_is_refused_stops_before_anything_starts() {
    let refused = |line: &str| match line.contains("readyz") {
        true => (22, String::new(), "curl: (22) The requested URL returned error: 401\n".into()),
        false => joining(line),
    };
    let server = Scripted::start(refused).await;
    let attributes = json!({"servers": ["10.20.0.12"], "token": "s3cret"});
    let wanted = wanted("k3s/server", "server-2");
    let error = act(&machines(&server), &wanted, Operation::Join, attributes).await.unwrap_err();
    assert_eq!(error.message, "the cluster at 10.20.0.12 does not accept the token");
    assert!(!server.lines().concat().contains("systemctl"));
}

#[tokio::test]
async fn a_node_is_signed_before_it_is_closed() {
    let nodes = answer(&[node("server-1", true, true), node("agent-1", false, true)]);
    let server = Scripted::start(move |line| match line {
        line if is_probe(line) => probe_answer(&[("hostname", "agent-1\n")]),
        line if line.contains("get nodes") => ok(&nodes),
        _ => ok(""),
    })
    .await;
    let wanted = wanted("k3s/agent", "agent-1");
    act(&machines(&server), &wanted, Operation::Drain, json!({})).await.unwrap();
    let expected = [
        "boma-probe",
        "timeout 10 k3s kubectl get nodes -o json",
        "k3s kubectl annotate node agent-1 'boma.dev/cordoned=lineage-1' --overwrite",
        "k3s kubectl cordon agent-1",
        "k3s kubectl drain agent-1 --ignore-daemonsets --delete-emptydir-data '--timeout=60s'",
    ];
    assert_eq!(server.lines()[..5], expected);
}

#[tokio::test]
async fn a_firewall_change_is_confirmed_over_a_new_session() {
    let server = Scripted::start(|line| match line {
        line if is_probe(line) => probe_answer(&[("ufw-added", "Added user rules:\n")]),
        _ => ok(""),
    })
    .await;
    let wanted = wanted("host/firewall", "server-1");
    let attributes = json!({"rules": ["tcp 22 from 10.20.0.5"], "default_deny": true});
    act(&machines(&server), &wanted, Operation::Create, attributes).await.unwrap();
    let lines = short(&server.lines());
    let at = |start: &str| lines.iter().rposition(|line| line.starts_with(start)).unwrap();
    let order = [
        at("write /etc/boma/host-firewall.json"),
        at("cp -aT /etc/ufw "),
        at("systemd-run --unit boma-firewall-revert --on-active 120 -- sh -c "),
        at("ufw allow proto tcp from 10.20.0.5 to any port 22 comment boma"),
        at("ufw default deny incoming"),
        at("ufw --force enable"),
        at("systemctl stop boma-firewall-revert.timer"),
    ];
    assert!(order.is_sorted(), "{lines:?}");
    assert_eq!(server.sessions(), 2);
}

/// Changes the firewall of a node whose lease is renewed as told, and says how that ended.
async fn opened_firewall(
    renewed: impl Fn(usize) -> usize + Send + Sync + 'static,
) -> Result<Reading, ProviderError> {
    let nodes = answer(&[node("server-1", true, true), node("agent-1", false, true)]);
    let asked = AtomicUsize::new(0);
    let server = Scripted::start(move |line| match line {
        line if is_probe(line) => probe_answer(&[
            ("ufw-added", "Added user rules:\n"),
            ("hostname", "agent-1\n"),
            ("joined", "yes"),
            ("unit-show", "ActiveState=active\n"),
        ]),
        line if line.contains("get nodes") => ok(&nodes),
        line if line.contains("get lease agent-1 -n kube-node-lease") => {
            let time = renewed(asked.fetch_add(1, Ordering::Relaxed));
            ok(&json!({"spec": {"renewTime": time.to_string()}}).to_string())
        }
        _ => ok(""),
    })
    .await;
    let machines = machines(&server).with_firewall_revert(Duration::from_secs(4));
    let attributes = json!({"rules": ["tcp 22 from 10.20.0.5"]});
    let outcome =
        act(&machines, &wanted("host/firewall", "agent-1"), Operation::Update, attributes).await;
    let lines = server.lines();
    let confirms = |line: &String| line == "systemctl stop boma-firewall-revert.timer";
    let last = lines.iter().rposition(|line| line.starts_with("ufw allow")).unwrap();
    let confirmed = lines[last..].iter().any(confirms);
    assert_eq!(confirmed, outcome.is_ok(), "{lines:?}");
    outcome
}

#[tokio::test]
async fn a_firewall_change_is_confirmed_once_the_node_was_heard_of() {
    opened_firewall(|asked| asked).await.unwrap();
    let error = opened_firewall(|_| 7).await.unwrap_err();
    assert_eq!(error.message, "with the new rules node agent-1 no longer reports to the cluster");
    assert!(error.help.contains("restores its previous rules by itself"), "{}", error.help);
}

#[tokio::test]
async fn a_host_is_asked_once_and_a_dead_one_stops_no_other() {
    let nodes = answer(&[node("server-1", true, true)]);
    let server = Scripted::start(move |_| {
        probe_answer(&[("machine-id", "id-1"), ("hostname", "server-1"), ("nodes", &nodes)])
    })
    .await;
    let kinds = ["host/machine", "host/firewall", "host/docker", "k3s/server"];
    let mut all: Vec<Wanted> = kinds.into_iter().map(|kind| wanted(kind, "server-1")).collect();
    all.push(wanted("k3s/agent", "unknown-1"));
    let readings = machines(&server).read(&all).await;
    assert_eq!(server.lines(), ["boma-probe"]);
    let found: Vec<&str> = readings
        .iter()
        .map(|(_, reading)| match reading {
            Reading::Present(_) => "present",
            Reading::Absent => "absent",
            Reading::Unread(_) => "unread",
        })
        .collect();
    assert_eq!(found, ["present", "absent", "absent", "absent", "unread"]);
}

#[tokio::test]
async fn the_api_is_reached_through_a_server_that_lives() {
    let server = Scripted::start(|line| match line {
        "cat /etc/rancher/k3s/k3s.yaml" => ok("kind: Config\n"),
        _ => ok(""),
    })
    .await;
    let machines = machines(&server);
    let kubeconfig = Access::kubeconfig(&machines).await.unwrap();
    assert_eq!(kubeconfig.expose_secret(), "kind: Config\n");
    // Whether something listens there is another question.
    let outcome = machines.connect().await;
    assert!(server.lines().contains(&"forward 127.0.0.1".to_owned()));
    if let Err(error) = outcome {
        assert_eq!(error.retry, Retry::Later);
        assert!(error.message.starts_with("no server answers on port 6443: "), "{error}");
    }

    let none = Machines::new(server.hosts(&[]), Arc::new(|| 0), Vec::new());
    let error = none.connect().await.err().unwrap();
    assert_eq!(error.message, "no server of the cluster is known to run");
}
