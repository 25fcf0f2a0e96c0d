//! The test hosts, taken by one test at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command as Program;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use boma::provider::host::{
    Auth, Command, Direct, HostError, Hosts, KnownHosts, Output, SshConfig, Target,
};
use boma::provider::k3s::Machines;
use serde_json::Value as Json;

static TAKEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static FREED: Condvar = Condvar::new();

/// Hosts that nobody else uses meanwhile.
pub struct Rig {
    told: Json,
    names: Vec<String>,
}

impl Rig {
    /// Waits for these hosts, as they are.
    pub fn take(names: &[&str]) -> Self {
        let path = std::env::var_os("BOMA_HOSTS")
            .expect("BOMA_HOSTS describes the hosts; .ci/conformance boots them and sets this");
        let told = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let is_taken = |taken: &mut BTreeSet<String>| names.iter().any(|name| taken.contains(name));
        let mut taken = FREED.wait_while(TAKEN.lock().unwrap(), is_taken).unwrap();
        taken.extend(names.iter().cloned());
        Self { told, names }
    }

    /// Waits for these hosts, and boots them with nothing on their disks.
    pub fn boot(names: &[&str]) -> Self {
        let rig = Self::take(names);
        rig.tool("reset", names);
        rig
    }

    /// Cuts or restores a host's link.
    pub fn link(&self, host: &str, how: &str) {
        self.tool("link", &[host, how]);
    }

    /// Fills or frees a host's disk.
    pub fn disk(&self, host: &str, how: &str) {
        self.tool("disk", &[host, how]);
    }

    fn tool(&self, what: &str, words: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/hosts/hosts.py");
        let instance = self.told["instance"].as_str().unwrap();
        let mut program = Program::new("python3");
        let output = program.arg(script).args([what, instance]).args(words).output().unwrap();
        assert!(output.status.success(), "{what} {words:?}: {output:?}");
    }

    /// What the description says of a host.
    pub fn host(&self, name: &str) -> &Json {
        let hosts = self.told["hosts"].as_array().unwrap();
        hosts.iter().find(|host| host["name"] == name).unwrap()
    }

    pub fn address(&self, name: &str) -> String {
        self.host(name)["address"].as_str().unwrap().to_owned()
    }

    /// The private key's file.
    pub fn key(&self) -> &str {
        self.told["key"].as_str().unwrap()
    }

    pub fn target(&self, name: &str) -> Target {
        Target { machine: name.to_owned(), address: self.address(name) }
    }

    /// Logs in with the right key, trusts the right host keys, and waits no longer than a test may.
    pub fn config(&self) -> SshConfig {
        let key = std::fs::read_to_string(self.key()).unwrap();
        let pin = |name: &String| {
            (name.clone(), self.host(name)["fingerprint"].as_str().unwrap().to_owned())
        };
        SshConfig {
            user: self.told["user"].as_str().unwrap().to_owned(),
            port: 22,
            auth: Auth::Key(key.into()),
            sudo_password: None,
            known_hosts: KnownHosts::default(),
            pins: self.names.iter().map(pin).collect::<BTreeMap<_, _>>(),
            jump: None,
            connect_timeout: Duration::from_secs(5),
            command_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(5),
            route: Arc::new(Direct),
        }
    }

    pub fn hosts(&self) -> Arc<Hosts> {
        Arc::new(Hosts::new(self.config()).unwrap())
    }

    /// The provider.
    pub fn machines(&self) -> Machines {
        self.machines_with(self.config())
    }

    /// The provider, which logs in in another way.
    pub fn machines_with(&self, config: SshConfig) -> Machines {
        let now = Arc::new(|| jiff::Timestamp::now().as_second());
        let servers = self.names.iter().filter(|name| name.starts_with("server-"));
        let servers = servers.map(|name| self.target(name)).collect();
        Machines::new(Arc::new(Hosts::new(config).unwrap()), now, servers)
    }

    /// Does something on a host behind the provider's back: a line for its shell, as root.
    pub async fn shell(&self, host: &str, line: &str) -> String {
        let command = Command::new("sh").args(["-c", line]).root();
        let output = self.run(host, &command).await.unwrap();
        assert!(output.success(), "{host}: {line}: {}", output.stderr);
        output.text()
    }

    pub async fn run(&self, host: &str, command: &Command) -> Result<Output, HostError> {
        let hosts = self.hosts();
        let output = hosts.run(&self.target(host), command).await;
        hosts.close().await;
        output
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let mut taken = TAKEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        taken.retain(|name| !self.names.contains(name));
        FREED.notify_all();
    }
}

/// Asks again until the answer is there.
pub async fn until<T>(what: &str, limit: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
