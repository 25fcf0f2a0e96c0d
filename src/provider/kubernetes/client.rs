//! Calls, and all the patience there is with a server that falters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use super::access::Access;
use super::call::{Answer, Call};
use super::failure::Failure;
use super::session::Session;
use super::status;

/// How many requests are under way at once: a connection each.
pub const PARALLEL: usize = 8;

/// How many commands run in pods at once: a connection each, besides those of requests.
const COMMANDS: usize = 4;

/// How often one call forgives a fault of one sort. With it each of three servers is asked before a
/// connection counts as broken.
const FORGIVEN: u32 = 2;

/// How long is waited before something is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// After a fault that says nothing of its own; twice as long after the next.
    pub pause: Duration,
    /// At most, whatever the server asks for.
    pub longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pause: Duration::from_secs(1), longest: Duration::from_secs(30) }
    }
}

impl Pace {
    /// The pause before the request is sent again. `None` where the answer counts.
    fn after(&self, answer: &Answer, met: &mut Met) -> Option<Duration> {
        let met = match answer.status.as_u16() {
            429 => &mut met.throttled,
            500 | 502..=504 => &mut met.failed,
            _ => return None,
        };
        let pause = self.forgive(met)?;
        Some(answer.retry_after.map_or(pause, |asked| asked.min(self.longest)))
    }

    /// The pause before a fault is forgiven. `None` where it was met too often.
    fn forgive(&self, met: &mut u32) -> Option<Duration> {
        *met += 1;
        (*met <= FORGIVEN).then(|| (self.pause * (1 << (*met - 1))).min(self.longest))
    }
}

/// The way to one cluster's API.
pub struct Client {
    access: Arc<dyn Access>,
    session: Mutex<Option<Arc<Session>>>,
    permits: Semaphore,
    commands: Semaphore,
    requests: Arc<AtomicU64>,
    /// How often a server was left for another.
    moves: AtomicU64,
    pace: Pace,
}

/// How often one call has met each sort of fault.
#[derive(Default)]
struct Met {
    throttled: u32,
    failed: u32,
    broken: u32,
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
            requests: Arc::default(),
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
        let session = Session::open(&self.access, &self.requests, false).await?;
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
            false => Err(status::of(&answer).into()),
        }
    }

    /// Sends a request. Any answer counts that comes after passing faults were forgiven: too many
    /// requests, a failing server and a broken connection twice each, refused credentials once.
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
            let outcome = session.exchange(call).await;
            if is_lost(&outcome) {
                self.move_on(&session, moves);
            }
            let pause = match &outcome {
                Ok(answer) => self.pace.after(answer, &mut met),
                Err(Failure::Broken(_)) => self.pace.forgive(&mut met.broken),
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
                return outcome.and_then(|answer| Err(session.refusal(&answer)));
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

    /// Waits as after a fault that says nothing of its own.
    pub async fn pause(&self) {
        tokio::time::sleep(self.pace.pause).await;
    }

    /// Leaves the server, unless another call did since this one began.
    fn move_on(&self, session: &Session, moves: u64) {
        let order = Ordering::Relaxed;
        if self.moves.compare_exchange(moves, moves + 1, order, order).is_ok() {
            self.access.move_on();
        }
        session.forget_idle();
    }

    /// Reads the kubeconfig anew, unless somebody else just did: from another server, where there is
    /// one, since each has its own, which it renews when it starts.
    async fn renew(&self, refused: &Arc<Session>) -> Result<(), Failure> {
        let mut slot = self.session.lock().await;
        if slot.as_ref().is_none_or(|session| Arc::ptr_eq(session, refused)) {
            self.access.move_on();
            *slot = Some(Session::open(&self.access, &self.requests, true).await?);
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

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use hyper::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    use super::*;

    /// Answers that come one after the other, as `429` or `429 7`, and the pauses after them.
    fn check(answers: &[(u16, Option<u64>)], expected: &[Option<u64>]) {
        let mut met = Met::default();
        let pauses = answers.iter().map(|(code, asked)| {
            let asked = asked.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds)));
            let headers = HeaderMap::from_iter(asked);
            let status = StatusCode::from_u16(*code).unwrap_or_default();
            let answer = Answer::new(status, &headers, Default::default());
            Pace::default().after(&answer, &mut met).map(|pause| pause.as_secs())
        });
        assert_eq!(pauses.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_server_is_given_the_time_it_asks_for_within_limits() {
        check(&[(429, Some(7)), (429, Some(2)), (429, Some(2))], &[Some(7), Some(2), None]);
        check(&[(429, Some(3600)), (500, None)], &[Some(30), Some(1)]);
        check(&[(500, None), (503, None), (504, None)], &[Some(1), Some(2), None]);
        check(&[(200, None), (409, Some(1)), (404, None)], &[None, None, None]);
    }
}
