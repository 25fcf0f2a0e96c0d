//! Kinds that only come in a manifest that somebody supplies: made in order, waited for, and where
//! a field of theirs is kept for good, refused or made anew by the plan, never found out by an
//! apply.

use boma::resource::Digest;
use serde_json::{Value as Json, json};

use crate::cli::env::{SMALL, TestEnv};
use crate::cli::hosts::rig::{APPLY, PLAN};

const SPACE: &str = "vmware-system-csi";

/// A definition whose objects keep their `driver`, one of those objects, and programs of each sort.
fn manifest() -> Vec<Json> {
    let fixed = json!({"type": "string", "x-kubernetes-validations": [
        {"rule": "self == oldSelf", "message": "driver is immutable"}]});
    let spec =
        json!({"type": "object", "properties": {"driver": fixed, "size": {"type": "integer"}}});
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}});
    let labels = json!({"app": "queue"});
    let pod = json!({"containers": [{"name": "main", "image": "registry.example/queue:1",
        "resources": {"limits": {"memory": "1024Mi"}}}]});
    let mut once = pod.clone();
    once["restartPolicy"] = json!("Never");
    vec![
        json!({"apiVersion": "example.org/v1", "kind": "Pool", "metadata": {"name": "a"},
            "spec": {"driver": "x", "size": 1}}),
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "pools.example.org"}, "spec": {"group": "example.org",
            "scope": "Cluster", "names": {"kind": "Pool", "plural": "pools"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}}),
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": "queue", "namespace": SPACE}, "spec": {"serviceName": "queue",
            "replicas": 2, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod}}}),
        json!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "once", "namespace": SPACE}, "spec": {"template": {"spec": once}}}),
    ]
}

/// A spec whose storage driver is these objects.
fn write(env: &TestEnv, objects: &[Json]) {
    let text: String = objects.iter().map(|object| format!("---\n{object}\n")).collect();
    let digest = Digest::of(text.as_bytes());
    let end = SMALL.find("[projects]").expect("a table");
    let named =
        format!("[csi.manifest]\nfrom = \"csi.yaml\"\nsha256 = \"{digest}\"\n\n[csi.digests]");
    env.write("csi.yaml", text);
    env.write("small.toml", SMALL[..end].replace("[csi.digests]", &named));
    env.lock("small.toml");
}

fn edited(kind: &str, edit: impl Fn(&mut Json)) -> Vec<Json> {
    let mut objects = manifest();
    objects.iter_mut().filter(|object| object["kind"] == kind).for_each(edit);
    objects
}

#[test]
fn what_they_keep_for_good_is_known_before_anything_is_written() {
    let env = TestEnv::empty();
    write(&env, &manifest());
    let applied = env.expect(0, APPLY);
    let lines = ["CustomResourceDefinition/pools.example.org", "Pool/a"];
    let [defined, made] = lines.map(|name| applied.stderr.find(&format!("cluster/csi/{name}")));
    assert!(defined.is_some() && defined < made, "{applied}");
    env.assert_settled();

    let refused = |objects: &[Json], said: [&str; 2]| {
        write(&env, objects);
        let plan = env.expect(3, PLAN);
        for words in said {
            assert!(plan.stdout.contains(words), "{words}: {plan}");
        }
        let refused = env.expect(3, APPLY);
        assert!(!refused.stdout.contains("Applied: "), "{refused}");
    };
    let service = |set: &mut Json| set["spec"]["serviceName"] = json!("other");
    refused(&edited("StatefulSet", service), ["spec.serviceName", "--cascade=orphan"]);
    let driver = |pool: &mut Json| pool["spec"]["driver"] = json!("y");
    let said = ["driver is immutable", "--replace cluster/csi/Pool/a"];
    refused(&edited("Pool", driver), said);

    // The same edit, made anew on purpose.
    env.expect(0, &[APPLY, &["--replace", "cluster/csi/Pool/a"]].concat());
    env.assert_settled();
}

#[test]
fn what_may_change_is_changed_and_what_is_done_once_is_done_again() {
    let env = TestEnv::empty();
    write(&env, &manifest());
    env.expect(0, APPLY);
    let image = |object: &mut Json| {
        let container = &mut object["spec"]["template"]["spec"]["containers"][0];
        container["image"] = json!("registry.example/queue:2");
    };
    let action = |objects: &[Json], address: &str| {
        write(&env, objects);
        let plan = env.json(0, PLAN);
        let changes = plan["changes"].as_array().expect("a list").iter();
        let found: Vec<&Json> = changes.filter(|one| one["action"] != "no-op").collect();
        assert_eq!((found.len(), &found[0]["address"]), (1, &json!(address)), "{plan:#}");
        let action = found[0]["action"].clone();
        env.expect(0, APPLY);
        env.assert_settled();
        action
    };
    assert_eq!(action(&edited("StatefulSet", image), "cluster/csi/StatefulSet/queue"), "update");
    write(&env, &manifest());
    env.expect(0, APPLY);
    assert_eq!(action(&edited("Job", image), "cluster/csi/Job/once"), "replace");
    let size = |pool: &mut Json| pool["spec"]["size"] = json!(2);
    write(&env, &manifest());
    env.expect(0, APPLY);
    assert_eq!(action(&edited("Pool", size), "cluster/csi/Pool/a"), "update");
}
