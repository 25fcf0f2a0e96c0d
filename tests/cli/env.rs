//! A folder to run commands in, with an environment of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use super::process::{Ran, Running};
use super::served::Served;

/// The spec that most tests run on.
pub const SMALL: &str = include_str!("small.toml");

/// How many resources it has.
pub const RESOURCES: usize = 120;

/// A working folder that goes away with it, and the environment of what runs there: nothing of
/// the surrounding one but `PATH`.
pub struct TestEnv {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    /// Whether plans and applies of `real.toml` leave the machines alone, which nobody here has.
    vcenter_only: bool,
}

impl TestEnv {
    /// A folder with `small.toml` and a lock for it.
    pub fn new() -> Self {
        let env = Self::empty();
        env.write("small.toml", SMALL);
        env.lock("small.toml");
        env
    }

    /// A folder with nothing in it but a home directory.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("home")).expect("a home directory");
        Self { folder, variables: Vec::new(), vcenter_only: false }
    }

    /// Another folder with the same files. Nothing may be running in this one.
    pub fn copy(&self) -> Self {
        let env = Self::empty();
        for file in self.files("") {
            let name = file.strip_prefix(self.folder.path()).expect("in the folder");
            let copy = env.path(name.to_str().expect("text"));
            fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
            fs::copy(&file, copy).expect("a file is copied");
        }
        Self { variables: self.variables.clone(), vcenter_only: self.vcenter_only, ..env }
    }

    /// Sets a variable for every command from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Gives the account of a vCenter that is real to the program, and what else its spec needs.
    /// There are no machines behind that vCenter: they are left out of what is planned.
    pub fn manage(&mut self, username: &str, password: &str) {
        self.vcenter_only = true;
        for (name, value) in [
            ("VCENTER_USERNAME", username),
            ("VCENTER_PASSWORD", password),
            ("K3S_TOKEN", "token of the tests"),
            ("STORAGE_PASSWORD", "password of the tests"),
            ("K3S_AGENT_TOKEN", "agent token of the tests"),
        ] {
            self.set(name, value);
        }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in the folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("a file is written");
    }

    /// Reads a file in the folder.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Pins what a spec in the folder leaves open, so that no plan says that nothing does.
    pub fn lock(&self, spec: &str) {
        let text = String::from_utf8(self.read(spec)).expect("text");
        let (parsed, standing) = boma::lock::read_spec(spec, &text, &Default::default());
        let name = parsed.spec.expect("a spec").name.value;
        let held = standing.expect("a spec").held;
        self.write("boma.lock", boma::lock::Lock { specs: [(name, held)].into() }.to_string());
    }

    /// Takes the projects out of `small.toml`: their disks would stay when all else goes.
    pub fn without_projects(&self) {
        let end = SMALL.find("[projects]").expect("a table");
        self.write("small.toml", &SMALL[..end]);
        self.lock("small.toml");
    }

    /// Replaces text in `small.toml`.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) {
        let text = String::from_utf8(self.read("small.toml")).expect("text");
        assert!(text.contains(from), "the spec has no {from:?}");
        self.write("small.toml", text.replace(from, to));
    }

    /// The program, to be started in the folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_boma"));
        command.args(arguments);
        let scoped = matches!(arguments.first(), Some(&("plan" | "apply")));
        if self.vcenter_only && scoped && arguments.contains(&"real.toml") {
            command.args(["--target", "vsphere/**"]);
        }
        command
    }

    /// A shell command in the folder and the environment, where `$BOMA` is the program.
    pub fn shell(&self, script: &str) -> Ran {
        let mut command = self.program("sh");
        command.args(["-c", script]).env("BOMA", env!("CARGO_BIN_EXE_boma"));
        Running::start(command).finish()
    }

    fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("USER", "tester")
            .env("TZ", "UTC")
            .env("NO_COLOR", "1")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Running::start(self.command(arguments)).finish()
    }

    /// Runs the program, which must end with that exit code.
    #[track_caller]
    pub fn expect(&self, code: i32, arguments: &[&str]) -> Ran {
        self.run(arguments).expect(code)
    }

    /// Runs the program with `--format json`, which must end with that exit code, and reads what
    /// it printed.
    #[track_caller]
    pub fn json(&self, code: i32, arguments: &[&str]) -> Json {
        let all: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
        self.expect(code, &all).json()
    }

    /// Starts the program.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments))
    }

    /// Serves the lab of `small.toml`, each of whose tasks takes so long.
    pub fn serve(&self, task_delay_ms: u64) -> Served {
        Served::start(self, "small.toml", task_delay_ms)
    }

    /// Applies `small.toml` in the lab.
    #[track_caller]
    pub fn apply(&self) -> Ran {
        self.expect(0, &["apply", "--lab", "--yes", "small.toml"])
    }

    /// The next plan in the lab is empty.
    #[track_caller]
    pub fn assert_settled(&self) {
        let plan = self.expect(0, &["plan", "--lab", "--detailed-exitcode", "small.toml"]);
        assert_eq!(plan.stdout.lines().last(), Some("No changes."), "{plan}");
    }

    /// Every file below a path in the folder, by its path.
    pub fn files(&self, below: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.path(below), &mut found);
        found.sort();
        found
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}
