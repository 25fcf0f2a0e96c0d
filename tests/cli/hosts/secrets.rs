//! Tokens and keys of the hosts get nowhere but to the hosts.

use boma::lab::HostAction;

use super::rig::{APPLY, DRIFT, PLAN, Rig};
use crate::cli::canary::Canaries;

#[test]
fn tokens_and_keys() {
    let mut rig = Rig::new();
    rig.env.set("BOMA_LOG", "trace");
    let mut said = Vec::new();
    let mut run = |arguments: &[&str]| {
        said.push(rig.env.run(&[arguments, &["--log-file", "boma.log"]].concat()));
    };
    run(&["plan", "--lab", "--full", "--out", "saved.plan", "small.toml"]);
    run(&["apply", "--lab", "--yes", "saved.plan"]);
    run(&["show", "--full", "saved.plan"]);
    let secrets = secrets(&rig);
    rig.edit("agent-1", "/etc/rancher/k3s/token", "K10", "K10f");
    rig.edit("server-2", "/etc/rancher/k3s/agent-token", "\n", "x\n");
    rig.at("agent-2", HostAction::SudoPassword(Some("sudo-canary-8Rq".into())));
    run(DRIFT);
    run(&[PLAN, &["--full", "--format", "json"]].concat());
    run(APPLY);
    rig.at("agent-2", HostAction::SudoPassword(None));
    run(&["apply", "--lab", "--yes", "--allow-disruption", "--format", "json", "small.toml"]);
    run(&["state", "show", "--lab", "small.toml", "k3s/server/server-1"]);
    run(&["inventory", "--lab", "small.toml"]);
    run(&["destroy", "--lab", "--keep-disks", "--yes", "small.toml"]);

    let canaries = Canaries::new(secrets.iter().map(String::as_str));
    said.iter().for_each(|ran| canaries.assert_unsaid(ran));
    assert!(!rig.env.read("boma.log").is_empty());
    canaries.assert_unwritten_but(&rig.env, "state/lab/small/world");
}

/// The tokens in all their forms, the key that opens the hosts, and what sudo wants.
fn secrets(rig: &Rig) -> Vec<String> {
    let mut secrets = vec!["sudo-canary-8Rq".to_owned()];
    for (host, file) in [("server-1", "token"), ("server-1", "agent-token"), ("agent-1", "token")] {
        let token = rig.shell(host, &format!("cat /etc/rancher/k3s/{file}"));
        let bare = token.trim().rsplit(':').next().unwrap().to_owned();
        assert!(bare.len() > 20, "{file} of {host} is no token");
        secrets.extend([token.trim().to_owned(), bare]);
    }
    let key = rig.endpoints.ssh_user_key.lines().filter(|line| !line.starts_with("-----"));
    secrets.extend(key.filter(|line| line.len() > 40).map(str::to_owned));
    assert!(secrets.len() > 8, "the key is there");
    secrets
}
