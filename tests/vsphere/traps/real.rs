//! The whole command against a lab that the test itself serves, and can reach into.

use boma::lab::{ServeOptions, Setup, Status};
use boma::provider::vsphere::Trust;
use secrecy::ExposeSecret as _;

use crate::cli::env::{SMALL, TestEnv};
use crate::cli::process::Ran;
use crate::vsphere::rig::{Rig, setup};

/// A vCenter, and somebody who manages it with `real.toml`: `small.toml` with this vCenter.
///
/// Its commands block the test, so the test needs more than one thread.
pub struct Real {
    pub rig: Rig,
    pub env: TestEnv,
}

impl Real {
    pub async fn new() -> Self {
        Self::with(world()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let rig = Rig::with(setup, ServeOptions::default()).await;
        let mut env = TestEnv::empty();
        let config = &rig.config;
        let Trust::CaPem(ca) = &config.trust else { panic!("the lab's CA is trusted") };
        env.write("vcenter-ca.pem", ca);
        env.manage(&config.username, rig.config.password.expose_secret());
        let server = format!("\"{}\"\nport = {}", config.host, config.port);
        env.write("real.toml", SMALL.replace("\"vcenter.example.org\"", &server));
        Self { rig, env }
    }

    /// One in which everything is applied.
    pub async fn applied() -> Self {
        let real = Self::new().await;
        real.run(0, &["apply", "--yes"]);
        real
    }

    /// Runs a command on the spec, which must end with that exit code.
    #[track_caller]
    pub fn run(&self, code: i32, arguments: &[&str]) -> Ran {
        self.env.expect(code, &[arguments, &["real.toml"]].concat())
    }

    /// Replaces text of the spec.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) {
        let text = String::from_utf8(self.env.read("real.toml")).unwrap();
        assert!(text.contains(from), "the spec has no {from:?}");
        self.env.write("real.toml", text.replace(from, to));
    }

    /// What the spec's account logs in with.
    pub fn password(&self) -> &str {
        self.rig.config.password.expose_secret()
    }

    /// The next plan is empty.
    #[track_caller]
    pub fn assert_settled(&self) {
        let plan = self.run(0, &["plan", "--detailed-exitcode"]);
        assert_eq!(plan.stdout.lines().last(), Some("No changes."), "{plan}");
    }

    pub async fn status(&self) -> Status {
        self.rig.control().status().await.unwrap()
    }
}

/// What the small spec supposes.
pub fn world() -> Setup {
    let hosts = (1..=4).map(|number| format!("esxi-0{number}.example.org")).collect();
    Setup { hosts, ..setup(Vec::new()) }
}
