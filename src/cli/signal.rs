//! Ctrl-C, termination, and a terminal that goes away.

use std::future::poll_fn;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::say;
use crate::apply::Stop;

/// The signals that ask a command to end, from the moment it began to listen: none is lost between
/// two waits, and none ends the process by itself any more.
pub struct Signals(Vec<Signal>);

impl Signals {
    /// Listens. Where the system gives no handlers, the signals end the process by themselves.
    pub fn listen() -> Self {
        let hangup = (!ignores_hangup()).then(SignalKind::hangup);
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()].into_iter().chain(hangup);
        Self(kinds.filter_map(|kind| signal(kind).ok()).collect())
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        poll_fn(|context| {
            let came = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Presses the switch at each signal: the first finishes what is under way, the second does not.
pub async fn press(stop: Stop, mut signals: Signals) {
    signals.next().await;
    say("stopping: what is under way is finished; once more stops at once");
    stop.press();
    signals.next().await;
    say("stopping at once: the journal says what was under way, the next apply goes on from there");
    stop.press();
    std::future::pending().await
}

/// Whether this process was started to outlive its terminal, as `nohup` does: a handler would undo
/// that. Source: `SigIgn` of proc(5), a mask in hexadecimal; SIGHUP is number 1.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}
