//! Time that passes only when somebody waits.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::apply::Clock;
use crate::provider::BoxFuture;

/// A clock on which a wait is over at once and moves the time by its length.
///
/// Waits of several tasks add up: the time is an upper bound of what a real clock would show.
#[derive(Debug, Default)]
pub struct VirtualClock(Mutex<Duration>);

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            {
                let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                *now = now.saturating_add(duration);
            }
            tokio::task::yield_now().await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_moves_the_time_and_takes_none() {
        let clock = VirtualClock::default();
        clock.sleep(Duration::from_secs(3600)).await;
        clock.sleep(Duration::from_secs(1)).await;
        assert_eq!(clock.now(), Duration::from_secs(3601));
    }
}
