//! Secrets get nowhere: no output, log, argument, state, journal or plan has them.

use std::collections::BTreeSet;
use std::path::Path;

use super::env::TestEnv;
use super::process::Ran;

const VARIABLES: &[&str] = &[
    "VCENTER_USERNAME",
    "VCENTER_PASSWORD",
    "STORAGE_PASSWORD",
    "K3S_TOKEN",
    "K3S_AGENT_TOKEN",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
];

/// What to look for.
pub struct Canaries(BTreeSet<Vec<u8>>);

impl Canaries {
    /// The secrets, and their base64 forms at each of the three places in a group of bytes.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let forms = secrets.into_iter().flat_map(|secret| {
            let encoded = (0..3).map(|shift| base64_core(secret.as_bytes(), shift));
            [secret.as_bytes().to_vec()].into_iter().chain(encoded).collect::<Vec<_>>()
        });
        Self(forms.collect())
    }

    #[track_caller]
    fn assert_not_in(&self, place: &str, bytes: &[u8]) {
        for form in &self.0 {
            let found = bytes.windows(form.len()).any(|window| window == form);
            assert!(!found, "{place} holds {}", String::from_utf8_lossy(form));
        }
    }

    #[track_caller]
    pub fn assert_unsaid(&self, ran: &Ran) {
        self.assert_not_in(&ran.command, ran.stdout.as_bytes());
        self.assert_not_in(&ran.command, ran.stderr.as_bytes());
    }

    /// No file of a folder holds them, nor does its name.
    #[track_caller]
    fn assert_unwritten(&self, env: &TestEnv) {
        self.assert_unwritten_but(env, "nowhere else");
    }

    /// No file of a folder holds them but those below another one in it.
    #[track_caller]
    pub fn assert_unwritten_but(&self, env: &TestEnv, below: &str) {
        let mut files = env.files("");
        files.retain(|file| !file.starts_with(env.path(below)));
        assert!(!files.is_empty());
        for file in files {
            let bytes = std::fs::read(&file).expect("read");
            self.assert_not_in(&file.display().to_string(), &bytes);
            self.assert_not_in("a file's name", file.display().to_string().as_bytes());
        }
    }
}

/// The base64 of bytes that stand `shift` bytes after a multiple of three, without the digits
/// that its neighbours have a part in.
fn base64_core(bytes: &[u8], shift: usize) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let aligned = &bytes[(3 - shift) % 3..];
    let whole = aligned.chunks_exact(3);
    let digits = whole.flat_map(|chunk| {
        let group = chunk.iter().fold(0_usize, |group, byte| group << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|bits| DIGITS[group >> bits & 63])
    });
    digits.collect()
}

#[test]
fn base64_is_found_wherever_it_stands() {
    assert_eq!(base64_core(b"Man is", 0), b"TWFuIGlz");
    assert_eq!(base64_core(b"xMan is", 2), b"TWFuIGlz");
    assert_eq!(base64_core(b"xyMan is", 1), b"TWFuIGlz");
}

/// Everything that can be asked for, with the most verbose log.
fn run_everything(env: &TestEnv, world: &[&str], spec: &str, seen: impl Fn(&Ran)) {
    let run = |arguments: &[&str]| {
        let log = ["--log-file", "boma.log"];
        seen(&env.run(&[arguments, world, &log].concat()));
    };
    run(&["plan", "--full", "--out", "saved.plan", spec]);
    run(&["apply", "--yes", "saved.plan"]);
    run(&["plan", "--format", "json", "--full", spec]);
    run(&["drift", "--format", "json", spec]);
    run(&["drift", spec]);
    run(&["state", "list", "--format", "json", spec]);
    run(&["state", "show", spec, "vsphere/vm/agent-1"]);
    run(&["apply", "--yes", "--format", "json", "--replace", "vsphere/role/CNS-VM", spec]);
    run(&["apply", "--yes", "--replace", "vsphere/vm/agent-1", "--allow-disruption", spec]);
    for arguments in [&["show", "--full", "saved.plan"][..], &["validate", "--full", spec]] {
        seen(&env.run(&[arguments, &["--log-file", "boma.log"]].concat()));
    }
}

#[test]
fn of_the_environment_with_the_lab() {
    let mut env = TestEnv::new();
    let secrets: Vec<String> =
        VARIABLES.iter().map(|name| format!("canary-{name}-8Rq!x<&7")).collect();
    for (name, secret) in VARIABLES.iter().zip(&secrets) {
        env.set(name, secret);
    }
    env.set("BOMA_LOG", "trace");
    let canaries = Canaries::new(secrets.iter().map(String::as_str));
    run_everything(&env, &["--lab"], "small.toml", |ran| canaries.assert_unsaid(ran));
    canaries.assert_unsaid(&env.expect(0, &["lab", "drift", "small.toml"]));
    canaries.assert_unsaid(
        &env.expect(0, &["destroy", "--lab", "--keep-disks", "--yes", "small.toml"]),
    );
    assert!(!env.read("boma.log").is_empty());
    canaries.assert_unwritten(&env);
}

#[test]
fn of_a_real_vcenter() {
    let (lab, mut env) = (TestEnv::new(), TestEnv::empty());
    let served = lab.serve(100);
    served.write_spec(&lab, &env);
    served.set_account(&mut env);
    env.set("BOMA_LOG", "trace");
    let canaries = Canaries::new([served.password.as_str()]);

    let arguments = ["apply", "--yes", "--log-file", "boma.log", "real.toml"];
    let mut applying = env.start(&arguments);
    applying.wait_for(|line| line.contains("create started"));
    let words = std::fs::read(Path::new("/proc").join(applying.pid().to_string()).join("cmdline"));
    canaries.assert_not_in("argv", &words.expect("of a process that runs"));
    let killed = applying.kill();
    canaries.assert_unsaid(&killed);
    // The journal of a killed apply holds what was under way.
    canaries.assert_unwritten(&env);

    run_everything(&env, &[], "real.toml", |ran| canaries.assert_unsaid(ran));
    canaries.assert_unsaid(&env.expect(0, &["destroy", "--yes", "real.toml"]));
    let log = env.read("boma.log");
    assert!(log.windows(4).any(|window| window == b"TRAC"), "the log is not at its most verbose");
    canaries.assert_unwritten(&env);
    served.stop();
}

#[test]
fn of_a_login_that_is_refused() {
    let (lab, mut env) = (TestEnv::new(), TestEnv::empty());
    let served = lab.serve(0);
    served.write_spec(&lab, &env);
    served.set_account(&mut env);
    let wrong = "canary-wrong-password-4tQz";
    env.set("VCENTER_PASSWORD", wrong);
    env.set("BOMA_LOG", "trace");
    let canaries = Canaries::new([wrong]);
    for arguments in [&["plan"][..], &["apply", "--yes"], &["plan", "--format", "json"]] {
        let rest = ["--log-file", "boma.log", "real.toml"];
        canaries.assert_unsaid(&env.expect(1, &[arguments, &rest].concat()));
    }
    canaries.assert_unwritten(&env);
    served.stop();
}
