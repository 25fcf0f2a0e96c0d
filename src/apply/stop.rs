//! Ctrl-C in two steps.

use tokio::sync::watch;

/// How urgently somebody asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Run,
    Drain,
    Now,
}

/// A switch that many can watch: first press: begin nothing new; second press: stop where you are.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<Level>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(Level::Run))
    }
}

impl Stop {
    /// Presses it once more.
    pub fn press(&self) {
        self.0.send_modify(|level| {
            *level = if *level == Level::Run { Level::Drain } else { Level::Now };
        });
    }

    /// Whether nothing new shall begin.
    pub fn is_draining(&self) -> bool {
        *self.0.borrow() >= Level::Drain
    }

    /// Whether work under way shall be left where it is.
    pub fn is_now(&self) -> bool {
        *self.0.borrow() == Level::Now
    }

    /// Waits for the first press.
    pub async fn draining(&self) {
        self.reached(Level::Drain).await;
    }

    /// Waits for the second press.
    pub async fn now(&self) {
        self.reached(Level::Now).await;
    }

    async fn reached(&self, wanted: Level) {
        let mut watcher = self.0.subscribe();
        // The sender is alive as long as `self` is, so this only ends when the level is reached.
        let _ = watcher.wait_for(|level| *level >= wanted).await;
    }
}
