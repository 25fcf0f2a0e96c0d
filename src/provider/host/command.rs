//! A command as words.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::HostError;
use super::sudo::Sudo;

/// A program with its arguments and what it reads. `Display` shows the words as they are sent,
/// without sudo and never what is on standard input.
#[derive(Clone)]
pub struct Command {
    words: Vec<String>,
    root: bool,
    stdin: Stdin,
    timeout: Option<Duration>,
}

#[derive(Clone)]
enum Stdin {
    Plain(Vec<u8>),
    Secret(SecretString),
}

impl Command {
    /// A program without arguments, run as the user that logs in, with nothing on standard input.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            words: vec![program.into()],
            root: false,
            stdin: Stdin::Plain(Vec::new()),
            timeout: None,
        }
    }

    /// Adds one argument. Never a secret: arguments are visible to everybody on the host.
    pub fn arg(mut self, word: impl Into<String>) -> Self {
        self.words.push(word.into());
        self
    }

    /// Adds arguments in order.
    pub fn args<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// Runs it as root: through sudo, or as it is where root itself logs in.
    pub fn root(mut self) -> Self {
        self.root = true;
        self
    }

    /// What it reads from standard input.
    pub fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Stdin::Plain(bytes);
        self
    }

    /// A secret to read from standard input, as it is: no newline is added.
    pub fn secret_stdin(mut self, secret: SecretString) -> Self {
        self.stdin = Stdin::Secret(secret);
        self
    }

    /// How long it may take, instead of [`SshConfig::command_timeout`](super::SshConfig).
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// The program and its arguments.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    pub(super) fn is_root(&self) -> bool {
        self.root
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        self.timeout
    }

    /// What is sent as the SSH `exec` request.
    pub(super) fn line(&self, sudo: Sudo) -> Result<String, HostError> {
        if self.words.iter().any(|word| word.contains('\0')) {
            return Err(HostError::Unsendable {
                command: self.to_string().replace('\0', "\u{fffd}"),
                problem: "a word holds a NUL byte, which no program can be given".into(),
            });
        }
        let mut words: Vec<&str> = sudo.prefix().to_vec();
        words.extend(self.words.iter().map(String::as_str));
        Ok(quote(&words))
    }

    /// What it reads, after the line that sudo wants first.
    pub(super) fn input(&self, password: Option<&SecretString>) -> Vec<u8> {
        let mut input = Vec::new();
        if let Some(password) = password {
            input.extend_from_slice(password.expose_secret().as_bytes());
            input.push(b'\n');
        }
        input.extend_from_slice(match &self.stdin {
            Stdin::Plain(bytes) => bytes,
            Stdin::Secret(secret) => secret.expose_secret().as_bytes(),
        });
        input
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.words.iter().map(|word| shown(word)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        formatter.write_str(&quote(&words))
    }
}

/// A word as people are shown it: of a script no more than how it begins.
fn shown(word: &str) -> String {
    let first = word.lines().next().unwrap_or_default();
    let start: String = first.chars().take(SHOWN_MAX).collect();
    if start == word { start } else { format!("{start} …") }
}

/// Longer than any path or address that boma writes.
const SHOWN_MAX: usize = 200;

impl fmt::Debug for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = if self.root { " as root" } else { "" };
        write!(formatter, "Command({self}{root})")
    }
}

/// Joins words so that a POSIX shell splits them again into the same words. What is made of
/// letters, digits and a few signs without meaning stays as it is; the rest goes between single
/// quotes, in which a shell interprets nothing.
fn quote(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quote_word(word)).collect();
    quoted.join(" ")
}

fn quote_word(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./,:@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
