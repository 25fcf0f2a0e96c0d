//! No command and no option is forgotten in the tables of this folder.

use std::collections::BTreeSet;

use super::super::env::TestEnv;
use super::commands::{ASKS_NOBODY, Case, LOGS_IN, LOGS_IN_AND_GOES_ON};

/// Of every command, or of a real vCenter: tests/vsphere has that.
const ELSEWHERE: &[&str] = &["--help", "--version", "--color", "--log-file", "--state"];

#[test]
fn every_command_with_every_option_is_in_a_table() {
    let env = TestEnv::new();
    let mut leaves = Vec::new();
    leaves_below(&env, &[], &mut leaves);
    assert!(leaves.len() > 20, "{leaves:?}");
    let all = || [LOGS_IN, LOGS_IN_AND_GOES_ON, ASKS_NOBODY].into_iter().flatten();
    for (path, options) in leaves {
        let of_it = |case: &&Case| case.command.starts_with(&refs(&path));
        let used: BTreeSet<&str> =
            all().filter(of_it).flat_map(|case| case.command).copied().collect();
        assert!(!used.is_empty(), "no case runs `boma {}`", path.join(" "));
        for option in options {
            let known = used.contains(option.as_str()) || ELSEWHERE.contains(&option.as_str());
            assert!(known, "no case runs `boma {}` with {option}", path.join(" "));
        }
    }
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The commands that do something, with the options that their help names.
fn leaves_below(env: &TestEnv, path: &[String], leaves: &mut Vec<(Vec<String>, Vec<String>)>) {
    let help = env.expect(0, &[&refs(path)[..], &["--help"]].concat()).stdout;
    let below = commands(&help);
    if below.is_empty() {
        leaves.push((path.to_vec(), options(&help)));
    }
    for name in below {
        leaves_below(env, &[path, &[name]].concat(), leaves);
    }
}

fn commands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter(|line| !line.starts_with("   ")).filter_map(first);
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// `-h, --help` and `    --out <FILE>` name one each.
fn options(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Options:").skip(1);
    let lines = lines.filter(|line| line.trim_start().starts_with('-'));
    let named =
        lines.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
    named.map(str::to_owned).collect()
}

fn first(line: &str) -> Option<&str> {
    line.split_whitespace().next()
}
