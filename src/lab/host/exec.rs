//! From a command line to an output and its effects.

use crate::lab::k3s::{ClusterEffect, Clusters};

use super::effect::{HostEffect, difference};
use super::hosts::Hosts;
use super::model::{Host, Timer};
use super::session::{Output, Session};
use super::{curl, docker, k3s, scripts, shell, systemctl, systemd, tools, ufw};

/// Who runs a command, and where.
pub(super) struct Scene<'a> {
    pub hosts: &'a Hosts,
    pub clusters: &'a Clusters,
    pub seed: u64,
    pub now: u64,
}

/// What a command came to.
#[derive(Default)]
pub(super) struct Ran {
    pub output: Output,
    pub hosts: Vec<HostEffect>,
    pub clusters: Vec<ClusterEffect>,
    pub reboots: bool,
}

impl Scene<'_> {
    /// Runs a command line as a user who logged in over SSH.
    pub(super) fn command(&self, host: &Host, user: &str, line: &str, stdin: Vec<u8>) -> Ran {
        let words = match shell::split(line) {
            Ok(words) => words,
            Err(message) => {
                return Ran { output: Output::failed(2, message), ..Ran::default() };
            }
        };
        self.act(host, |session| {
            session.root = user == "root";
            user.clone_into(&mut session.user);
            session.stdin = stdin;
            run(session, &words)
        })
    }

    /// Has something done on a host by root, and tells the difference.
    pub(super) fn act(&self, host: &Host, act: impl FnOnce(&mut Session<'_>) -> Output) -> Ran {
        let mut session = Session::new(host, self.hosts, self.clusters, self.seed, self.now);
        let output = act(&mut session);
        Ran {
            output,
            hosts: difference(host, &session.host),
            clusters: session.cluster_effects,
            reboots: session.reboots,
        }
    }
}

/// Runs a program by its words.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Output {
    let Some((program, rest)) = words.split_first() else { return Output::done() };
    match program.as_str() {
        "sudo" => sudo(session, rest),
        "sh" => scripts::sh(session, rest),
        "timeout" => timeout(session, rest),
        "systemctl" => systemctl::systemctl(session, rest),
        "journalctl" => systemctl::journalctl(session, rest),
        "systemd-run" => systemd_run(session, rest),
        "reboot" if session.root => {
            session.reboots = true;
            Output::done()
        }
        "ufw" => ufw::ufw(session, rest),
        "curl" => curl::curl(session, rest),
        "dockerd" => docker::dockerd(session, rest),
        "apt-get" => docker::apt(session, rest),
        "apt-mark" => docker::apt_mark(session, rest),
        "env" => run(session, assignments_skipped(rest)),
        name => k3s::run(session, name, rest)
            .or_else(|| tools::run(session, words))
            .unwrap_or_else(|| Output::failed(127, format!("sh: 1: {name}: not found"))),
    }
}

/// The program that a command line runs in the end, for faults and counters.
pub(super) fn program(line: &str) -> String {
    let words = shell::split(line).unwrap_or_default();
    let mut words = words.iter().map(String::as_str).peekable();
    loop {
        match words.next() {
            Some("sudo") => {
                while words
                    .next_if(|word| word.starts_with('-') && *word != "--")
                    .is_some_and(|word| word == "-p" || word == "-u")
                {
                    words.next();
                }
                words.next_if_eq(&"--");
            }
            Some("sh") => {
                let name = words.nth(2).unwrap_or("sh");
                return name.to_owned();
            }
            Some("env") => while words.next_if(|word| word.contains('=')).is_some() {},
            Some(word) => return word.rsplit('/').next().unwrap_or_default().to_owned(),
            None => return String::new(),
        }
    }
}

/// `sudo -n --` and `sudo -S -p PROMPT --`, the password then being stdin's first line.
fn sudo(session: &mut Session<'_>, words: &[String]) -> Output {
    let (mut prompts, mut reads, mut prompt) =
        (true, false, "[sudo] password for user: ".to_owned());
    let mut place = 0;
    while let Some(word) = words.get(place) {
        match word.as_str() {
            "-n" => prompts = false,
            "-k" => {}
            "-S" => reads = true,
            "-p" => {
                place += 1;
                prompt = words.get(place).cloned().unwrap_or_default();
            }
            "--" => {
                place += 1;
                break;
            }
            option if option.starts_with('-') => {
                return Output::failed(1, format!("sudo: invalid option {option}"));
            }
            _ => break,
        }
        place += 1;
    }
    if let Some(password) = session.host.state.sudo_password.clone().filter(|_| !session.root) {
        if !prompts {
            return Output::failed(1, "sudo: a password is required");
        }
        if !reads {
            return Output::failed(
                1,
                "sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper",
            );
        }
        let end = session.stdin.iter().position(|byte| *byte == b'\n');
        let end = end.unwrap_or(session.stdin.len());
        let mut line: Vec<u8> = session.stdin.drain(..(end + 1).min(session.stdin.len())).collect();
        line.retain(|byte| *byte != b'\n');
        if line != password.as_bytes() {
            return Output::failed(
                1,
                format!(
                    "{prompt}Sorry, try again.\n{prompt}\nsudo: no password was provided\nsudo: 1 incorrect password attempt"
                ),
            );
        }
    }
    session.root = true;
    run(session, words.get(place..).unwrap_or_default())
}

fn timeout(session: &mut Session<'_>, words: &[String]) -> Output {
    let mut words = words;
    while let Some((first, rest)) = words.split_first() {
        let value = first == "-k" || first == "-s";
        if !first.starts_with('-') {
            break;
        }
        words = rest.get(usize::from(value)..).unwrap_or_default();
    }
    let output = run(session, words.get(1..).unwrap_or_default());
    if output.hangs { Output::failed(124, "") } else { output }
}

/// `systemd-run --unit NAME --on-active SECONDS -- COMMAND…`
fn systemd_run(session: &mut Session<'_>, words: &[String]) -> Output {
    if !session.root {
        return Output::failed(
            1,
            "Failed to start transient timer unit: Interactive authentication required.",
        );
    }
    let (mut unit, mut after) = (String::new(), 0_u64);
    let mut rest = words.iter();
    let mut command = Vec::new();
    while let Some(word) = rest.next() {
        let (option, joined) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let mut value = || joined.clone().or_else(|| rest.next().cloned()).unwrap_or_default();
        match option {
            "--unit" => unit = value(),
            "--on-active" => after = value().trim_end_matches('s').parse().unwrap_or_default(),
            "--collect" | "--quiet" => {}
            "--" => command = rest.by_ref().cloned().collect(),
            option if option.starts_with("--") => {
                return Output::failed(1, format!("systemd-run: unrecognized option '{option}'"));
            }
            _ => {
                command.push(word.clone());
                command.extend(rest.by_ref().cloned());
            }
        }
    }
    let name = format!("{}.timer", unit.trim_end_matches(".service"));
    if session.host.timers.contains_key(&name) {
        return Output::failed(
            1,
            format!("Failed to start transient timer unit: Unit {name} already exists."),
        );
    }
    let due_ms = session.now.saturating_add(after.saturating_mul(1000));
    session.host.timers.insert(name.clone(), Timer { due_ms, words: command });
    let service = systemd::full_name(&unit);
    let stderr = format!("Running timer as unit: {name}\nWill run service as unit: {service}\n");
    Output { stderr, ..Output::default() }
}

fn assignments_skipped(words: &[String]) -> &[String] {
    let place = words.iter().position(|word| !word.contains('='));
    words.get(place.unwrap_or(words.len())..).unwrap_or_default()
}
