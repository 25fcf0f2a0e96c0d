//! JSON for scripts: every output is as its schema says, and has the keys that scripts rely on.

use serde_json::{Value as Json, json};

use super::env::{RESOURCES, TestEnv};

/// Holds a document to the schema of that name.
#[track_caller]
fn check(env: &TestEnv, name: &str, document: &Json) {
    let schema = env.expect(0, &["schema", name]).json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{document:#}");
}

#[track_caller]
fn assert_keys(document: &Json, keys: &[&str]) {
    for key in keys {
        assert!(document.get(key).is_some(), "no {key}: {document:#}");
    }
}

#[test]
fn validate() {
    let env = TestEnv::new();
    let valid = env.json(0, &["validate", "small.toml"]);
    check(&env, "validate", &valid);
    assert_eq!((&valid["valid"], &valid["diagnostics"]), (&json!(true), &json!([])));

    env.edit("keep_apart", "keep_together");
    let refused = env.json(3, &["validate", "small.toml"]);
    check(&env, "validate", &refused);
    assert_keys(&refused["diagnostics"][0], &["file", "line", "column", "message", "help"]);
    assert_eq!(refused["diagnostics"][0]["file"], "small.toml");
}

#[test]
fn findings() {
    let env = TestEnv::new();
    env.write("guide.toml", include_str!("../../examples/guide-as-written.toml"));
    env.lock("guide.toml");
    let validated = env.json(0, &["validate", "guide.toml"]);
    check(&env, "validate", &validated);
    let keys = ["rule", "level", "file", "line", "address", "message", "waived"];
    for finding in validated["findings"].as_array().expect("findings") {
        assert_keys(finding, &keys);
    }
    assert!(!validated["findings"].as_array().expect("findings").is_empty());
}

#[test]
fn plan_and_show() {
    let env = TestEnv::new();
    let plan = env.json(0, &["plan", "--lab", "--out", "saved.plan", "small.toml"]);
    check(&env, "plan", &plan);
    assert_keys(
        &plan["summary"],
        &["create", "update", "replace", "delete", "adopt", "forget", "no_op"],
    );
    assert_keys(&plan["changes"][0], &["address", "action", "reasons", "attributes"]);
    assert_eq!(plan["summary"]["create"], RESOURCES);
    check(&env, "plan", &env.json(0, &["show", "saved.plan"]));
    check(&env, "plan", &env.json(0, &["plan", "--offline", "small.toml"]));

    env.apply();
    env.edit("cpus       = 4", "cpus       = 6");
    let update = env.json(0, &["plan", "--lab", "small.toml"]);
    check(&env, "plan", &update);
    assert_eq!(update["summary"]["update"], 3);
    assert_eq!(update["windows"].as_array().map(Vec::len), Some(3));
}

#[test]
fn apply_its_events_and_destroy() {
    let env = TestEnv::new();
    for command in [&["apply"][..], &["destroy", "--keep-disks"]] {
        let options = ["--lab", "--yes", "--format", "json", "small.toml"];
        let ran = env.expect(0, &[command, &options].concat());
        check(&env, "apply", &ran.json());
        assert_eq!(ran.json()["outcome"]["done"], RESOURCES, "{ran}");
        // Two counties of three nodes.
        let left = ran.json()["disks_left"].as_array().map(Vec::len);
        assert_eq!(left, Some(if command == ["apply"] { 0 } else { 6 }), "{ran}");
        let events: Vec<Json> =
            ran.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert_eq!(events.first().map(|event| &event["event"]), Some(&json!("began")));
        assert_eq!(events.last().map(|event| &event["event"]), Some(&json!("ended")));
        let schema = env.expect(0, &["schema", "event"]).json();
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        for event in &events {
            assert!(validator.is_valid(event), "{event:#}");
        }
    }
    let nothing = env.json(0, &["destroy", "--lab", "--keep-disks", "--yes", "small.toml"]);
    check(&env, "apply", &nothing);
    assert_eq!(nothing["outcome"]["done"], 0);
}

#[test]
fn drift_and_the_lab() {
    let env = TestEnv::new();
    env.apply();
    check(&env, "drift", &env.json(0, &["drift", "--lab", "small.toml"]));
    let drifted =
        env.expect(0, &["lab", "drift", "small.toml", "--seed", "3", "--count", "4"]).json();
    check(&env, "lab-drift", &drifted);
    assert_keys(&drifted["drifted"][0], &["address", "attribute", "before", "after"]);
    let drift = env.json(2, &["drift", "--lab", "small.toml"]);
    check(&env, "drift", &drift);
    assert_keys(&drift["drift"][0], &["address", "attributes"]);
    check(&env, "lab-status", &env.json(0, &["lab", "status", "small.toml"]));
}

#[test]
fn state() {
    let env = TestEnv::new();
    env.apply();
    let list = env.json(0, &["state", "list", "--lab", "small.toml"]);
    check(&env, "state-list", &list);
    assert_eq!(list["resources"].as_array().map(Vec::len), Some(RESOURCES));
    for resource in list["resources"].as_array().expect("a list") {
        let address = resource["address"].as_str().expect("an address");
        let shown = env.json(0, &["state", "show", "--lab", "small.toml", address]);
        check(&env, "state-show", &shown);
        assert_eq!(shown["address"], address);
    }
}

#[test]
fn errors() {
    let env = TestEnv::new();
    let failing: &[(i32, &[&str])] = &[
        (1, &["plan", "none.toml"]),
        (1, &["validate", "none.toml"]),
        (1, &["drift", "none.toml"]),
        (1, &["show", "none.plan"]),
        (1, &["apply", "--lab", "small.toml"]),
        (3, &["apply", "--lab", "--yes", "offline.plan"]),
        (1, &["state", "list", "none.toml"]),
        (1, &["state", "show", "--lab", "small.toml", "vsphere/vm/none"]),
        (1, &["lab", "status", "none.toml"]),
    ];
    env.expect(0, &["plan", "--lab", "--offline", "--out", "offline.plan", "small.toml"]);
    for (code, arguments) in failing {
        let error = env.json(*code, arguments);
        check(&env, "error", &error);
        assert_eq!(error["error"]["code"], *code, "{arguments:?}");
        assert!(error["error"]["help"].is_string(), "{arguments:?}");
    }
}

/// `boma schema --write schema` mends it.
#[test]
fn committed_schemas_are_current() {
    let env = TestEnv::empty();
    env.expect(0, &["schema", "--write", "."]);
    let committed = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    let names = |folder: &std::path::Path| {
        let files = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("one").file_name());
        let mut names: Vec<_> =
            files.filter(|name| name.to_string_lossy().ends_with(".json")).collect();
        names.sort();
        names
    };
    assert_eq!(names(&env.path("")), names(&committed));
    for name in names(&committed) {
        let current = env.read(&name.to_string_lossy());
        let committed = std::fs::read(committed.join(&name)).expect("read");
        assert!(current == committed, "{} is not current", name.display());
    }
}

#[test]
fn a_schema_that_is_not_there() {
    let ran = TestEnv::new().expect(1, &["schema", "plans"]);
    ran.assert_one_error(&["no schema of plans", "state-list"]);
}
