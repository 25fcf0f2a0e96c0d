//! Commands that fail, each in its way.

use super::super::env::TestEnv;
use super::commands::{AGENT, APPLY, SPEC};
use super::count::Sessions;

#[test]
fn errors_end_the_session() {
    let env = TestEnv::new();
    let served = env.serve(0);
    let sessions = Sessions::of(&env);
    let check = |code: i32, command: &[&str]| {
        let ran = env.expect(code, command);
        assert!(!ran.stderr.contains("panicked"), "{ran}");
        assert_eq!(sessions.open(), 0, "{ran}");
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
    assert_eq!(sessions.open(), 0, "{ran}");
    let ran = env.shell("$BOMA plan --lab small.toml | true");
    assert_eq!(sessions.open(), 0, "{ran}");
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
