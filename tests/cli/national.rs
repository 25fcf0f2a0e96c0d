//! The whole country, once.

use super::env::TestEnv;
use super::world::World;

const SPEC: &str = "national-50-counties.toml";

#[test]
fn applies_settles_and_leaves_no_trace() {
    let env = TestEnv::empty();
    env.write(SPEC, include_str!("../../examples/national-50-counties.toml"));
    env.lock(SPEC);
    let before = World::of(&env, SPEC);

    env.expect(0, &["apply", "--lab", "--yes", SPEC]);
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

    env.expect(0, &["destroy", "--lab", "--keep-disks", "--yes", SPEC]);
    // The disks of the counties are still there.
    let after = World::of(&env, SPEC);
    assert_eq!((after.inventory, after.sessions_open), (before.inventory, 0));
}
