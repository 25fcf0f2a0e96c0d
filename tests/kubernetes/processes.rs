//! Programs that end when this one does, however it ends.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Reads process ids until its input closes, which the kernel does when the tests end; then kills
/// them and removes the folder. Interrupts are for the tests, not for it.
const WATCHER: &str = r#"
trap '' INT TERM HUP
pids=
while read -r pid; do pids="$pids $pid"; done
[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
for _ in 1 2 3 4 5; do rm -rf "$1" && break; sleep 0.2; done
"#;

/// Programs, and a folder for their files. Both go with this value, or with the tests.
pub struct Processes {
    pub folder: PathBuf,
    watcher: Child,
    running: Vec<(String, Child)>,
}

impl Processes {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("boma-kubernetes-").tempdir().unwrap().keep();
        let mut watcher = Command::new("sh");
        watcher.args(["-c", WATCHER, "watcher"]).arg(&folder);
        watcher.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { watcher: watcher.spawn().unwrap(), folder, running: Vec::new() }
    }

    /// Starts a program. What it prints goes to `<name>.log`.
    pub fn start(&mut self, program: &Path, args: &[String]) -> Result<(), String> {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = File::create(self.log(&name)).map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.folder).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        writeln!(self.watcher.stdin.as_mut().unwrap(), "{}", child.id()).unwrap();
        self.running.push((name, child));
        Ok(())
    }

    /// # Errors
    /// A program has ended: which, and the end of what it printed.
    pub fn alive(&mut self) -> Result<(), String> {
        for (name, child) in &mut self.running {
            if let Some(status) = child.try_wait().unwrap() {
                let log = std::fs::read_to_string(self.folder.join(format!("{name}.log")));
                return Err(format!("{name} ended: {status}\n{}", tail(&log.unwrap_or_default())));
            }
        }
        Ok(())
    }

    /// The end of what every program printed.
    pub fn logs(&self) -> String {
        let log = |(name, _): &(String, Child)| {
            let text = std::fs::read_to_string(self.log(name)).unwrap_or_default();
            format!("== {name}\n{}\n", tail(&text))
        };
        self.running.iter().map(log).collect()
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
        for (_, child) in &mut self.running {
            let _ = child.wait();
        }
    }
}

/// Loopback ports that were free a moment ago.
pub fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let listeners = [(); COUNT].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
