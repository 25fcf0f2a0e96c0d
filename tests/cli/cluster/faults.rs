//! An API server that falters: each fault is met with patience in one place, so that the number of
//! requests is known; and then with one clear error.

use boma::lab::{HostAction, StagedFault};
use serde_json::json;

use super::hand::Hand;
use crate::cli::hosts::rig::{APPLY, NODES, PLAN};

const CLASS: &str = "/apis/storage.k8s.io/v1/storageclasses/vmware-sc";
const WRITE: &str = "PATCH storageclasses";

fn refuse(code: &str) -> StagedFault {
    StagedFault::Refuse { kind: code.into(), message: "staged".into() }
}

/// What a repair of the class takes: the refusal that names the other manager, and the write that
/// takes the field back.
const USUAL: u64 = 2;

/// Something about the class is changed by hand, and its repair meets a fault so often. Gives how
/// many requests the repair took.
#[track_caller]
fn repair(hand: &Hand, fault: StagedFault, times: u64, code: i32) -> (u64, String) {
    hand.edit(CLASS, &json!({"allowVolumeExpansion": false}));
    let before = hand.heard(WRITE);
    hand.stage(WRITE, fault, times);
    let ran = hand.rig.env.expect(code, APPLY);
    hand.rig.stage(&[]);
    let repaired = hand.get(CLASS)["allowVolumeExpansion"] == true;
    assert_eq!(repaired, code == 0, "{ran}");
    (hand.heard(WRITE) - before, format!("{}{}", ran.stdout, ran.stderr))
}

#[test]
fn a_fault_that_passes_costs_one_more_request() {
    let hand = Hand::new();
    let once = [
        refuse("429"),
        refuse("409"),
        refuse("500"),
        StagedFault::Unavailable,
        StagedFault::ExpireSession,
        StagedFault::DropBefore,
        StagedFault::DropAfter,
    ];
    assert_eq!(repair(&hand, refuse("429"), 0, 0).0, USUAL);
    for fault in once {
        assert_eq!(repair(&hand, fault.clone(), 1, 0).0, USUAL + 1, "{fault:?}");
    }
    assert_eq!(repair(&hand, refuse("429"), 2, 0).0, USUAL + 2);
    hand.rig.assert_whole(&NODES);
}

#[test]
fn a_fault_that_stays_is_one_error_and_is_not_asked_for_ever() {
    let hand = Hand::new();
    let always = [
        (refuse("429"), 3, "too much to do"),
        (refuse("409"), 2, "apply again"),
        (refuse("500"), 3, "look at k3s and the admission webhooks"),
        (StagedFault::ExpireSession, 2, "the kubeconfig was read anew and is refused too"),
        (StagedFault::DropBefore, 3, "the connection to the Kubernetes API broke"),
    ];
    for (fault, requests, words) in always {
        let (heard, said) = repair(&hand, fault.clone(), 999, 4);
        assert_eq!(heard, requests, "{fault:?}: {said}");
        let told = said.lines().filter(|line| line.contains(": failed: ")).count();
        assert_eq!(told, 1, "{said}");
        assert!(said.contains(words), "{words}: {said}");
    }
    hand.rig.apply();
    hand.rig.assert_whole(&NODES);
}

/// k3s renews the administrator's certificate when it starts, on each server for itself.
#[test]
fn a_certificate_that_has_ended_on_one_server_is_passed_over() {
    let hand = Hand::new();
    hand.rig.at("server-1", HostAction::EndKubeconfig);
    assert_eq!(repair(&hand, refuse("429"), 0, 0).0, USUAL);
    hand.rig.assert_whole(&NODES);
}

#[test]
fn certificates_that_have_all_ended_are_one_error_until_k3s_renews_them() {
    let hand = Hand::new();
    for server in ["server-1", "server-2", "server-3"] {
        hand.rig.at(server, HostAction::EndKubeconfig);
    }
    let ran = hand.rig.env.expect(1, PLAN);
    let words = "the administrator's certificate in the cluster's kubeconfig ended at 20";
    assert_eq!(ran.stdout.matches(words).count(), 1, "{ran}");
    assert!(ran.stdout.contains("restart k3s on the servers, one after the other"), "{ran}");
    assert!(ran.stdout.lines().count() < 40, "{ran}");
    hand.rig.shell("server-2", "systemctl restart k3s");
    let ran = hand.rig.env.expect(0, PLAN);
    assert!(!ran.stdout.contains(words), "{ran}");
}

/// Nothing that the cluster has can be read: one reason, and the rest of the plan all the same.
#[test]
fn an_api_that_answers_nobody_has_one_reason() {
    let hand = Hand::new();
    hand.rig.shell("agent-2", "systemctl stop k3s-agent");
    let faults = [
        (StagedFault::ExpireSession, "k3s certificate rotate"),
        (refuse("429"), "the API server has too much to do"),
        (refuse("500"), "look at k3s and the admission webhooks"),
        (StagedFault::Unavailable, "look at k3s"),
        (StagedFault::DropBefore, "the connection to the Kubernetes API broke"),
    ];
    for (fault, words) in faults {
        hand.stage("*", fault.clone(), 9999);
        let before = hand.rig.status().writes;
        let ran = hand.rig.env.expect(1, PLAN);
        assert_eq!(ran.stdout.matches(words).count(), 1, "{fault:?} {words}: {ran}");
        assert!(ran.stdout.contains("k3s/agent/agent-2"), "{fault:?}: {ran}");
        assert!(ran.stdout.lines().count() < 40, "{ran}");
        assert_eq!(hand.rig.status().writes, before);
    }
    hand.rig.stage(&[]);
    hand.rig.apply();
    hand.rig.assert_whole(&NODES);
}

/// k3s stands still on every server: one reason for all that is in the cluster, k3s is started, and
/// the cluster is as it was.
#[test]
fn a_cluster_whose_servers_all_stand_still_is_started() {
    let hand = Hand::new();
    for server in ["server-1", "server-2", "server-3"] {
        hand.rig.shell(server, "systemctl stop k3s");
    }
    let ran = hand.rig.env.expect(4, APPLY);
    assert_eq!(ran.stdout.matches("no server of the cluster is known to run").count(), 1, "{ran}");
    assert!(ran.stdout.contains("systemctl status k3s"), "{ran}");
    assert!(ran.stdout.ends_with("Applied: 3 done.\n"), "{ran}");
    hand.rig.assert_whole(&NODES);
}
