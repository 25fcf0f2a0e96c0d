//! Saved plans: shown as they were made, applied once, to the world they were made for.

use super::env::TestEnv;
use super::world::{World, recorded};

const PLAN: &[&str] = &["plan", "--lab", "--out", "saved.plan", "small.toml"];
const APPLY: &[&str] = &["apply", "--lab", "--yes", "saved.plan"];

/// The plan is refused for that reason, and the world stays as it is.
#[track_caller]
fn check_refused(env: &TestEnv, arguments: &[&str], words: &[&str]) {
    let before = World::of(env, "small.toml");
    env.expect(3, arguments).assert_one_error(words);
    assert_eq!(World::of(env, "small.toml"), before);
}

#[test]
fn show_prints_what_plan_printed() {
    let env = TestEnv::new();
    for format in ["text", "json"] {
        let planned = env.expect(0, &[PLAN, &["--format", format]].concat());
        let shown = env.expect(0, &["show", "--format", format, "saved.plan"]);
        assert_eq!(shown.stdout, planned.stdout);
    }
    // It speaks to nobody: the world may be gone.
    env.expect(0, &["lab", "reset", "small.toml"]);
    std::fs::remove_file(env.path("small.toml")).expect("removed");
    env.expect(0, &["show", "saved.plan"]);
}

#[test]
fn applies_once() {
    let env = TestEnv::new();
    env.expect(0, PLAN);
    env.expect(0, APPLY);
    env.assert_settled();
    check_refused(&env, APPLY, &["plan again", "nothing was changed"]);
}

#[test]
fn of_a_destroy() {
    let env = TestEnv::new();
    env.without_projects();
    let fresh = World::of(&env, "small.toml");
    env.apply();
    env.expect(0, &[PLAN, &["--destroy"]].concat());
    env.expect(0, &[APPLY, &["--allow-disruption"]].concat());
    assert_eq!(World::of(&env, "small.toml").digest, fresh.digest);
    assert!(recorded(&env).is_empty());
}

#[test]
fn fits_one_world() {
    let env = TestEnv::new();
    env.expect(0, PLAN);
    check_refused(&env, &["apply", "--yes", "saved.plan"], &["made for the lab", "--lab"]);

    let (lab, mut client) = (TestEnv::new(), TestEnv::empty());
    let served = lab.serve(0);
    served.write_spec(&lab, &client);
    served.set_account(&mut client);
    client.expect(0, &["plan", "--out", "saved.plan", "real.toml"]);
    client.expect(3, APPLY).assert_one_error(&["made for the real world", "leave --lab out"]);
    client.expect(0, &["apply", "--yes", "saved.plan"]);
    served.stop();
}

#[test]
fn a_spec_that_changed() {
    let env = TestEnv::new();
    env.expect(0, PLAN);
    env.edit("8GiB", "16GiB");
    check_refused(&env, APPLY, &["small.toml has changed", "plan again"]);
}

#[test]
fn a_world_that_moved() {
    let env = TestEnv::new();
    env.apply();
    env.edit("cpus       = 4", "cpus       = 6");
    env.expect(0, PLAN);
    // Every VM gets another change by hand, those that the plan is about too.
    env.expect(0, &["lab", "drift", "small.toml", "--count", "72"]);
    let words = ["world has moved", "vsphere/vm/server-1 and 2 more"];
    check_refused(&env, &[APPLY, &["--allow-disruption"]].concat(), &words);
}

#[test]
fn a_state_that_moved() {
    let env = TestEnv::new();
    env.apply();
    env.edit("8GiB", "16GiB");
    env.expect(0, PLAN);
    env.expect(0, &["state", "rm", "--lab", "small.toml", "vsphere/role/CNS-VM"]);
    check_refused(
        &env,
        &[APPLY, &["--allow-disruption"]].concat(),
        &["state has moved", "plan again"],
    );
}

#[test]
fn an_offline_plan() {
    let env = TestEnv::new();
    env.expect(0, &[PLAN, &["--offline"]].concat());
    check_refused(&env, APPLY, &["offline plan", "without --offline"]);
}

#[test]
fn further_wishes() {
    let env = TestEnv::new();
    env.expect(0, PLAN);
    let wish = [APPLY, &["--target", "vsphere/role/*"]].concat();
    check_refused(&env, &wish, &["applied as it is"]);
}

#[test]
fn a_damaged_file() {
    let env = TestEnv::new();
    env.expect(0, PLAN);
    let whole = String::from_utf8(env.read("saved.plan")).expect("text");
    let damages = [
        whole[..whole.len() / 2].to_owned(),
        whole.replacen("\"format\":1", "\"format\":9", 1),
        "{}".to_owned(),
    ];
    for damaged in damages {
        assert_ne!(damaged, whole);
        env.write("saved.plan", damaged);
        check_refused(&env, APPLY, &["saved.plan is refused", "plan again"]);
        env.expect(3, &["show", "saved.plan"]).assert_one_error(&["saved.plan is refused"]);
    }
}

/// One letter is enough to make another plan of it, which nobody has reviewed.
#[test]
fn a_file_with_one_value_changed() {
    let env = TestEnv::new();
    env.expect(0, PLAN);
    let whole = String::from_utf8(env.read("saved.plan")).expect("text");
    for (from, to) in
        [("vsphere/vm/agent-1", "vsphere/vm/agent-2"), ("CNS-VM", "CNS-VN"), ("32768", "32769")]
    {
        assert!(whole.contains(from), "{from}");
        env.write("saved.plan", whole.replacen(from, to, 1));
        check_refused(&env, APPLY, &["saved.plan is refused", "plan again"]);
    }
}

/// `/dev/stdout` is such a link: as root, replacing it would harm the whole system.
#[test]
fn a_link_is_followed_or_refused_and_never_replaced() {
    let env = TestEnv::new();
    std::os::unix::fs::symlink("/dev/null", env.path("link")).expect("a link");
    env.run(&["plan", "--offline", "--out", "link", "small.toml"]);
    let link = std::fs::symlink_metadata(env.path("link")).expect("there");
    assert!(link.is_symlink());
}

#[test]
fn belongs_to_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let env = TestEnv::new();
    env.expect(0, PLAN);
    let mode = std::fs::metadata(env.path("saved.plan")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
