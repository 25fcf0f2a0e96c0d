//! `boma graph`: which resource needs which, from the spec alone.

use serde_json::{Value as Json, json};

use super::env::TestEnv;

#[test]
fn pictures_are_the_same_every_time_and_ask_nobody() {
    let mut env = TestEnv::new();
    env.set("VCENTER_PASSWORD", "canary-8Rq");
    for (format, first) in [("dot", "digraph \"small\" {"), ("mermaid", "---")] {
        let arguments = ["graph", "small.toml", "--format", format];
        let text = env.expect(0, &arguments).stdout;
        assert_eq!(text.lines().next(), Some(first), "{text}");
        assert_eq!(text, env.expect(0, &arguments).stdout);
        assert!(!text.contains("canary"), "{text}");
    }
    assert!(env.files("state").is_empty());
}

#[test]
fn every_resource_and_dependency_is_in_the_json() {
    let env = TestEnv::new();
    let graph = env.json(0, &["graph", "small.toml"]);
    let plan = env.json(0, &["plan", "--offline", "small.toml"]);
    let count = |of: &Json| of.as_array().map(Vec::len);
    assert_eq!(count(&graph["nodes"]), count(&plan["changes"]));
    let edges = graph["edges"].as_array().expect("edges");
    let lives = json!({
        "from": "vsphere/permission/vm/agent-1", "to": "vsphere/vm/agent-1",
        "kinds": ["refers", "lives-in"], "implied": false,
    });
    assert!(edges.contains(&lives), "{graph:#}");
}
