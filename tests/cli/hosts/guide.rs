//! The guide as it was written, mistakes and all.

use crate::cli::env::TestEnv;
use crate::cli::world::World;

const SPEC: &str = "guide-as-written.toml";

#[test]
fn applies_with_its_findings_and_settles() {
    let env = TestEnv::empty();
    env.write(SPEC, include_str!("../../../examples/guide-as-written.toml"));
    env.lock(SPEC);
    let before = World::of(&env, SPEC);

    let applied = env.expect(0, &["apply", "--lab", "--yes", SPEC]);
    for rule in ["tls-off", "shared-token", "fixed-join-server", "docker-version"] {
        assert!(applied.stdout.contains(rule), "{rule}: {applied}");
    }
    let plan = env.expect(0, &["plan", "--lab", "--detailed-exitcode", SPEC]);
    assert_eq!(plan.stdout.lines().last(), Some("No changes."), "{plan}");
    env.expect(0, &["drift", "--lab", SPEC]);

    env.expect(0, &["destroy", "--lab", "--keep-disks", "--yes", SPEC]);
    // The disks of the counties are still there.
    assert_eq!(World::of(&env, SPEC).inventory, before.inventory);
}
