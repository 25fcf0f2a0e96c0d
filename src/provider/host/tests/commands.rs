use std::time::Duration;

use proptest::prelude::*;

use crate::provider::Retry;
use crate::provider::host::sudo::Sudo;
use crate::provider::host::testing::*;
use crate::provider::host::*;

/// Words go through a real shell and come back as they were.
fn check_words(words: &[&str]) {
    let command = Command::new("printf").arg("%s\\0").args(words.iter().copied());
    let (status, stdout, stderr) = real_shell(&command.line(Sudo::None).unwrap(), b"");
    let expected: String = words.iter().map(|word| format!("{word}\0")).collect();
    assert_eq!((status, stderr.as_str()), (0, ""), "{command}");
    assert_eq!(String::from_utf8(stdout).unwrap(), expected, "{command}");
}

#[test]
fn no_word_is_interpreted() {
    check_words(&["plain", "", " ", "two words", "it's", "''", "\"quoted\"", "back\\slash"]);
    check_words(&["$(id)", "`id`", "$HOME", "${PATH}", "~", "~root", "*", "?", "[a-z]", "{a,b}"]);
    check_words(&["a;b", "a&b", "a|b", "a>b", "a<b", "#no comment", "!history", "a=b", "%s"]);
    check_words(&[
        "line\nbreak",
        "\n",
        "tab\t",
        "\r\n",
        "-n",
        "--",
        "-e \\n",
        "é漢😀",
        "\u{1b}[0m",
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_random_word_is_interpreted(words in prop::collection::vec("[^\0]{0,12}", 1..5)) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        check_words(&words);
    }

    #[test]
    fn no_sign_of_a_shell_is_interpreted(words in prop::collection::vec("['\"$`\\\\\n !*()~=-]{1,8}", 1..5)) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        check_words(&words);
    }
}

#[tokio::test]
async fn words_and_input_arrive_over_ssh() {
    let server = Server::start(Setup::default()).await;
    let hosts = server.hosts();
    let command = Command::new("sh")
        .args(["-c", "cat; printf '[%s]' \"$@\"; printf oops >&2; exit 3", "name"])
        .args(["$(id)", "it's", "-n", "a\nb"])
        .stdin(b"in\0put".to_vec());
    let output = hosts.run(&target(), &command).await.unwrap();
    assert_eq!(output.status, 3);
    assert_eq!(output.stdout, b"in\0put[$(id)][it's][-n][a\nb]");
    assert_eq!(output.stderr, "oops");
    let error = hosts.run_ok(&target(), &command).await.unwrap_err();
    assert!(matches!(&error, HostError::Failed { status: 3, stderr, .. } if stderr == "oops"));
    assert_eq!((hosts.requests(), server.connections()), (2, 1));
}

#[tokio::test]
async fn a_word_with_nul_is_never_sent() {
    let server = Server::start(Setup::default()).await;
    let error = server.hosts().run(&target(), &Command::new("echo").arg("a\0b")).await;
    assert!(matches!(error, Err(HostError::Unsendable { .. })));
    assert!(server.lines().is_empty());
}

#[tokio::test]
async fn five_mebibytes_go_both_ways() {
    let server = Server::start(Setup::default()).await;
    let bytes: Vec<u8> = (0..5 << 20).map(|index: u32| (index % 251) as u8).collect();
    let command = Command::new("echo-back").stdin(bytes.clone());
    let output = server.hosts().run(&target(), &command).await.unwrap();
    assert!(output.success() && output.stdout == bytes);
}

#[tokio::test]
async fn a_command_may_leave_its_input_unread() {
    let server = Server::start(Setup::default()).await;
    let command = Command::new("deaf").stdin(vec![b'x'; 3 << 20]);
    assert!(server.hosts().run(&target(), &command).await.unwrap().success());
}

#[tokio::test]
async fn more_commands_than_sessions_run_at_once() {
    let server = Server::start(Setup::default()).await;
    let hosts = std::sync::Arc::new(server.hosts());
    let mut running = tokio::task::JoinSet::new();
    for number in 0..20 {
        let hosts = std::sync::Arc::clone(&hosts);
        running.spawn(async move {
            let command = Command::new("echo").arg(number.to_string());
            let output = hosts.run(&target(), &command).await.unwrap();
            assert_eq!(output.text().trim(), number.to_string());
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

async fn check_error(line: &str, says: &str, retry: Retry) {
    let server = Server::start(Setup::default()).await;
    let hosts = server.hosts();
    let command = Command::new(line).timeout(Duration::from_millis(50));
    let limited = if line == "hang" { command } else { Command::new(line) };
    let error = hosts.run(&target(), &limited).await.unwrap_err();
    assert!(error.to_string().contains(says), "{line}: {error}");
    assert_eq!(error.retry(), retry, "{line}");
    assert!(!error.help().is_empty());
    assert_eq!(server.lines(), [line], "sent once");
    let after = hosts.run(&target(), &Command::new("echo").arg("still here")).await.unwrap();
    assert_eq!(after.text(), "still here\n");
}

#[tokio::test]
async fn what_is_no_result_is_an_error() {
    check_error("die", "`die` on server-1 was ended by signal KILL", Retry::Later).await;
    check_error("hang", "`hang` on server-1 did not end within 50ms", Retry::Later).await;
    check_error("vanish", "closed the channel without an exit status", Retry::Later).await;
    check_error("cut", "the connection to server-1 was cut during `cut`", Retry::Later).await;
    check_error("refuse", "server-1 does not run `refuse`", Retry::Later).await;
}

#[test]
fn a_script_is_shown_by_its_first_line() {
    let script = Command::new("sh").args(["-c", "# Reads a host.\nset -u\nexit 0\n", "name"]);
    assert_eq!(script.to_string(), "sh -c '# Reads a host. …' name");
    let plain = Command::new("install").args(["-m", "0600", "/etc/a b"]);
    assert_eq!(plain.to_string(), "install -m 0600 '/etc/a b'");
    assert_eq!(Command::new("echo").arg("x".repeat(500)).to_string().chars().count(), 209);
}

#[test]
fn what_a_host_prints_moves_no_cursor() {
    let output = Output { status: 1, stdout: Vec::new(), stderr: "\u{1b}[2Ja\r\nb\u{7}\n".into() };
    let error = HostError::failed(&target(), &Command::new("x"), &output).to_string();
    assert_eq!(error, "`x` on server-1 ended with status 1: \u{fffd}[2Ja\nb\u{fffd}");
}
