//! Ctrl-C and termination.

use tokio::signal::unix::{SignalKind, signal};

use super::output::say;
use crate::apply::Stop;

/// Waits for one interrupt or termination signal.
pub async fn interrupted() {
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        // Without handlers the signals end the process by themselves.
        _ => std::future::pending().await,
    }
}

/// Presses the switch at each signal: the first finishes what is under way, the second does not.
pub async fn press(stop: Stop) {
    interrupted().await;
    say("stopping: what is under way is finished; once more stops at once");
    stop.press();
    interrupted().await;
    say("stopping at once: the journal says what was under way, the next apply goes on from there");
    stop.press();
    std::future::pending().await
}
