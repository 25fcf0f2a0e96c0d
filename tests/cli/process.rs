//! A program that runs, and what it said.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// Much more than any command needs, on a busy machine too. Counted anew from where something is
/// waited for: what serves a whole test may run for longer.
const PATIENCE: Duration = Duration::from_secs(90);

/// A program that runs. It is ended with this.
pub struct Running {
    child: Child,
    lines: Receiver<(Stream, String)>,
    ran: Ran,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// What a program came to.
pub struct Ran {
    pub command: String,
    pub stdout: String,
    pub stderr: String,
    /// `None` where a signal ended it.
    pub code: Option<i32>,
}

impl Running {
    /// Starts a program without standard input.
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let (sender, lines) = channel();
        read(Stream::Out, child.stdout.take().expect("piped"), sender.clone());
        read(Stream::Err, child.stderr.take().expect("piped"), sender);
        let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
        let command = words.collect::<Vec<_>>().join(" ");
        let ran = Ran { command, stdout: String::new(), stderr: String::new(), code: None };
        Self { child, lines, ran }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it prints such a line, on standard output or standard error, and returns it.
    #[track_caller]
    pub fn wait_for(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.next(until) {
                Ok(line) if wanted(&line) => return line.trim_end().to_owned(),
                Ok(_) => {}
                Err(_) => panic!("it never said what was waited for\n{}", self.ran),
            }
        }
    }

    /// Lets it run for so long, or until it ends. Says whether it still runs.
    pub fn leave_for(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            match self.next(until) {
                Ok(_) => {}
                Err(ended) => return ended == RecvTimeoutError::Timeout,
            }
        }
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.pid())])
            .status()
            .expect("a shell");
        assert!(sent.success(), "SIG{name} was not sent");
    }

    /// Ends it with SIGKILL, and returns what it said until then.
    pub fn kill(mut self) -> Ran {
        self.child.kill().expect("killed");
        self.finish()
    }

    /// Waits until it ends: as long as it takes where it goes on saying what it does.
    #[track_caller]
    pub fn finish(mut self) -> Ran {
        loop {
            match self.next(Instant::now() + PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end\n{}", self.ran),
            }
        }
        // Both streams are closed: it is ending.
        let status = self.child.wait().expect("a status");
        let nothing = Ran {
            command: String::new(),
            stdout: String::new(),
            stderr: String::new(),
            code: None,
        };
        let ran = std::mem::replace(&mut self.ran, nothing);
        Ran { code: status.code(), ..ran }
    }

    fn next(&mut self, until: Instant) -> Result<String, RecvTimeoutError> {
        let left = until.saturating_duration_since(Instant::now());
        let (stream, line) = self.lines.recv_timeout(left)?;
        match stream {
            Stream::Out => self.ran.stdout.push_str(&line),
            Stream::Err => self.ran.stderr.push_str(&line),
        }
        Ok(line)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already where this fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(stream: Stream, from: impl Read + Send + 'static, to: Sender<(Stream, String)>) {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if to.send((stream, text)).is_err() {
                return;
            }
            line.clear();
        }
    });
}

impl Ran {
    /// It ended with that exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// It said exactly one error, in a few lines, with all these words in it.
    #[track_caller]
    pub fn assert_one_error(&self, words: &[&str]) {
        let errors = self.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "{self}");
        let from = self.stderr.find("error: ").unwrap_or_default();
        let error = &self.stderr[from..];
        assert!(error.lines().count() <= 3, "{self}");
        assert!(error.len() < 700, "{self}");
        for word in words {
            assert!(error.contains(word), "the error does not say {word:?}\n{self}");
        }
        assert!(!self.stderr.contains("panicked"), "{self}");
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, stdout, stderr, code } = self;
        write!(f, "$ boma {command}\n{stdout}--- stderr\n{stderr}--- exit {code:?}")
    }
}
