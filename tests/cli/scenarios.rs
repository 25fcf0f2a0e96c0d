//! Transcripts in `tests/scenarios/`: commands, and everything they print.
//!
//! A line that begins with `$ ` is a command: `boma` with its arguments, or anything else for the
//! shell. Its standard output follows, then lines of standard error after `2> `, then the exit
//! code where it is not 0. Lines that begin with `#` are comments. Progress of single resources is
//! left out: its order depends on timing. `BOMA_BLESS=1` writes the transcripts anew.

use std::path::{Path, PathBuf};

use super::env::TestEnv;
use super::process::Ran;

#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let files =
        std::fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("one").path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "txt")).collect();
    files.sort();
    assert!(!files.is_empty());
    let differences: Vec<String> = files.iter().filter_map(|file| difference(file)).collect();
    assert!(differences.is_empty(), "BOMA_BLESS=1 takes this over\n{}", differences.concat());
}

/// What differs from a transcript, unless it is written anew. `None` where nothing does.
fn difference(file: &Path) -> Option<String> {
    let expected = std::fs::read_to_string(file).expect("text");
    let found = replay(&expected);
    if std::env::var_os("BOMA_BLESS").is_some() {
        std::fs::write(file, found).expect("written");
        return None;
    }
    let lines = similar::TextDiff::from_lines(&expected, &found).unified_diff().to_string();
    (!lines.is_empty()).then(|| format!("{}\n{lines}", file.display()))
}

fn replay(script: &str) -> String {
    let env = TestEnv::new();
    let mut found = String::new();
    for line in script.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            found += &format!("{line}\n");
            found += &said(&env, &run(&env, command));
        } else if line.starts_with('#') {
            found += &format!("{line}\n\n");
        }
    }
    found
}

fn run(env: &TestEnv, command: &str) -> Ran {
    match command.strip_prefix("boma ") {
        Some(arguments) => env.shell(&format!("exec \"$BOMA\" {arguments}")),
        None => env.shell(command),
    }
}

fn said(env: &TestEnv, ran: &Ran) -> String {
    let mut text = redact(env, &ran.stdout);
    for line in redact(env, &ran.stderr).lines().filter(|line| !is_progress(line)) {
        text += &format!("2> {line}\n");
    }
    if ran.code != Some(0) {
        text += &format!(
            "exit {}\n",
            ran.code.map_or("by a signal".to_owned(), |code| code.to_string())
        );
    }
    text + "\n"
}

/// Said of one resource while an apply runs.
fn is_progress(line: &str) -> bool {
    line.split_once(": ")
        .is_some_and(|(address, _)| address.contains('/') && !address.contains(' '))
}

/// Puts a name for what differs from run to run: the folder, how long something took, and which
/// project was done first.
fn redact(env: &TestEnv, text: &str) -> String {
    let text = text.replace(&env.path("").display().to_string(), "[FOLDER]/");
    text.lines()
        .map(|line| format!("{}\n", of_project(line).unwrap_or_else(|| timed(line))))
        .collect()
}

fn timed(line: &str) -> String {
    match line.split_once("live read in ") {
        Some((before, after)) => {
            let rest = after.split_once(" s,").map_or(after, |(_, rest)| rest);
            format!("{before}live read in [TIME] s,{rest}")
        }
        None => line.to_owned(),
    }
}

/// `county-01: 24 changes done after 1 s (projects 1/2 ready)`
fn of_project(line: &str) -> Option<String> {
    let (name, rest) = line.split_once(": ")?;
    let (done, rest) = rest.split_once(" done after ")?;
    let (_, projects) = rest.split_once(" s (projects ")?;
    let name = name.rsplit(' ').next().filter(|name| name.starts_with("county-"))?;
    let before = line.strip_suffix(&format!("{name}: {done} done after {rest}"))?;
    Some(format!("{before}[PROJECT]: {done} done after [TIME] s (projects {projects}"))
}
