//! Mirrors and logins of registries: on every machine, one node at a time, and nowhere else.

use boma::lab::HostAction;

use super::rig::{APPLY, DRIFT, NODES, Rig};
use crate::cli::canary::Canaries;

const FILE: &str = "/etc/rancher/k3s/registries.yaml";
const IMAGES: &str = "[images]
mirrors = { \"registry.k8s.io\" = \"https://mirror.example.org\" }
credentials.\"mirror.example.org\" = { username = { env = \"MIRROR_USER\" }, password = { env = \"MIRROR_PASSWORD\" } }

[storage]
";

#[test]
fn mirrors_and_logins_come_stay_and_go() {
    let mut rig = Rig::applied();
    rig.env.set("BOMA_LOG", "trace");
    rig.env.edit("[storage]\n", IMAGES);
    let log = ["--log-file", "boma.log"];
    let mut said = vec![rig.env.expect(0, &[APPLY, &log].concat())];
    for node in NODES {
        let text = rig.shell(node, &format!("cat {FILE}"));
        assert!(text.contains("[\"https://mirror.example.org\"]"), "{node}: {text}");
        assert_eq!(rig.shell(node, &format!("stat -c %a {FILE}")), "600\n");
    }
    assert_eq!(rig.cluster().restarts.len(), 5);
    rig.assert_whole(&NODES);
    rig.assert_gentle();

    // By hand.
    rig.edit("agent-1", FILE, "https://mirror", "https://other");
    said.push(rig.env.expect(2, &[DRIFT, &log].concat()));
    let drift = &said[1].stdout;
    assert!(drift.contains("k3s/agent/agent-1") && drift.contains("mirrors"), "{drift}");
    said.push(rig.env.expect(0, &[APPLY, &log].concat()));
    assert_eq!(rig.cluster().restarts.len(), 6);
    let text = rig.shell("agent-1", &format!("cat {FILE}"));
    assert!(text.contains("[\"https://mirror.example.org\"]"), "{text}");
    rig.edit("server-1", FILE, "\"password\": \"", "\"password\": \"x");
    said.push(rig.env.expect(2, &[DRIFT, &log].concat()));
    assert!(said[3].stdout.contains("(secret, changed)"), "{}", said[3]);
    said.push(rig.env.expect(0, &[APPLY, &log].concat()));

    let of = |key: &str| {
        let line = text.lines().find(|line| line.contains(key)).expect("a login");
        line.rsplit('"').nth(1).expect("a value").to_owned()
    };
    let secrets = [of("password"), of("username")];
    let canaries = Canaries::new(secrets.iter().map(String::as_str));
    said.iter().for_each(|ran| canaries.assert_unsaid(ran));
    canaries.assert_unwritten_but(&rig.env, "state/lab/small/world");
    let words = rig.status().history;
    assert!(words.iter().all(|one| !secrets.iter().any(|secret| one.command.contains(secret))));

    rig.env.edit(IMAGES, "[storage]\n");
    rig.apply();
    for node in NODES {
        let line = format!("test -e {FILE}");
        let there = rig.at(node, HostAction::Run { line, stdin: String::new() });
        assert_eq!(there.status, 1, "{node}");
    }
    rig.assert_whole(&NODES);
    rig.assert_gentle();
}

/// k3s does not start with it. What it says is in the error, and whoever wrote it is asked to mend
/// it: boma has nothing to put in its place.
#[test]
fn one_that_k3s_cannot_read() {
    let rig = Rig::new();
    rig.env.edit("[k3s]", "[k3s]\nready_timeout = \"5s\"");
    rig.apply();
    let content = "mirrors:\n  docker.io: [\n".to_owned();
    rig.at("agent-1", HostAction::Write { path: FILE.into(), content, mode: 0o600 });
    rig.shell("agent-1", "systemctl restart --no-block k3s-agent");
    let drift = rig.env.expect(2, DRIFT);
    assert!(drift.stdout.contains("service: active -> activating"), "{drift}");
    let failed = rig.env.expect(4, APPLY);
    for words in ["k3s cannot read a file", "level=fatal msg=\"yaml: ", FILE, "help: "] {
        assert!(failed.stdout.contains(words), "{words}: {failed}");
    }
    rig.shell("agent-1", &format!("rm -f {FILE}"));
    rig.apply();
    rig.assert_whole(&NODES);
}
