//! An agent that never comes up at a first apply: the counties run on the others.

use super::env::TestEnv;

#[test]
fn counties_do_not_wait_for_one_dead_agent() {
    let env = TestEnv::new();
    let served = env.serve(0);
    let fault = ["--host", "agent-2", "--fault", "sudo-refused", "--times", "1000"];
    env.expect(0, &[&["lab", "fault", "small.toml"], &fault[..]].concat());
    let partly = env.expect(4, &["apply", "--lab", "--yes", "small.toml"]);
    assert!(partly.stderr.contains("projects 2/2 ready"), "{partly}");
    let failed = partly.stdout.lines().filter(|line| line.starts_with("  host/firewall/agent-2: "));
    assert_eq!(failed.count(), 1, "{partly}");

    // A county that comes later does not wait for it either, and what is missing is said.
    env.edit("count  = 2\nname   = \"county-{:02}\"", "count  = 3\nname   = \"county-{:02}\"");
    env.lock("small.toml");
    let later = env.run(&["apply", "--lab", "--yes", "small.toml"]);
    assert!(later.stderr.contains("county-03: "), "{later}");
    assert!(later.stderr.contains("projects 1/1 ready"), "{later}");
    assert_ne!(later.code, Some(0), "{later}");

    env.expect(0, &["lab", "fault", "small.toml", "--clear"]);
    env.apply();
    env.assert_settled();
    served.stop();
}

/// One that joined and died before the cluster's own parts were there: they are done without it.
#[test]
fn nothing_waits_for_the_pods_of_an_agent_that_died() {
    let env = TestEnv::new();
    let apply = ["apply", "--lab", "--yes", "small.toml"];
    env.expect(0, &[&apply[..], &["--target", "cluster/node/**"]].concat());
    let served = env.serve(0);
    let fault = ["--host", "agent-2", "--fault", "dead"];
    env.expect(0, &[&["lab", "fault", "small.toml"], &fault[..]].concat());
    let plan = env.run(&["plan", "--lab", "small.toml"]);
    assert!(plan.stdout.contains("host/firewall/agent-2"), "{plan}");
    let partly = env.run(&apply);
    assert!(partly.stderr.contains("projects 2/2 ready"), "{partly}");
    assert!(partly.stderr.contains("cluster/csi/DaemonSet/vsphere-csi-node: create done"));
    assert_ne!(partly.code, Some(0), "{partly}");
    served.stop();
}
