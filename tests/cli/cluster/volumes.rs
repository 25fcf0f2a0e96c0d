//! Volumes of projects that would go with their claims.

use boma::lab::StagedFault;
use serde_json::{Value as Json, json};

use super::hand::Hand;
use crate::cli::hosts::rig::{APPLY, DRIFT, PLAN};

const VOLUMES: &str = "/api/v1/persistentvolumes";

/// The volume of a county's claim, by name.
fn volume(hand: &Hand) -> String {
    let list = hand.get(VOLUMES);
    let of_county = |volume: &&Json| volume["spec"]["claimRef"]["namespace"] == "cht-county-01";
    let found = list["items"].as_array().unwrap().iter().find(of_county).expect("a volume");
    found["metadata"]["name"].as_str().unwrap().to_owned()
}

fn policy(hand: &Hand, name: &str) -> Json {
    hand.get(&format!("{VOLUMES}/{name}"))["spec"]["persistentVolumeReclaimPolicy"].clone()
}

#[test]
fn they_are_told_to_stay_and_that_is_all_that_is_written() {
    let hand = Hand::new();
    let name = volume(&hand);
    let path = format!("{VOLUMES}/{name}");
    for again in [false, true] {
        hand.edit(&path, &json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}}));
        let before = hand.get(&path);
        let plan = hand.rig.env.expect(0, PLAN).stdout;
        assert!(plan.contains(&format!("cluster/PersistentVolume/{name}")), "{plan}");
        assert!(plan.contains("persistentVolumeReclaimPolicy: Delete -> Retain"), "{plan}");
        assert!(plan.contains("Plan: 0 to add, 1 to change, 0 to destroy"), "{plan}");
        // Only what boma once wrote can drift.
        let drift = hand.rig.env.expect(if again { 2 } else { 0 }, DRIFT);
        assert_eq!(drift.stdout.contains(&name), again, "{drift}");
        let writes = hand.heard("PATCH persistentvolumes");
        hand.rig.env.expect(0, APPLY);
        assert_eq!(policy(&hand, &name), "Retain");
        // The first is refused with the other manager's name, the second takes the field.
        assert_eq!(hand.heard("PATCH persistentvolumes"), writes + 2);
        let mut after = hand.get(&path)["spec"].clone();
        after["persistentVolumeReclaimPolicy"] = "Delete".into();
        assert_eq!(after, before["spec"], "nothing else of it is boma's");
        hand.rig.env.assert_settled();
    }
}

/// With the servers goes what tells whose a disk is: they stay while nobody can look at the
/// volumes.
#[test]
fn the_cluster_stays_while_nobody_knows_what_it_holds() {
    const DESTROY: &[&str] = &["destroy", "--lab", "--yes", "--keep-disks", "small.toml"];
    let hand = Hand::new();
    let records = || hand.rig.env.json(0, &["state", "list", "--lab", "small.toml"]);
    let before = records();
    let away = StagedFault::Refuse { kind: "503".into(), message: "staged".into() };
    hand.stage("LIST persistentvolumes", away, 50);
    let refused = hand.rig.env.expect(1, DESTROY);
    assert!(refused.stderr.contains("which volumes hold data is not known"), "{refused}");
    assert!(refused.stderr.contains("staged"), "{refused}");
    assert_eq!(records(), before);
}
