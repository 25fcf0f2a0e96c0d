//! A vCenter that cannot be reached, trusted or logged in to: said once, with the way out.

use super::env::TestEnv;
use super::process::Ran;
use super::served::Served;

const ALL: &[&[&str]] = &[
    &["plan", "real.toml"],
    &["drift", "real.toml"],
    &["apply", "--yes", "real.toml"],
    &["destroy", "--yes", "real.toml"],
];

/// A lab, and somebody who manages it as a real vCenter and has applied once.
struct Real {
    lab: TestEnv,
    served: Served,
    client: TestEnv,
}

impl Real {
    fn new() -> Self {
        let (lab, mut client) = (TestEnv::new(), TestEnv::empty());
        let served = lab.serve(0);
        served.write_spec(&lab, &client);
        served.set_account(&mut client);
        client.expect(0, &["apply", "--yes", "real.toml"]);
        let plan = client.expect(0, &["plan", "--detailed-exitcode", "real.toml"]);
        assert!(plan.stdout.ends_with("No changes.\n"), "{plan}");
        Self { lab, served, client }
    }

    fn edit(&self, from: &str, to: &str) {
        let text = String::from_utf8(self.client.read("real.toml")).expect("text");
        assert!(text.contains(from), "no {from:?} in {text}");
        self.client.write("real.toml", text.replace(from, to));
    }

    /// Every command says the cause once and ends with 1; the state stays as it is.
    #[track_caller]
    fn check(&self, cause: &str, way_out: &str) {
        let before = self.client.read("state/small/state.json");
        for command in ALL {
            said_once(&self.client.expect(1, command), cause, way_out);
            assert_eq!(self.client.read("state/small/state.json"), before);
        }
    }
}

#[track_caller]
fn said_once(ran: &Ran, cause: &str, way_out: &str) {
    let text = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(text.matches(cause).count(), 1, "{cause:?}: {ran}");
    assert!(text.contains(way_out), "{way_out:?}: {ran}");
    assert!(text.lines().count() < 40, "{ran}");
}

/// No lab listens on this address of the loopback network, so the port stays closed.
const NOBODY: &str = "127.0.0.9";

#[test]
fn unreachable() {
    let real = Real::new();
    let port =
        std::net::TcpListener::bind((NOBODY, 0)).expect("a port").local_addr().expect("it").port();
    real.edit("\"127.0.0.1\"", &format!("\"{NOBODY}\""));
    real.edit(&format!("port = {}", real.served.port), &format!("port = {port}"));
    real.check(
        &format!("vCenter at {NOBODY}:{port} cannot be reached"),
        "check [vcenter] server and port",
    );
}

#[test]
fn wrong_password() {
    let mut real = Real::new();
    real.client.set("VCENTER_PASSWORD", "not the password");
    real.check("refused the user name or the password", "check [vcenter] username and password");
}

#[test]
fn untrusted_certificate() {
    let real = Real::new();
    let other = TestEnv::new();
    let served = other.serve(0);
    real.client.write("vcenter-ca.pem", other.read(&served.ca_file));
    real.check("is not signed by an authority that is trusted here", "set [vcenter] ca_file");
}

#[test]
fn thumbprint() {
    let real = Real::new();
    let ca_file = "ca_file    = \"vcenter-ca.pem\"";
    let right = format!("thumbprint = \"{}\"", real.served.thumbprint);
    real.edit(ca_file, &right);
    real.client.expect(0, &["plan", "--detailed-exitcode", "real.toml"]);
    let wrong: String =
        real.served.thumbprint.chars().map(|c| if c == '1' { '2' } else { c }).collect();
    real.edit(&right, &format!("thumbprint = \"{wrong}\""));
    real.check(&format!("the spec says {wrong}"), "set [vcenter] thumbprint");
}

#[test]
fn missing_secret() {
    let mut real = Real::new();
    real.client.set("VCENTER_PASSWORD", "");
    for command in ALL {
        let ran = real.client.expect(1, command);
        ran.assert_one_error(&[
            "the environment variable VCENTER_PASSWORD is not set",
            "set VCENTER_PASSWORD",
        ]);
    }
}

#[test]
fn missing_ca_file() {
    let real = Real::new();
    std::fs::remove_file(real.client.path("vcenter-ca.pem")).expect("removed");
    let ran = real.client.expect(1, &["plan", "real.toml"]);
    ran.assert_one_error(&["vcenter-ca.pem", "real.toml:", "No such file"]);
}

/// The same name, another machine behind it: what the state knows is not there.
#[test]
fn another_vcenter_behind_the_same_name() {
    let real = Real::new();
    let other = TestEnv::new();
    other.edit("name = \"small\"", "name = \"other\"");
    let served = other.serve(0);
    served.write_spec(&other, &real.client);
    let client = &real.client;
    let before = client.read("state/small/state.json");
    for command in ALL {
        let ran = client.shell(&format!(
            "VCENTER_PASSWORD='{}' exec $BOMA {}",
            served.password,
            command.join(" ")
        ));
        ran.expect(3).assert_one_error(&["another vCenter answers", "[vcenter] server"]);
        assert_eq!(client.read("state/small/state.json"), before);
    }
    // Nothing was made there, and the first one is as it was.
    let status = other.json(0, &["lab", "status", "small.toml"]);
    assert_eq!(status["objects"]["Role"], 1, "{status:#}");
    real.served.write_spec(&real.lab, client);
    client.expect(0, &["plan", "--detailed-exitcode", "real.toml"]);
}
