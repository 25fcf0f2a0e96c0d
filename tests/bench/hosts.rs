//! A look at twelve hosts that answer late: about as long as the slowest one takes.

use std::time::{Duration, Instant};

use crate::cli::env::TestEnv;
use crate::cli::served::Served;

const SPEC: &str = "national-50-counties.toml";

#[test]
#[ignore = "prints figures; run by hand or by .ci/run"]
fn the_cost_of_looking_at_late_hosts() {
    let env = TestEnv::empty();
    env.write(SPEC, include_str!("../../examples/national-50-counties.toml"));
    let served = Served::start(&env, SPEC, 0);
    env.expect(0, &["apply", "--lab", "--yes", SPEC]);
    let mut on_time = Duration::MAX;
    for late_ms in [0, 500, 2000] {
        let rule = |host: String| {
            let fault = format!(r#"{{"slow_task":{{"ms":{late_ms}}}}}"#);
            format!(r#"{{"host":"{host}","method":"boma-probe","fault":{fault}}}"#)
        };
        let servers = (1..=3).map(|number| format!("server-{number}"));
        let hosts = servers.chain((1..=9).map(|number| format!("agent-{number}")));
        let rules: Vec<String> = hosts.map(rule).collect();
        env.expect(0, &["lab", "fault", SPEC, "--rules", &format!("[{}]", rules.join(","))]);
        let begun = Instant::now();
        env.expect(0, &["plan", "--lab", SPEC]);
        let took = begun.elapsed();
        println!("plan with 12 hosts that are {late_ms:>4} ms late: {took:.2?}");
        on_time = on_time.min(took);
        // One after the other they would take twelve times as long.
        assert!(took < on_time + Duration::from_millis(2 * late_ms + 500), "{took:.2?}");
    }
    served.stop();
}
