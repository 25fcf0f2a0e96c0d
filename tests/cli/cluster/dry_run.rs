//! `plan --server-dry-run`: what the cluster would refuse is known before anything is written.

use serde_json::json;

use super::hand::Hand;
use crate::cli::env::TestEnv;

const PLAN: &[&str] = &["plan", "--lab", "--server-dry-run", "small.toml"];
const NAMESPACE: &str = "/api/v1/namespaces/vmware-system-csi";

#[test]
fn objections_name_the_resource_and_nothing_is_written() {
    let hand = Hand::new();
    hand.delete(&format!("{NAMESPACE}/secrets/vsphere-config-secret"));
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
        "spec": {"hard": {"count/secrets": "0", "secrets": "0"}}});
    hand.make(&format!("{NAMESPACE}/resourcequotas"), &quota);
    let writes = hand.rig.status().writes;
    let refused = hand.rig.env.json(3, PLAN);
    assert_eq!(hand.rig.status().writes, writes);
    let all = refused["findings"].as_array().unwrap();
    let said: Vec<_> = all.iter().filter(|one| one["rule"] == "admission").collect();
    assert_eq!(said.len(), 1, "{refused:#}");
    assert_eq!(said[0]["address"], "cluster/csi/Secret/vsphere-config-secret");
    assert_eq!(said[0]["level"], "deny");
    assert!(said[0]["message"].as_str().unwrap().contains("exceeded quota: none"), "{said:#?}");
    // What the lab's storage account has as its password is in what would have been written.
    let text = refused.to_string();
    assert!(!text.contains("[Global]") && !text.contains("W0dsb2JhbF0"), "{text}");

    hand.delete(&format!("{NAMESPACE}/resourcequotas/none"));
    // Without the Secret the driver has named the cluster itself, which a rule refuses.
    let plan = hand.rig.env.json(3, PLAN);
    let refused = plan["findings"].as_array().unwrap().iter();
    assert_eq!(refused.filter(|one| one["rule"] == "admission").count(), 0, "{plan:#}");
}

/// A command may ask somebody for a password.
#[test]
fn each_secret_is_asked_for_once() {
    let (lab, mut client) = (TestEnv::new(), TestEnv::empty());
    let served = lab.serve(0);
    served.write_spec(&lab, &client);
    served.set_account(&mut client);
    let text = String::from_utf8(client.read("real.toml")).unwrap();
    let command = r#"{ command = ["sh", "-c", "echo asked >>asked; echo $VCENTER_USERNAME"] }"#;
    let text = text.replace(r#"{ env = "VCENTER_USERNAME" }"#, command);
    client.write("real.toml", text);
    client.expect(0, &["plan", "--server-dry-run", "real.toml"]);
    assert_eq!(client.read("asked"), b"asked\n");
}
