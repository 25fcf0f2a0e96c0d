//! Other managers of what boma has made: told by name, with the field, and overruled only where the
//! plan showed it.

use serde_json::json;

use super::hand::Hand;
use crate::cli::hosts::rig::{APPLY, DRIFT, PLAN};

const CLASS: &str = "/apis/storage.k8s.io/v1/storageclasses/vmware-sc";
const CONTROLLER: &str =
    "/apis/apps/v1/namespaces/vmware-system-csi/deployments/vsphere-csi-controller";

#[test]
fn what_somebody_edited_is_shown_with_who_it_was_and_put_back() {
    let hand = Hand::new();
    hand.edit(CLASS, &json!({"allowVolumeExpansion": false}));
    let scale = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "vsphere-csi-controller"}, "spec": {"replicas": 1}});
    hand.apply_as("argo", CONTROLLER, &scale);
    let plan = hand.rig.env.expect(0, PLAN).stdout;
    for words in ["allowVolumeExpansion", "kubectl-edit", "spec.replicas", "argo"] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    let drift = hand.rig.env.expect(2, DRIFT).stdout;
    assert!(drift.contains("kubectl-edit") && drift.contains("argo"), "{drift}");
    hand.rig.env.expect(0, APPLY);
    assert_eq!(hand.get(CLASS)["allowVolumeExpansion"], true);
    assert_eq!(hand.get(CONTROLLER)["spec"]["replicas"], 3);
    hand.rig.env.assert_settled();
}

/// What the spec gives of a project's credentials goes back to what CouchDB's volumes were made
/// with; what was made up is the cluster's alone.
#[test]
fn credentials_that_somebody_edited_are_put_back() {
    const SECRET: &str = "/api/v1/namespaces/cht-county-01/secrets/cht-couchdb-credentials";
    let hand = Hand::new();
    let before = hand.get(SECRET)["data"].clone();
    let plan = || hand.rig.env.expect(0, PLAN).stdout;
    for edit in [json!("c29tZWJvZHk="), json!(null)] {
        hand.edit(SECRET, &json!({"data": {"COUCHDB_USER": edit}}));
        assert_ne!(hand.get(SECRET)["data"], before);
        assert!(plan().contains("data.COUCHDB_USER: (secret, "), "{}", plan());
        hand.rig.env.expect(0, APPLY);
        assert_eq!(hand.get(SECRET)["data"], before);
        hand.rig.env.assert_settled();
    }
}

/// The API keeps a selector or a list of rules as one: who adds to it owns it, and every apply of
/// boma's would conflict over what no plan showed.
#[test]
fn what_somebody_added_to_what_is_kept_as_one_is_shown_and_taken_off() {
    const PODS: &str = "/apis/apps/v1/namespaces/vmware-system-csi/daemonsets/vsphere-csi-node";
    const ROLE: &str =
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/vsphere-csi-node-cluster-role";
    let hand = Hand::new();
    let nowhere = json!({"nodeSelector": {"nobody": "here"}});
    hand.edit(PODS, &json!({"spec": {"template": {"spec": nowhere}}}));
    let mut rules = hand.get(ROLE)["rules"].clone();
    rules[0]["resourceNames"] = json!(["only"]);
    hand.edit(ROLE, &json!({"rules": rules}));
    let drift = hand.rig.env.expect(2, DRIFT).stdout;
    for words in ["spec.template.spec.nodeSelector.nobody", "resourceNames", "kubectl-edit"] {
        assert!(drift.contains(words), "{words}: {drift}");
    }
    hand.rig.env.expect(0, APPLY);
    let pod = hand.get(PODS)["spec"]["template"]["spec"].take();
    assert_eq!(pod["nodeSelector"], json!({"kubernetes.io/os": "linux"}));
    assert_eq!(hand.get(ROLE)["rules"][0].get("resourceNames"), None);
    hand.rig.env.assert_settled();
}

/// Whoever made it: claims that name no class get a volume of whichever is newer.
#[test]
fn a_second_default_class_is_told() {
    let hand = Hand::new();
    let mark = "storageclass.kubernetes.io/is-default-class";
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": "nfs", "annotations": {mark: "true"}}, "provisioner": "nfs"});
    hand.make("/apis/storage.k8s.io/v1/storageclasses", &class);
    let plan = hand.rig.env.expect(0, PLAN).stdout;
    let words = "default-class: `vmware-sc` is not the only default class: nfs is one too";
    assert!(plan.contains(words), "{plan}");
}

/// The API takes no edit of such a map any more: the plan says that it is made anew.
#[test]
fn what_somebody_made_immutable_is_made_anew() {
    let hand = Hand::new();
    let states = "/api/v1/namespaces/vmware-system-csi/configmaps/\
        internal-feature-states.csi.vsphere.vmware.com";
    let before = hand.get(states);
    let sealed = json!({"immutable": true, "data": {"trigger-csi-fullsync": "true"}});
    hand.edit(states, &sealed);
    let plan = hand.rig.env.json(0, PLAN);
    let changes = plan["changes"].as_array().expect("a list").iter();
    let actions: Vec<_> = changes.filter(|one| one["action"] != "no-op").collect();
    assert_eq!((actions.len(), &actions[0]["action"]), (1, &json!("replace")), "{plan:#}");
    hand.rig.env.expect(0, APPLY);
    let after = hand.get(states);
    assert_eq!((&after["data"], after.get("immutable")), (&before["data"], None));
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    hand.rig.env.assert_settled();
}

/// A HorizontalPodAutoscaler says its number through the controller manager; a person who does it
/// the same way is a person.
#[test]
fn replicas_that_an_autoscaler_says_are_left_to_it() {
    const API: &str = "/apis/apps/v1/namespaces/cht-county-01/deployments/cht-api";
    let hand = Hand::new();
    let replicas = || hand.get(API)["spec"]["replicas"].clone();
    hand.scale_as("k3s", API, 2);
    hand.rig.env.expect(0, DRIFT);
    hand.rig.env.assert_settled();
    hand.edit(API, &json!({"metadata": {"labels": {"cht.service": "x"}}}));
    let drift = hand.rig.env.expect(2, DRIFT).stdout;
    assert!(drift.contains("labels.cht.service") && !drift.contains("replicas"), "{drift}");
    hand.rig.env.expect(0, APPLY);
    assert_eq!(replicas(), 2);
    hand.rig.env.assert_settled();
    hand.scale_as("kubectl", API, 3);
    let drift = hand.rig.env.expect(2, DRIFT).stdout;
    assert!(drift.contains("spec.replicas: 1 -> 3"), "{drift}");
    assert!(drift.contains("set by kubectl"), "{drift}");
    hand.rig.env.expect(0, APPLY);
    assert_eq!(replicas(), 1);
    hand.rig.env.assert_settled();
}

/// The plan is of a world in which nobody had touched the field.
#[test]
fn a_saved_plan_takes_nothing_that_it_did_not_show() {
    let hand = Hand::new();
    hand.edit(CLASS, &json!({"allowVolumeExpansion": false}));
    hand.rig.env.expect(0, &["plan", "--lab", "--out", "plan.json", "small.toml"]);
    hand.edit(
        CLASS,
        &json!({"metadata": {"annotations":
        {"storageclass.kubernetes.io/is-default-class": "false"}}}),
    );
    let refused = hand.rig.env.expect(3, &["apply", "--lab", "--yes", "plan.json"]);
    let words = "the world has moved since the plan was made: cluster/StorageClass/vmware-sc";
    assert!(refused.stderr.contains(words), "{refused}");
    assert_eq!(hand.get(CLASS)["allowVolumeExpansion"], false);
}
