//! The whole country, once.

use super::env::TestEnv;
use super::world::World;

const SPEC: &str = "national-50-counties.toml";
const TEXT: &str = include_str!("../../examples/national-50-counties.toml");

#[test]
fn applies_settles_and_leaves_no_trace() {
    let env = TestEnv::empty();
    env.write(SPEC, TEXT);
    env.lock(SPEC);
    let before = World::of(&env, SPEC);

    let applied = env.expect(0, &["apply", "--lab", "--yes", SPEC]);
    assert!(applied.stderr.contains("(projects 50/50 ready)"), "{applied}");
    let plan = env.expect(0, &["plan", "--lab", "--detailed-exitcode", SPEC]);
    assert_eq!(plan.stdout.lines().last(), Some("No changes."), "{plan}");

    // Requests to vCenter and cluster may be 45; those to hosts are among these, too.
    let plan = env.json(0, &["plan", "--lab", SPEC]);
    let requests = plan["read"]["requests"].as_u64();
    assert!(requests.is_some_and(|requests| requests <= 45), "{requests:?} requests");

    let applied = World::of(&env, SPEC);
    assert_ne!(applied.digest, before.digest);
    applied.assert_nothing_twice();
    for name in (1..=3)
        .map(|number| format!("server-{number}"))
        .chain((1..=9).map(|number| format!("agent-{number}")))
    {
        assert!(
            applied.inventory.iter().any(|line| line.ends_with(&format!("/DC1/vm/cht/{name}"))),
            "{name}"
        );
    }
    one_default_is_one_line(&env);
    one_county_is_its_own(&env);

    env.write(SPEC, TEXT);
    env.expect(0, &["destroy", "--lab", "--keep-disks", "--yes", SPEC]);
    // The disks of the counties are still there.
    let after = World::of(&env, SPEC);
    assert_eq!((after.inventory, after.sessions_open), (before.inventory, 0));
}

fn edit(env: &TestEnv, from: &str, to: &str) {
    assert!(TEXT.contains(from), "{from}");
    env.write(SPEC, TEXT.replacen(from, to, 1));
}

/// A default that all counties have: whatever their number, a line for each object.
fn one_default_is_one_line(env: &TestEnv) {
    edit(env, "[projects.defaults]\n", "[projects.defaults]\nlog_level = \"debug\"\n");
    let plan = env.expect(0, &["plan", "--lab", SPEC]);
    let lines: Vec<&str> = plan.stdout.lines().filter(|line| line.contains("project/")).collect();
    let parts = ["cht-api", "cht-couchdb-1", "cht-couchdb-2", "cht-couchdb-3", "cht-sentinel"];
    assert_eq!(lines.len(), parts.len(), "{plan}");
    for part in parts {
        let line = format!("  ~ project/*/Deployment/{part}    50 projects alike  ");
        assert!(lines.iter().any(|one| one.starts_with(&line)), "no {line:?}: {plan}");
    }
    let last = "Plan: 0 to add, 250 to change, 0 to destroy.";
    assert_eq!(plan.stdout.lines().last(), Some(last), "{plan}");
}

/// A 51st county, and one that is another than the others.
fn one_county_is_its_own(env: &TestEnv) {
    let counties = |expected: &str| {
        let plan = env.json(0, &["plan", "--lab", SPEC]);
        let changes = plan["changes"].as_array().expect("changes").iter();
        let changes: Vec<&str> = changes.filter_map(|one| one["address"].as_str()).collect();
        let own = format!("project/{expected}/");
        assert!(!changes.is_empty() && changes.iter().all(|one| one.starts_with(&own)), "{plan:#}");
        changes.len()
    };
    edit(env, "count  = 50", "count  = 51");
    assert_eq!(counties("county-51"), 24);
    edit(env, "couchdb = { storage = \"700GiB\" }", "couchdb = { storage = \"800GiB\" }");
    assert_eq!(counties("county-01"), 3);
}
