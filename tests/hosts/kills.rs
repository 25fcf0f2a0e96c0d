//! Applies that are killed: the next one finishes, and nothing half-written is in use.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::fleet::{Fleet, MACHINES};
use super::rig::Rig;
use crate::seeds::Dice;

/// Where the victim finds its state. Nobody else sets it.
const FOLDER: &str = "BOMA_KILLS_FOLDER";

/// Files that are read by k3s and systemd: each is whole, or not there.
const FILES: &str = "/usr/local/bin/k3s /etc/rancher/k3s/config.yaml /etc/rancher/k3s/token \
    /etc/rancher/k3s/agent-token /etc/systemd/system/k3s.service \
    /etc/systemd/system/k3s-agent.service /etc/boma/k3s-server.json /etc/boma/k3s-agent.json \
    /etc/boma/host-firewall.json";

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn the_apply_after_a_kill_finishes_with_whole_files() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (seed, mut left) = (number("BOMA_SEED").unwrap_or(1), number("BOMA_KILLS").unwrap_or(4));
    println!("again: BOMA_SEED={seed} BOMA_KILLS={left}");
    let mut dice = Dice::new(seed, "kills");
    while left > 0 {
        let folder = tempfile::tempdir().unwrap();
        let fleet = Fleet::over(Rig::boot(&MACHINES), folder.path()).await;
        let mut seen = Vec::new();
        // Until an apply comes to its end before its time.
        while left > 0 && kill_after(dice.below(6000), folder.path()).await {
            left -= 1;
            seen.extend(files(&fleet.rig).await);
        }
        fleet.converge().await;
        let last: BTreeMap<String, String> = files(&fleet.rig).await.into_iter().collect();
        for (file, digest) in seen {
            assert_eq!(Some(&digest), last.get(&file), "{file} was in use half-written");
        }
        for name in MACHINES {
            whole_program(&fleet.rig, name).await;
        }
    }
}

/// One apply in a process of its own. False where it ended by itself.
async fn kill_after(milliseconds: usize, folder: &Path) -> bool {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hosts::kills::victim", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_millis(milliseconds as u64)).await;
    if let Some(status) = victim.try_wait().unwrap() {
        assert!(status.success(), "the apply failed: {status}");
        return false;
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    true
}

/// The process that is killed; by itself it is no test.
#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let fleet = Fleet::over(Rig::take(&MACHINES), Path::new(&folder)).await;
    let report = fleet.apply(|_| {}).await;
    assert_eq!(report.failures, []);
}

/// Every file that is there, by host and path, with its digest.
///
/// A token counts by its secret part: the machine that joins binds it to the CA it has found.
async fn files(rig: &Rig) -> Vec<(String, String)> {
    let line = format!(
        "for file in {FILES}; do [ ! -e $file ] || sed 's/^K10[0-9a-f]*::[a-z]*://' $file | \
         sha256sum | sed \"s|-$|$file|\"; done"
    );
    let mut files = Vec::new();
    for name in MACHINES {
        let text = rig.shell(name, &line).await;
        let pairs = text.lines().filter_map(|line| line.split_once("  "));
        files.extend(pairs.map(|(digest, path)| (format!("{name}: {path}"), digest.to_owned())));
    }
    files
}

/// What runs is what the release's list of checksums says.
async fn whole_program(rig: &Rig, name: &str) {
    let list = "curl -fsSL --proto =https https://github.com/k3s-io/k3s/releases/download/\
        v1.35.9%2Bk3s1/sha256sum-amd64.txt";
    let list = rig.shell(name, list).await;
    let program = rig.shell(name, "sha256sum </usr/local/bin/k3s").await;
    let digest = program.split_whitespace().next().unwrap();
    assert!(list.lines().any(|line| line == format!("{digest}  k3s")), "{name}: {digest} {list}");
}
