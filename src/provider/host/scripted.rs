//! Machines for tests that answer over SSH as told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use super::testing::{Server, Setup, print_of};
use super::{Hosts, Target};

/// What a command leaves: status, standard output, standard error.
pub type Answer = (i32, String, String);

/// One SSH server that plays all machines.
pub struct Scripted {
    server: Server,
}

impl Scripted {
    /// Answers every command by its words as sent, without sudo.
    pub async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let shell = move |line: &str, _: &[u8]| {
            let (status, stdout, stderr) = answer(bare(line));
            (status, stdout.into_bytes(), stderr)
        };
        let setup = Setup { shell: Arc::new(shell), ..Setup::default() };
        Self { server: Server::start(setup).await }
    }

    /// Connections to it; these machines' key is known.
    pub fn hosts(&self, machines: &[&str]) -> Arc<Hosts> {
        let mut config = self.server.config();
        let print = print_of(&self.server.key);
        config.pins = machines.iter().map(|name| ((*name).to_owned(), print.clone())).collect();
        Arc::new(Hosts::new(config).unwrap())
    }

    /// The commands that came, without sudo; the probe by its name.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.server.lines();
        lines
            .iter()
            .map(|line| if is_probe(line) { "boma-probe".into() } else { bare(line).into() })
            .collect()
    }

    /// What came on standard input, as text.
    pub fn inputs(&self) -> Vec<String> {
        let inputs = self.server.inputs();
        inputs.iter().map(|input| String::from_utf8_lossy(input).into_owned()).collect()
    }

    /// How many sessions there were.
    pub fn sessions(&self) -> usize {
        self.server.connections()
    }
}

/// A machine at the server's address.
pub fn target(machine: &str) -> Target {
    Target { machine: machine.into(), address: "127.0.0.1".into() }
}

/// What the probe prints for these items.
pub fn probe_answer(items: &[(&str, &str)]) -> Answer {
    let coded =
        items.iter().map(|(name, text)| ((*name).to_owned(), encode(text.as_bytes()).into()));
    let map: serde_json::Map<_, _> = coded.collect();
    (0, serde_json::Value::Object(map).to_string(), String::new())
}

/// Whether a command is the probe.
pub fn is_probe(line: &str) -> bool {
    line.ends_with(" boma-probe")
}

/// An answer of success.
pub fn ok(stdout: &str) -> Answer {
    (0, stdout.to_owned(), String::new())
}

fn bare(line: &str) -> &str {
    line.strip_prefix("sudo -n -- ").unwrap_or(line)
}

fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).map(|group| {
        let bits =
            (0..3).fold(0_usize, |bits, at| bits << 8 | usize::from(*group.get(at).unwrap_or(&0)));
        let digit = |at: usize| match at <= group.len() {
            true => char::from(DIGITS[bits >> (18 - 6 * at) & 63]),
            false => '=',
        };
        (0..4).map(digit).collect::<String>()
    });
    groups.collect()
}
