//! Where k3s comes from: a mirror, or a folder for sites without internet.

use boma::resource::Digest;

use super::rig::{APPLY, NODES, Rig};

const FROM: &str = "v1.35.9+k3s1";
const TO: &str = "v1.36.3+k3s1";
const IMAGES: &str = "k3s-airgap-images-amd64.tar.zst";
const ON_HOST: &str = "/var/lib/rancher/k3s/agent/images/k3s-airgap-images-amd64.tar.zst";

/// A release in a folder beside the spec. The lab runs what a release's program says it is.
fn release(rig: &Rig, version: &str, images: &str) {
    let program = format!("k3s {version}\n");
    let folder = format!("airgap/{version}");
    std::fs::create_dir_all(rig.env.path(&folder)).unwrap();
    let line = |text: &str, name: &str| format!("{}  {name}\n", Digest::of(text.as_bytes()));
    rig.env.write(&format!("{folder}/k3s"), &program);
    rig.env.write(&format!("{folder}/{IMAGES}"), images);
    let list = line(images, IMAGES) + &line(&program, "k3s");
    rig.env.write(&format!("{folder}/sha256sum-amd64.txt"), list);
}

/// The addresses that hosts fetched something of a release from.
fn fetched(rig: &Rig) -> Vec<String> {
    let commands = rig.status().history.into_iter().map(|one| one.command);
    commands.filter(|command| command.contains(FROM.split('+').next().unwrap())).collect()
}

#[test]
fn a_folder_brings_program_and_images() {
    let rig = Rig::new();
    rig.env.edit("[k3s]", "[k3s]\ndirectory = \"airgap\"");
    release(&rig, FROM, "images of 35");
    rig.apply();
    rig.assert_whole(&NODES);
    let curl = |command: &&String| command.contains("https://") && command.contains("curl");
    assert_eq!(fetched(&rig).iter().filter(curl).count(), 0);
    for node in NODES {
        assert_eq!(rig.shell(node, &format!("cat {ON_HOST}")), "images of 35", "{node}");
    }

    // Half a download is noticed before anything restarts, and the others wait.
    rig.env.edit(FROM, TO);
    release(&rig, TO, "images of 36");
    for (file, whole) in [("k3s", format!("k3s {TO}\n")), (IMAGES, "images of 36".to_owned())] {
        let path = format!("airgap/{TO}/{file}");
        rig.env.write(&path, &whole[..4]);
        let applied = rig.env.expect(4, APPLY);
        assert!(applied.stdout.contains(&format!("{file} has the SHA-256")), "{applied}");
        assert!(applied.stdout.contains("help: download it again"), "{applied}");
        assert!(rig.cluster().restarts.is_empty(), "{file}");
        rig.env.write(&path, whole);
    }
    rig.apply();
    rig.assert_whole(&NODES);
    assert_eq!(rig.shell("agent-2", &format!("cat {ON_HOST}")), "images of 36");
}

#[test]
fn a_mirror_is_asked_in_place_of_github() {
    let rig = Rig::new();
    rig.env.edit("[k3s]", "[k3s]\nmirror = \"https://mirror.example.org/k3s\"");
    rig.apply();
    rig.assert_whole(&NODES);
    let fetched = fetched(&rig);
    assert!(fetched.iter().all(|command| !command.contains("github.com")), "{fetched:#?}");
    let mirror = "https://mirror.example.org/k3s/v1.35.9%2Bk3s1/";
    for file in ["k3s", "sha256sum-amd64.txt"] {
        let one = |command: &&String| command.ends_with(&format!("{mirror}{file}"));
        assert_eq!(fetched.iter().filter(one).count(), NODES.len(), "{file}: {fetched:#?}");
    }
}
