//! Upgrades of counties in the lab: from 4.x to 5.x, and who owns their images.

use super::env::TestEnv;

const PLAN: &[&str] = &["plan", "--lab", "small.toml"];
const RELEASE: &str = "cht     = \"5.3.1\"";

/// A lab in which two counties run, made by a spec with these keys in place of the release.
fn begun(keys: &str) -> TestEnv {
    let env = TestEnv::new();
    env.edit(RELEASE, keys);
    env.lock("small.toml");
    env.apply();
    env.assert_settled();
    env
}

/// Edits the spec, applies it, and finds nothing left to do. Gives the plan that was carried out.
#[track_caller]
fn edited(env: &TestEnv, from: &str, to: &str) -> String {
    env.edit(from, to);
    env.lock("small.toml");
    let plan = env.expect(0, PLAN).stdout;
    env.apply();
    env.assert_settled();
    plan
}

#[track_caller]
fn assert_lines(plan: &str, lines: &[&str]) {
    for line in lines {
        assert!(plan.contains(line), "no {line:?} in\n{plan}");
    }
}

#[test]
fn from_4_to_5_and_never_back() {
    let env = begun("cht     = \"4.22.0\"\nimage_owner = \"boma\"");
    let plan = edited(&env, "\"4.22.0\"\nimage_owner = \"boma\"", "\"5.2.0\"");
    assert_lines(
        &plan,
        &[
            "cht-upgrade-path: county-01 and county-02 go from CHT 4.22.0 to 5.2.0",
            "project/*/Deployment/cht-couchdb-1    2 projects alike",
            "spec.strategy.type: RollingUpdate -> Recreate",
            "+ project/*/Service/nouveau    2 projects alike",
            "Plan: 2 to add, 14 to change, 0 to destroy.",
        ],
    );
    let plan = edited(&env, "\"5.2.0\"", "\"5.3.1\"");
    assert_lines(&plan, &["- project/*/Service/nouveau ", "+ project/*/Service/nouveau-3 "]);
    for lower in ["5.3.0", "4.22.0\"\nimage_owner = \"boma"] {
        env.edit("\"5.3.1\"", &format!("\"{lower}\""));
        let refused = env.expect(3, &["apply", "--lab", "--yes", "small.toml"]);
        assert_lines(
            &refused.stdout,
            &["cht-downgrade: CHT 5.3.1 runs in county-01 and county-02"],
        );
        env.edit(&format!("\"{lower}\""), "\"5.3.1\"");
    }
    env.assert_settled();
}

#[test]
fn images_pass_from_the_upgrade_service_to_boma_and_back() {
    let env = begun("cht     = \"4.22.0\"");
    let service = "project/*/Deployment/upgrade-service    2 projects alike";
    let plan = edited(&env, "\"4.22.0\"", "\"4.22.0\"\nimage_owner = \"boma\"");
    // Nothing but what knows of the upgrade-service restarts.
    assert_lines(&plan, &[&format!("- {service}"), "Plan: 0 to add, 2 to change, 10 to destroy."]);
    let plan = edited(&env, "image_owner = \"boma\"", "image_owner = \"upgrade-service\"");
    assert_lines(&plan, &[&format!("+ {service}"), "Plan: 10 to add, 2 to change, 0 to destroy."]);
    // On the way to 5.x the upgrade-service goes, and boma owns the images.
    let plan = edited(&env, "\"4.22.0\"\nimage_owner = \"upgrade-service\"", "\"5.3.1\"");
    assert_lines(&plan, &[&format!("- {service}"), "Plan: 6 to add, 14 to change, 10 to destroy."]);
}
