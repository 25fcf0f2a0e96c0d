//! A namespace that does not end.

use serde_json::json;

use super::hand::Hand;
use crate::cli::hosts::rig::{APPLY, NODES, PLAN};

const NAMESPACE: &str = "/api/v1/namespaces/vmware-system-csi";

/// The driver's namespace was deleted by hand and waits for a finalizer that nobody takes off.
#[test]
fn that_is_stuck_stops_what_lives_in_it_until_it_is_gone() {
    let hand = Hand::new();
    let maps = format!("{NAMESPACE}/configmaps");
    let held = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "held", "finalizers": ["example.org/hold"]}});
    hand.make(&maps, &held);
    hand.delete(NAMESPACE);
    assert!(hand.has(NAMESPACE));
    for command in [PLAN, APPLY] {
        let refused = hand.rig.env.expect(3, command);
        let told = "cluster/csi/Namespace/vmware-system-csi takes nothing any more";
        assert_eq!(refused.stdout.matches(told).count(), 1, "{refused}");
        assert_eq!(refused.stdout.matches("it is being deleted").count(), 1, "{refused}");
        assert!(refused.stdout.contains("configmaps. has resource instances: 1"), "{refused}");
    }
    let rest = ["--exclude", "cluster/csi/**"];
    hand.rig.env.expect(0, &[PLAN, &rest].concat());

    hand.edit(&format!("{maps}/held"), &json!({"metadata": {"finalizers": null}}));
    assert!(!hand.has(NAMESPACE));
    hand.rig.apply();
    hand.rig.assert_whole(&NODES);
}
