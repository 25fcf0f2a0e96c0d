//! A lab that another process serves.

use boma::lab::{Control, Endpoints};

use super::env::{SMALL, TestEnv};
use super::process::Running;

/// `boma lab serve`, and what it says of itself.
pub struct Served {
    pub process: Running,
    pub port: String,
    pub username: String,
    pub password: String,
    /// Path from the folder of its environment.
    pub ca_file: String,
    pub thumbprint: String,
}

/// The side door of the lab of `small.toml`, which is served.
pub fn control(env: &TestEnv) -> Control {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoints = env.read("state/lab/small/world/endpoints.json");
    let endpoints: Endpoints = serde_json::from_slice(&endpoints).expect("endpoints");
    Control::connect(&endpoints).expect("a client")
}

impl Served {
    /// Serves the lab of a spec until it is dropped.
    pub fn start(env: &TestEnv, spec: &str, task_delay_ms: u64) -> Self {
        let delay = task_delay_ms.to_string();
        let mut process = env.start(&["lab", "serve", spec, "--task-delay-ms", &delay]);
        let mut value = |name: &str| {
            let line = process.wait_for(|line| line.starts_with(name));
            line.split_whitespace().nth(1).expect("a value").to_owned()
        };
        let (url, username, password) = (value("vCenter"), value("username"), value("password"));
        let (ca_file, thumbprint) = (value("CA"), value("thumbprint"));
        let port = url.rsplit(':').next().expect("a port").to_owned();
        Self { process, port, username, password, ca_file, thumbprint }
    }

    /// Ends it as Ctrl-C does.
    pub fn stop(self) {
        self.process.signal("INT");
        self.process.finish().expect(0);
    }

    /// Writes `real.toml` into the folder of a client: `small.toml` with this as its vCenter.
    pub fn write_spec(&self, lab: &TestEnv, client: &TestEnv) {
        client.write("vcenter-ca.pem", lab.read(&self.ca_file));
        let server = format!("\"127.0.0.1\"\nport = {}", self.port);
        client.write("real.toml", SMALL.replace("\"vcenter.example.org\"", &server));
    }

    /// Sets the variables that the spec takes the vCenter's account from.
    pub fn set_account(&self, client: &mut TestEnv) {
        client.manage(&self.username, &self.password);
    }
}
