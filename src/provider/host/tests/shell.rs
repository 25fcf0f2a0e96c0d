//! What runs the lines that a test's server is sent.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// What a command leaves: status, standard output, standard error.
pub(in super::super) type Answered = (i32, Vec<u8>, String);
/// Runs a line with its standard input.
pub(in super::super) type Shell = Arc<dyn Fn(&str, &[u8]) -> Answered + Send + Sync>;

/// Runs a line as sshd does.
pub(in super::super) fn real_shell(line: &str, input: &[u8]) -> Answered {
    let mut child = Command::new("/bin/sh")
        .args(["-c", line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut pipe, input) = (child.stdin.take().unwrap(), input.to_vec());
    let feeding = std::thread::spawn(move || {
        let _ = pipe.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), output.stdout, stderr)
}

/// A shell where sudo wants this password, `None` for none, and becomes nobody else.
pub(in super::super) fn sudo_shell(password: Option<&'static str>) -> Shell {
    Arc::new(move |line, input| {
        for silent in ["sudo -n -- ", "sudo -k -n -- "] {
            match (line.strip_prefix(silent), password) {
                (Some(rest), None) => return real_shell(rest, input),
                (Some(_), Some(_)) => {
                    return (1, Vec::new(), "sudo: a password is required\n".into());
                }
                (None, _) => {}
            }
        }
        let Some(rest) = line.strip_prefix("sudo -k -S -p '' -- ") else {
            return real_shell(line, input);
        };
        let Some(password) = password else { return real_shell(rest, input) };
        let end = input.iter().position(|&byte| byte == b'\n').unwrap();
        if &input[..end] == password.as_bytes() {
            real_shell(rest, &input[end + 1..])
        } else {
            (1, Vec::new(), "Sorry, try again.\nsudo: no password was provided\n".into())
        }
    })
}
