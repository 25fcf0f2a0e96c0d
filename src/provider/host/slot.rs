//! The place of one host's connection.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::HostError;
use super::connection::Connection;

/// At most one connection. Whoever needs it while it is being opened waits for it, and gets the
/// same error where it cannot be opened: a dead host costs one timeout, however many wait.
#[derive(Default)]
pub(super) struct Slot {
    place: Mutex<Place>,
}

#[derive(Default)]
struct Place {
    connection: Option<Arc<Connection>>,
    /// When opening it failed last, and why.
    failed: Option<(Instant, HostError)>,
}

impl Slot {
    /// The connection, opened where there is none that works.
    ///
    /// # Errors
    /// It could not be opened; who asks from now on tries again.
    pub(super) async fn get<F>(&self, open: F) -> Result<Arc<Connection>, HostError>
    where
        F: Future<Output = Result<Connection, HostError>>,
    {
        let asked = Instant::now();
        let mut place = self.place.lock().await;
        if let Some(connection) = place.connection.as_ref().filter(|open| !open.is_closed()) {
            return Ok(Arc::clone(connection));
        }
        place.connection = None;
        if let Some((at, error)) = place.failed.as_ref().filter(|failed| failed.0 > asked) {
            tracing::debug!(since = ?at.elapsed(), "a connection that others waited for failed");
            return Err(error.clone());
        }
        match open.await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                place.connection = Some(Arc::clone(&connection));
                Ok(connection)
            }
            Err(error) => {
                place.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Takes a connection out that was found dead, unless another stands there already.
    pub(super) async fn forget(&self, dead: &Arc<Connection>) {
        let mut place = self.place.lock().await;
        if place.connection.as_ref().is_some_and(|connection| Arc::ptr_eq(connection, dead)) {
            place.connection = None;
        }
    }

    /// Takes the connection out.
    pub(super) async fn take(&self) -> Option<Arc<Connection>> {
        self.place.lock().await.connection.take()
    }
}
