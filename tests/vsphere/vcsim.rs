//! govmomi's simulator (tests/conformance/vcsim), one process per test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use boma::provider::vsphere::{Trust, VcenterConfig};
use serde_json::Value as Json;

/// What govmomi's simulator 0.24.2 does otherwise than a vCenter. A test names the gap where it
/// leaves something out; the provider is never bent to fit one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// `CloneVM_Task` takes CPUs, memory and hot-add from the template, not from the spec.
    CloneKeepsSize,
    /// `extraConfig` gets a second entry for a key that is there, and an empty value stays.
    ExtraConfigDoubles,
    /// It crashes where a device is edited whose label and summary are not sent along; vCenter
    /// works those out itself.
    EditsCrash,
    /// `UpgradeVM_Task` goes to one fixed version, in any power state.
    UpgradeIgnoresVersion,
    /// No guest: no VMware Tools, no address, no shutdown from inside.
    NoGuest,
    /// Principals are any text: neither looked up nor put into one form, and their case counts.
    AnyPrincipal,
    /// Permissions may be set on a datacenter's own folders.
    PermissionsAnywhere,
    /// `RemoveAuthorizationRole` ignores `failIfUsed`.
    RolesGoWhenUsed,
    /// Permissions outlive the object that they are set on, and asking for them then breaks the
    /// connection.
    PermissionsStay,
    /// Paths with a key, such as `config.extraConfig["k"]`, are unknown to its PropertyCollector.
    NoKeyedPaths,
}

/// A running simulator; it ends when its standard input is closed.
pub struct Vcsim {
    pub config: VcenterConfig,
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Vcsim {
    /// Starts the program that `BOMA_VCSIM` names, with so many machines beside the template.
    pub fn start(machines: usize) -> Self {
        let program = std::env::var_os("BOMA_VCSIM")
            .expect("BOMA_VCSIM names the simulator; .ci/conformance builds it and sets this");
        let mut child = Command::new(program)
            .args(["-machines", &machines.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let told: Json = serde_json::from_str(&line(&mut output)).unwrap();
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let host = text("host");
        let (host, port) = host.rsplit_once(':').unwrap();
        let config = VcenterConfig {
            host: host.into(),
            port: port.parse().unwrap(),
            username: text("username"),
            password: text("password").into(),
            trust: Trust::Thumbprint(text("thumbprint")),
            user_agent: "boma/test".into(),
        };
        Self { config, child, pipes: Mutex::new((input, output)) }
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> usize {
        self.ask("sessions")
    }

    /// Ends all sessions behind their clients' backs.
    pub fn expire_sessions(&self) {
        assert_eq!(self.ask("expire"), 0);
    }

    fn ask(&self, what: &str) -> usize {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{what}").unwrap();
        line(&mut pipes.1).trim().parse().unwrap()
    }

    pub fn stop(self) {
        let Self { mut child, pipes, .. } = self;
        drop(pipes);
        assert!(child.wait().unwrap().success());
    }
}

fn line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line
}
