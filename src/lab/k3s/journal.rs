//! Lines of the journal, in k3s's own form.

use super::ids;

/// A line with which k3s ends.
pub(super) fn fatal(now_ms: u64, message: &str) -> String {
    line(now_ms, "fatal", message)
}

/// A line that tells of something that goes wrong, while k3s goes on trying.
pub(super) fn error(now_ms: u64, message: &str) -> String {
    line(now_ms, "error", message)
}

pub(super) fn warning(now_ms: u64, message: &str) -> String {
    line(now_ms, "warning", message)
}

pub(super) fn info(now_ms: u64, message: &str) -> String {
    line(now_ms, "info", message)
}

/// What the embedded kubelet says.
pub(super) fn kubelet(now_ms: u64, message: &str) -> String {
    let time = ids::time(now_ms);
    let (date, clock) = time.split_once('T').unwrap_or((&time, ""));
    let day: String = date.chars().skip(5).filter(char::is_ascii_digit).collect();
    format!("E{day} {}.000000    1211 {message}", clock.trim_end_matches('Z'))
}

fn line(now_ms: u64, level: &str, message: &str) -> String {
    let message = message.replace('\\', "\\\\").replace('"', "\\\"");
    format!("time=\"{}\" level={level} msg=\"{message}\"", ids::time(now_ms))
}
