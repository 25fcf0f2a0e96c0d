//! Which cluster answers: the state knows the uid of its Namespace kube-system.

use std::time::Duration;

use boma::lab::StagedFault;

use super::hand::Hand;
use crate::cli::hosts::rig::{APPLY, DRIFT, NODES, PLAN};

const DESTROY: &[&str] = &["destroy", "--lab", "--yes", "small.toml"];
const STATE: &str = "state/lab/small/state/state.json";
const ASKED: &str = "GET namespaces";

/// How many lists the API was asked for.
fn lists(hand: &Hand) -> u64 {
    let requests = hand.rig.status().requests.into_iter();
    requests.filter(|(name, _)| name.starts_with("Kubernetes:LIST ")).map(|(_, count)| count).sum()
}

#[test]
fn another_cluster_on_the_servers_is_refused() {
    let hand = Hand::new();
    let uid = &hand.get("/api/v1/namespaces/kube-system")["metadata"]["uid"];
    let own = String::from_utf8(hand.rig.env.read(STATE)).unwrap();
    let others = "6f0c1b2a-1111-4222-8333-444455556677";
    let of_other = own.replace(uid.as_str().unwrap(), others);
    assert_ne!(of_other, own);
    hand.rig.env.write(STATE, &of_other);
    let writes = hand.rig.status().writes;
    for command in [PLAN, DRIFT, APPLY, DESTROY] {
        let ran = hand.rig.env.expect(3, command);
        let uid = uid.as_str().unwrap();
        ran.assert_one_error(&["another cluster answers", uid, others, "nothing was changed"]);
    }
    assert_eq!(hand.rig.status().writes, writes);
    assert_eq!(hand.rig.env.read(STATE), of_other.as_bytes());
    hand.rig.env.write(STATE, own);
    hand.rig.assert_whole(&NODES);
}

/// Nothing is answered, and all is asked: neither waits for the other.
#[test]
fn which_cluster_it_is_is_asked_together_with_the_lists() {
    let hand = Hand::new();
    let before = (hand.heard(ASKED), lists(&hand));
    hand.stage("*", StagedFault::Hang, 9999);
    let mut planning = hand.rig.env.start(PLAN);
    let both = |hand: &Hand| hand.heard(ASKED) > before.0 && lists(hand) > before.1;
    while !both(&hand) {
        assert!(planning.leave_for(Duration::from_millis(20)), "it ended");
    }
    assert_eq!(hand.heard(ASKED), before.0 + 1);
    let said = planning.kill();
    assert_eq!(said.stdout, "", "{said}");
}
