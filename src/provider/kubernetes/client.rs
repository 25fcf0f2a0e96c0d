//! Calls, and all the patience there is with a server that falters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use super::access::Access;
use super::call::{Answer, Call};
use super::failure::Failure;
use super::session::Session;
use super::status::Status;

/// How many requests are under way at once: a connection each.
pub const PARALLEL: usize = 8;

/// How many commands run in pods at once: a connection each, besides those of requests.
const COMMANDS: usize = 4;

/// How long is waited before something is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// After a fault that says nothing of its own.
    pub pause: Duration,
    /// At most, whatever the server asks for.
    pub longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pause: Duration::from_secs(1), longest: Duration::from_secs(30) }
    }
}

/// The way to one cluster's API.
pub struct Client {
    access: Arc<dyn Access>,
    session: Mutex<Option<Arc<Session>>>,
    permits: Semaphore,
    commands: Semaphore,
    requests: AtomicU64,
    /// How often a server was left for another.
    moves: AtomicU64,
    pace: Pace,
}

/// Which faults one call has met; each is forgiven once.
#[derive(Default)]
struct Met {
    throttled: bool,
    failed: bool,
    broken: bool,
    refused: bool,
}

impl Client {
    /// Opens nothing yet.
    pub fn new(access: Arc<dyn Access>, pace: Pace) -> Self {
        Self {
            access,
            session: Mutex::default(),
            permits: Semaphore::new(PARALLEL),
            commands: Semaphore::new(COMMANDS),
            requests: AtomicU64::new(0),
            moves: AtomicU64::new(0),
            pace,
        }
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Reads the kubeconfig where that was not done.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub async fn open(&self) -> Result<Arc<Session>, Failure> {
        let mut slot = self.session.lock().await;
        if let Some(session) = slot.as_ref() {
            return Ok(session.clone());
        }
        let session = Session::open(&*self.access, false).await?;
        Ok(slot.insert(session).clone())
    }

    /// Sends a request that succeeds.
    ///
    /// # Errors
    /// As [`Self::call`], and every answer that is no success.
    pub async fn ok(&self, call: &Call) -> Result<Answer, Failure> {
        let answer = self.call(call).await?;
        match answer.status.is_success() {
            true => Ok(answer),
            false => Err(Status::of(&answer).into()),
        }
    }

    /// Sends a request. Any answer counts that comes after passing faults were forgiven: too many
    /// requests, a failing server, a broken connection and refused credentials, once each.
    ///
    /// # Errors
    /// There was no answer, or the credentials are refused.
    pub async fn call(&self, call: &Call) -> Result<Answer, Failure> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(Failure::Broken("the client is closed".into()));
        };
        let mut met = Met::default();
        loop {
            let session = self.open().await?;
            let moves = self.moves.load(Ordering::Relaxed);
            let outcome = self.attempt(&session, call).await;
            if is_lost(&outcome) {
                self.move_on(&session, moves);
            }
            let pause = match &outcome {
                Ok(answer) => self.after(answer, &mut met),
                Err(Failure::Broken(_)) if !std::mem::replace(&mut met.broken, true) => {
                    Some(self.pace.pause)
                }
                Err(_) => None,
            };
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
                continue;
            }
            if !is_refusal(&outcome) {
                return outcome;
            }
            let forgiven = std::mem::replace(&mut met.refused, true);
            if forgiven || !session.can_be_renewed() {
                return outcome.and_then(|answer| Err(Status::of(&answer).into()));
            }
            self.renew(&session).await?;
        }
    }

    /// Waits for its turn to run a command in a pod, which is over when what is given is dropped.
    ///
    /// # Errors
    /// The client is closed.
    pub async fn command(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.commands.acquire().await.map_err(|_| Failure::Broken("the client is closed".into()))
    }

    async fn attempt(&self, session: &Session, call: &Call) -> Result<Answer, Failure> {
        let connection = session.connection(&*self.access).await?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let answer = session.exchange(connection, call).await?;
        if answer.status.as_u16() != 401 {
            session.accept();
        }
        Ok(answer)
    }

    /// The pause before the request is sent again. `None` where the answer counts.
    fn after(&self, answer: &Answer, met: &mut Met) -> Option<Duration> {
        let forgiven = match answer.status.as_u16() {
            429 => std::mem::replace(&mut met.throttled, true),
            500 | 502..=504 => std::mem::replace(&mut met.failed, true),
            _ => return None,
        };
        let pause = answer.retry_after.unwrap_or(self.pace.pause).min(self.pace.longest);
        (!forgiven).then_some(pause)
    }

    /// Leaves the server, unless another call did since this one began.
    fn move_on(&self, session: &Session, moves: u64) {
        let order = Ordering::Relaxed;
        if self.moves.compare_exchange(moves, moves + 1, order, order).is_ok() {
            self.access.move_on();
        }
        session.forget_idle();
    }

    /// Reads the kubeconfig anew, unless somebody else just did.
    async fn renew(&self, refused: &Arc<Session>) -> Result<(), Failure> {
        let mut slot = self.session.lock().await;
        if slot.as_ref().is_none_or(|session| Arc::ptr_eq(session, refused)) {
            *slot = Some(Session::open(&*self.access, true).await?);
        }
        Ok(())
    }
}

/// Whether the server is on its way up or down; another one may serve.
fn is_lost(outcome: &Result<Answer, Failure>) -> bool {
    match outcome {
        Ok(answer) => matches!(answer.status.as_u16(), 502..=504),
        Err(failure) => matches!(failure, Failure::Broken(_)),
    }
}

/// Whether credentials or authority are the reason, which may be those of an older cluster.
fn is_refusal(outcome: &Result<Answer, Failure>) -> bool {
    match outcome {
        Ok(answer) => answer.status.as_u16() == 401,
        Err(failure) => matches!(failure, Failure::Untrusted(_)),
    }
}
