//! Section 0 and what of sections 3 and 6 a spec alone shows: the guide's mistakes are findings.

use boma::provider::Provider as _;
use boma::provider::vsphere::Trust;
use boma::resource::Reading;

use crate::cli::env::TestEnv;
use crate::vsphere::rig::{Backend, Rig};
use crate::vsphere::subject::Subject;

on_each_backend! {
    a_certificate_that_is_not_trusted_gets_no_password,
}

/// The messages of a rule about a spec.
#[track_caller]
fn findings(env: &TestEnv, spec: &str, rule: &str) -> Vec<String> {
    let seen = env.json(0, &["validate", spec]);
    let all = seen["findings"].as_array().unwrap().iter();
    let of_rule = all.filter(|finding| finding["rule"] == rule);
    of_rule.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

/// The guide as it is written breaks the rule, and a sound spec does not.
#[track_caller]
fn check(rule: &str, part: &str) {
    let env = TestEnv::new();
    env.write("guide.toml", include_str!("../../../examples/guide-as-written.toml"));
    env.lock("guide.toml");
    let found = findings(&env, "guide.toml", rule);
    assert!(found.iter().any(|message| message.contains(part)), "{rule}: {found:?}");
    assert_eq!(findings(&env, "small.toml", rule), [""; 0]);
}

/// The small spec breaks the rule after an edit.
#[track_caller]
fn check_edit(rule: &str, from: &str, to: &str, part: &str) {
    let env = TestEnv::new();
    env.edit(from, to);
    let found = findings(&env, "small.toml", rule);
    assert!(found.iter().any(|message| message.contains(part)), "{rule}: {found:?}");
}

#[test]
fn a_provider_id_from_the_instance_uuid_is_found() {
    check("provider-id", "by which CPI finds no machine");
}

#[test]
fn a_cluster_id_of_vcenter_is_found() {
    check("cluster-id", "domain-c8");
}

#[test]
fn images_of_a_dead_registry_are_found() {
    check("dead-registry", "gcr.io/cloud-provider-vsphere");
}

#[test]
fn a_password_in_the_config_map_is_found() {
    check("plaintext-password", "");
}

#[test]
fn zone_labels_without_tags_are_found() {
    let labels = "[cloud_provider]\nregion = \"k8s-region\"\nzone = \"k8s-zone\"";
    check_edit("zone-tags", "[cloud_provider]", labels, "never get ready");
}

#[test]
fn a_reclaim_policy_that_deletes_is_found() {
    check("reclaim-policy", "");
}

#[test]
fn volumes_that_cannot_grow_are_found() {
    check("volume-expansion", "");
}

#[test]
fn two_default_classes_are_found() {
    check("default-class", "");
}

#[test]
fn a_connection_that_checks_nothing_is_found() {
    check("tls-off", "");
}

#[test]
fn a_rule_that_more_servers_than_hosts_must_keep_is_found() {
    let hosts = r#"hosts = ["esxi-01.example.org", "esxi-02.example.org", "esxi-03.example.org", "esxi-04.example.org"]"#;
    let env = TestEnv::new();
    env.edit(hosts, r#"hosts = ["esxi-01.example.org", "esxi-02.example.org"]"#);
    assert_eq!(findings(&env, "small.toml", "anti-affinity"), [""; 0]);
    env.edit("keep_apart = \"prefer\"", "keep_apart = \"require\"");
    let found = findings(&env, "small.toml", "anti-affinity");
    assert_eq!(found, ["3 machines cannot be on different ones of 2 hosts"]);
}

#[test]
fn volumes_that_find_no_slot_are_found() {
    let env = TestEnv::new();
    env.edit("count  = 2\nname   = \"county", "count  = 50\nname   = \"county");
    let found = env.json(3, &["validate", "small.toml"])["findings"].to_string();
    assert!(found.contains("county-40 does not fit (volume slots, 32 short)"), "{found}");
}

/// `curl -k` of the guide: boma verifies, and says which thumbprint it saw.
async fn a_certificate_that_is_not_trusted_gets_no_password(backend: Backend) {
    let rig = Rig::on(backend).await;
    let before = rig.sessions().await;
    let wrong = rig.trusting(Trust::Thumbprint(["00"; 32].join(":")));
    let Reading::Unread(reason) =
        wrong.read(&[Subject::role("ReadOnly").wanted()]).await.remove(0).1
    else {
        panic!("it was read")
    };
    assert!(reason.contains("is not trusted"), "{reason}");
    assert_eq!(rig.sessions().await, before);
    if let Some(status) = rig.status().await {
        assert!(!status.requests.contains_key("Login"), "{:?}", status.requests);
    }
    rig.stop().await;
}
