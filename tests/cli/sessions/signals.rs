//! Every command, ended at any moment.

use std::time::{Duration, Instant};

use super::super::env::TestEnv;
use super::super::process::Ran;
use super::commands::{
    APPLY, APPLY_VCENTER, ASKS_NOBODY, Case, LOGS_IN, LOGS_IN_AND_GOES_ON, SPEC, Words,
};
use super::count::Sessions;
use crate::seeds::{self, Dice};

/// Long enough for a signal to come in the middle of an apply.
const DELAY_MS: u64 = 10;
/// What may come: nothing, one, or one more while the first is obeyed.
const SIGNALS: &[&[&str]] = &[&[], &["INT"], &["TERM"], &["HUP"], &["INT", "TERM"]];
/// A key for which nobody has the other half, as a file has it.
const READERS: &str =
    "# the hosting team\nage1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n";

#[test]
fn every_command_ends_its_session() {
    let test = "cli::sessions::signals::every_command_ends_its_session";
    ended_in_all_ways(test, LOGS_IN, APPLY_VCENTER);
}

#[test]
fn commands_that_go_on_to_a_cluster_end_their_session() {
    let test = "cli::sessions::signals::commands_that_go_on_to_a_cluster_end_their_session";
    ended_in_all_ways(test, LOGS_IN_AND_GOES_ON, APPLY);
}

#[test]
fn other_commands_open_none() {
    let made = world(APPLY_VCENTER);
    let served = made.serve(0);
    let sessions = Sessions::of(&made);
    for Case { before, command, code } in ASKS_NOBODY {
        prepare(&made, before);
        let counted = sessions.count();
        let ran = made.expect(*code, command);
        assert_eq!(sessions.count(), counted, "{ran}");
    }
    served.stop();
}

/// Runs the cases undisturbed, then so often as `BOMA_RUNS` says ended by signals, and by SIGKILL.
fn ended_in_all_ways(test: &str, cases: &[Case], apply: Words) {
    let made = world(apply);
    let durations = undisturbed(&made.copy(), cases);
    seeds::each_at_once(test, "BOMA_RUNS", 1, |seed| {
        let env = made.copy();
        let served = env.serve(DELAY_MS);
        let sessions = Sessions::of(&env);
        for (at, (case, duration)) in cases.iter().zip(&durations).enumerate() {
            let purpose = format!("{at} signal");
            let signals = Dice::new(seed, &purpose).pick(SIGNALS);
            let ran = ended(&env, case, signals, duration.mul_f64(seeds::share(seed, &purpose)));
            assert!(!ran.stderr.contains("panicked"), "{ran}");
            assert_eq!(sessions.open(), 0, "a session is left by {signals:?}\n{ran}");
        }
        for (at, (case, duration)) in cases.iter().zip(&durations).enumerate() {
            let share = seeds::share(seed, &format!("{at} kill"));
            ended(&env, case, &["KILL"], duration.mul_f64(share));
            assert!(sessions.open() <= at as u64 + 1, "more sessions than kills");
        }
        env.expect(0, apply);
        let left = sessions.open();
        env.expect(0, &["drift", "--lab", SPEC]);
        assert_eq!(sessions.open(), left);
        served.stop();
    });
}

/// A world in which that was applied.
fn world(apply: Words) -> TestEnv {
    let env = TestEnv::new();
    env.write("readers", READERS);
    env.expect(0, apply);
    env
}

/// How long the cases take. Each opens one session, and ends it.
fn undisturbed(env: &TestEnv, cases: &[Case]) -> Vec<Duration> {
    let served = env.serve(DELAY_MS);
    let sessions = Sessions::of(env);
    let durations = cases.iter().map(|case| {
        prepare(env, case.before);
        let (_, before) = sessions.count();
        let begun = Instant::now();
        let ran = env.expect(case.code, case.command);
        let duration = begun.elapsed();
        assert_eq!(sessions.count(), (0, before + 1), "open and ever\n{ran}");
        duration
    });
    let durations = durations.collect();
    served.stop();
    durations
}

fn prepare(env: &TestEnv, before: &[Words]) {
    for command in before {
        env.expect(0, command);
    }
}

/// Runs a case to its end, or until a signal comes after so long.
fn ended(env: &TestEnv, case: &Case, signals: &[&str], after: Duration) -> Ran {
    prepare(env, case.before);
    let mut running = env.start(case.command);
    if !signals.is_empty() {
        running.leave_for(after);
    }
    for signal in signals {
        running.signal(signal);
    }
    // Fails where it goes on for long.
    running.finish()
}
