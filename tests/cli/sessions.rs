//! Sessions in the vCenter: each command ends its own on every way out but SIGKILL. A real vCenter
//! has few of them, and keeps a forgotten one for 30 minutes.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::env::TestEnv;
use super::process::Ran;
use super::world::World;
use crate::seeds;

const SPEC: &str = "small.toml";
const AGENT: &str = "vsphere/vm/agent-1";
const SAVED: &str = "saved.plan";
/// Long enough for a signal to come in the middle of an apply.
const DELAY_MS: u64 = 10;

/// What has to be done before a command, so that it has something to do.
type Before = &'static [&'static [&'static str]];

const NONE: Before = &[];
const FORGET: Before = &[APPLY, &["state", "rm", "--lab", SPEC, AGENT]];
const CHANGE: Before = &[
    APPLY,
    &["lab", "drift", SPEC, "--seed", "3", "--count", "2"],
    &["plan", "--lab", "--out", SAVED, SPEC],
];
const APPLY: &[&str] = &["apply", "--lab", "--yes", "--allow-disruption", SPEC];

/// Every command, those that open no session too.
const COMMANDS: &[(Before, &[&str])] = &[
    (NONE, &["validate", SPEC]),
    (NONE, &["plan", "--lab", SPEC]),
    (NONE, &["plan", "--lab", "--format", "json", "--detailed-exitcode", SPEC]),
    (NONE, APPLY),
    (CHANGE, &["apply", "--lab", "--yes", "--allow-disruption", SAVED]),
    (CHANGE, &["show", SAVED]),
    (NONE, &["drift", "--lab", SPEC]),
    (NONE, &["inventory", "--lab", SPEC]),
    (NONE, &["inventory", "--lab", "--format", "json", SPEC]),
    (FORGET, &["import", "--lab", SPEC, AGENT, "-"]),
    (NONE, &["graph", SPEC]),
    (NONE, &["state", "list", "--lab", SPEC]),
    (NONE, &["lab", "drift", SPEC, "--seed", "5"]),
    (NONE, &["lab", "status", SPEC]),
    (&[APPLY], &["plan", "--lab", "--destroy", SPEC]),
    (&[APPLY], &["destroy", "--lab", "--keep-disks", "--yes", SPEC]),
];

#[test]
fn every_command_ends_its_session() {
    seeds::each("cli::sessions::every_command_ends_its_session", "BOMA_RUNS", 1, |seed| {
        let env = TestEnv::new();
        let served = env.serve(DELAY_MS);
        for (at, (before, command)) in COMMANDS.iter().enumerate() {
            prepare(&env, before);
            let purpose = format!("{at} signal");
            let signal = seeds::Dice::new(seed, &purpose).pick(&["", "INT", "TERM", "HUP"]);
            let ran = ended(&env, command, signal, seeds::share(seed, &purpose));
            assert!(!ran.stderr.contains("panicked"), "{ran}");
            assert_eq!(open(&env), 0, "a session is left by SIG{signal}\n{ran}");
        }
        let mut kills = 0;
        for (at, (before, command)) in COMMANDS.iter().enumerate() {
            prepare(&env, before);
            ended(&env, command, "KILL", seeds::share(seed, &format!("{at} kill")));
            kills += 1;
            assert!(open(&env) <= kills, "more sessions than kills");
        }
        let left = open(&env);
        env.expect(0, APPLY);
        env.expect(0, &["destroy", "--lab", "--keep-disks", "--yes", SPEC]);
        assert_eq!(open(&env), left);
        served.stop();
    });
}

/// Commands that end early, each in its way.
#[test]
fn errors_end_the_session() {
    let env = TestEnv::new();
    let served = env.serve(0);
    let check = |code: i32, command: &[&str]| {
        let ran = env.expect(code, command);
        assert!(!ran.stderr.contains("panicked"), "{ran}");
        assert_eq!(open(&env), 0, "{ran}");
    };
    let fault = |method: &str, fault: &str| {
        env.expect(0, &["lab", "fault", SPEC, "--method", method, "--fault", fault]);
    };
    // Nobody can be asked.
    check(1, &["apply", "--lab", SPEC]);
    check(1, &["plan", "--lab", "--out", "missing/folder/plan", SPEC]);
    check(3, &["import", "--lab", SPEC, AGENT, "-"]);
    fault("CloneVM_Task", "task-error=InsufficientResourcesFault");
    check(4, APPLY);
    check(0, APPLY);
    env.edit("cpus      = 8", "cpus      = 6");
    check(3, &["apply", "--lab", "--yes", SPEC]);
    for dropped in ["drop-before", "drop-after", "unavailable", "refuse=NoPermission"] {
        let rules: Vec<String> = ["RetrievePropertiesEx", "CreateContainerView", "QueryRole"]
            .iter()
            .map(|method| format!(r#"{{"method":"{method}","times":9,"fault":{}}}"#, json(dropped)))
            .collect();
        let rules = format!("[{}]", rules.join(","));
        env.expect(0, &["lab", "fault", SPEC, "--rules", &rules]);
        check(1, &["plan", "--lab", SPEC]);
        env.expect(0, &["lab", "fault", SPEC, "--clear"]);
    }
    for lost in ["drop-before", "unavailable"] {
        let login = ["--method", "Login", "--times", "9", "--fault", lost];
        env.expect(0, &[&["lab", "fault", SPEC], &login[..]].concat());
        check(1, &["drift", "--lab", SPEC]);
        env.expect(0, &["lab", "fault", SPEC, "--clear"]);
    }
    // vCenter ends the session, and boma opens another.
    fault("RetrievePropertiesEx", "expire-session");
    check(0, &["plan", "--lab", SPEC]);
    let ran = env.shell("exec $BOMA plan --lab small.toml >/dev/full");
    assert_eq!(open(&env), 0, "{ran}");
    let ran = env.shell("$BOMA plan --lab small.toml | true");
    assert_eq!(open(&env), 0, "{ran}");
    served.stop();
}

fn json(fault: &str) -> String {
    match fault.split_once('=') {
        Some((name, kind)) => {
            format!(r#"{{"{name}":{{"kind":"{kind}","message":"staged"}}}}"#)
        }
        None => format!("\"{}\"", fault.replace('-', "_")),
    }
}

fn prepare(env: &TestEnv, before: Before) {
    for command in before {
        env.expect(0, command);
    }
}

/// Runs a command to its end, or until a signal at that share of the time it takes, about.
fn ended(env: &TestEnv, command: &[&str], signal: &str, share: f64) -> Ran {
    let mut running = env.start(command);
    if signal.is_empty() {
        return running.finish();
    }
    let (apply, plan) = undisturbed();
    let changes = command[0] == "apply" || command[0] == "destroy";
    running.leave_for(if changes { apply } else { plan }.mul_f64(share));
    if signal == "KILL" {
        return running.kill();
    }
    running.signal(signal);
    // Fails where it goes on for long.
    running.finish()
}

/// How long an apply and a plan take here that nobody disturbs.
fn undisturbed() -> (Duration, Duration) {
    static MEASURED: OnceLock<(Duration, Duration)> = OnceLock::new();
    *MEASURED.get_or_init(|| {
        let env = TestEnv::new();
        let served = env.serve(DELAY_MS);
        let durations = [APPLY, &["plan", "--lab", SPEC]].map(|command| {
            let begun = Instant::now();
            env.expect(0, command);
            begun.elapsed()
        });
        served.stop();
        durations.into()
    })
}

fn open(env: &TestEnv) -> u64 {
    World::of(env, SPEC).sessions_open
}
