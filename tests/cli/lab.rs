//! The lab's own commands: faults, pages, and what `lab status` tells.

use serde_json::json;

use super::env::TestEnv;

const STATUS: &[&str] = &["lab", "status", "small.toml"];
const FAULT: &[&str] = &["lab", "fault", "small.toml"];

#[test]
fn faults_are_staged_shown_and_gone_once_they_have_hit() {
    let env = TestEnv::new();
    let served = env.serve(0);
    let clone = ["--method", "CloneVM_Task", "--nth", "2", "--fault", "task-error=FileFault:full"];
    let staged = env.expect(0, &[FAULT, &clone].concat()).stdout;
    assert!(staged.contains("task-error=FileFault:full"), "{staged}");
    env.expect(0, &[FAULT, &["--fault", "slow-task=1", "--times", "2"]].concat());

    let faults = env.json(0, STATUS)["faults"].clone();
    let expected = json!([
        {"method": "CloneVM_Task", "host": null, "nth": 2, "times": 1,
         "fault": {"task_error": {"kind": "FileFault", "message": "full"}}},
        {"method": null, "host": null, "nth": 1, "times": 2, "fault": {"slow_task": {"ms": 1}}},
    ]);
    assert_eq!(faults, expected);
    let text = env.expect(0, STATUS).stdout;
    assert!(text.contains("staged faults:\n  task-error=FileFault:full"), "{text}");
    // What is shown can be staged again.
    let again = faults.to_string();
    env.expect(0, &[FAULT, &["--clear", "--rules", &again]].concat());
    assert_eq!(env.json(0, STATUS)["faults"], expected);

    let applied = env.expect(4, &["apply", "--lab", "--yes", "small.toml"]);
    assert!(applied.stderr.contains("full"), "{applied}");
    assert_eq!(env.json(0, STATUS)["faults"], json!([]));
    env.apply();
    served.stop();
}

#[test]
fn mistakes_in_faults_are_said() {
    let env = TestEnv::new();
    let error = |arguments: &[&str], words: &[&str]| {
        let ran = env.expect(1, &[FAULT, arguments].concat());
        for word in words {
            assert!(ran.stderr.contains(word), "{word}: {ran}");
        }
    };
    error(&["--fault", "question"], &["nobody serves this lab", "boma lab serve"]);
    error(&["--fault", "nonsense"], &["no fault nonsense"]);
    error(&["--fault", "question", "--nth", "0"], &["--nth"]);
    error(&[], &["--fault"]);
    error(&["--rules", "{}"], &["--rules is no list of faults"]);
}

#[test]
fn pages_are_as_small_as_asked() {
    let env = TestEnv::new();
    env.apply();
    let mut serving = env.start(&["lab", "serve", "small.toml", "--page-size", "2"]);
    serving.wait_for(|line| line.starts_with("thumbprint"));
    // A vCenter that reads only page by page.
    let refuse =
        ["--method", "RetrieveProperties", "--fault", "refuse=NotSupported", "--times", "99"];
    env.expect(0, &[FAULT, &refuse].concat());
    env.assert_settled();
    let status = env.json(0, STATUS);
    let pages = status["requests"]["ContinueRetrievePropertiesEx"].as_u64();
    assert!(pages.is_some_and(|pages| pages > 5), "{status:#}");
    assert_eq!(status["sessions"]["by_agent"], json!({}));
    serving.signal("TERM");
    serving.finish().expect(0);
}
