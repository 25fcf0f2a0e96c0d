//! The client that one kubeconfig makes.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use jiff::Timestamp;
use kube::client::{Body, UpgradeConnectionError};
use tokio::time::{sleep, timeout};

use super::access::Access;
use super::call::{Answer, Call};
use super::credentials::Credentials;
use super::failure::Failure;
use super::status;
use super::wire::{self, PATIENCE, lost};

/// What an answer may be long. A page of 500 objects is a few MB.
const ANSWER_MAX: usize = 256 << 20;

/// One kubeconfig and the connections that were opened with it.
pub struct Session {
    credentials: Credentials,
    access: Arc<dyn Access>,
    kube: Mutex<kube::Client>,
    /// How many requests were sent, by this session and others.
    requests: Arc<AtomicU64>,
    /// It was read because another one was refused.
    is_renewal: bool,
    /// The server has taken it.
    accepted: AtomicBool,
}

impl Session {
    /// Reads the kubeconfig; connects to nothing yet. `requests` is counted up with every request.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub async fn open(
        access: &Arc<dyn Access>,
        requests: &Arc<AtomicU64>,
        is_renewal: bool,
    ) -> Result<Arc<Self>, Failure> {
        let credentials = Credentials::parse(&access.kubeconfig().await?)?;
        let kube = wire::client(&credentials.config, access).map_err(|error| lost(&error))?;
        let (access, requests) = (access.clone(), requests.clone());
        let (kube, accepted) = (Mutex::new(kube), AtomicBool::new(false));
        Ok(Arc::new(Self { credentials, access, kube, requests, is_renewal, accepted }))
    }

    /// Whether a fresh kubeconfig may be taken where this one is refused.
    pub fn can_be_renewed(&self) -> bool {
        !self.is_renewal || self.accepted.load(Ordering::Relaxed)
    }

    /// Why the server refuses the credentials, in its own words where boma knows no better ones.
    pub fn refusal(&self, answer: &Answer) -> Failure {
        match self.credentials.end.filter(|end| *end < Timestamp::now()) {
            Some(end) => Failure::Ended(end),
            None => status::of(answer).into(),
        }
    }

    /// Sends a request once and takes the whole answer.
    ///
    /// # Errors
    /// No server can be reached, or it cannot be trusted. The connection broke; the request may
    /// have been carried out.
    pub async fn exchange(&self, call: &Call) -> Result<Answer, Failure> {
        let answer = match call.is_command {
            true => self.open_socket(call).await?,
            false => self.send(call).await?,
        };
        if answer.status.as_u16() != 401 {
            self.accepted.store(true, Ordering::Relaxed);
        }
        Ok(answer)
    }

    /// Lets go of connections on which nothing is under way: where one broke, the others are
    /// likely to be dead too.
    pub fn forget_idle(&self) {
        // The certificates were good before.
        if let Ok(fresh) = wire::client(&self.credentials.config, &self.access) {
            *self.kube.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }

    async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        let mut request = call.request.clone().map(Body::from);
        let on = capture_connection(&mut request);
        let response = self.heard(on, self.kube().send(request)).await?;
        take(response.map_err(|error| lost(&error))?).await
    }

    async fn open_socket(&self, call: &Call) -> Result<Answer, Failure> {
        let mut request = call.request.clone().map(Vec::from);
        let on = capture_connection(&mut request);
        match self.heard(on, self.kube().connect(request)).await? {
            Ok(socket) => Ok(Answer::opened(socket)),
            Err(kube::Error::Api(status)) => Ok(Answer::refused(&status)),
            Err(kube::Error::UpgradeConnection(UpgradeConnectionError::GetPendingUpgrade(
                error,
            ))) => Err(lost(&error)),
            Err(kube::Error::UpgradeConnection(problem)) => Err(Failure::later(
                format!("the API server opened no WebSocket that boma can use: {problem}"),
                "see whether something between boma and the API server changes requests",
            )),
            Err(error) => Err(lost(&error)),
        }
    }

    /// What comes in time over the connection that was found for a request.
    async fn heard<T>(
        &self,
        mut on: CaptureConnection,
        answer: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let found = on.clone();
        let silence = async {
            // The search for a connection has a limit of its own.
            on.wait_for_connection_metadata().await;
            sleep(PATIENCE).await;
        };
        let answer = tokio::select! {
            answer = answer => Ok(answer),
            () = silence => Err(silent()),
        };
        if found.connection_metadata().is_some() {
            self.requests.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    fn kube(&self) -> kube::Client {
        self.kube.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The answer to its end; each part may take [`PATIENCE`].
async fn take(response: Response<Body>) -> Result<Answer, Failure> {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    while let Some(frame) = timeout(PATIENCE, body.frame()).await.map_err(|_| silent())? {
        let frame = frame.map_err(|error| lost(&error))?;
        bytes.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
        if bytes.len() > ANSWER_MAX {
            return Err(Failure::refused(
                format!("an answer of the Kubernetes API has more than {ANSWER_MAX} bytes"),
                "see what fills the cluster: `kubectl get --raw /metrics`",
            ));
        }
    }
    // The connection goes back to the pool in a task of its own, where the next request finds it.
    tokio::task::yield_now().await;
    Ok(Answer::new(head.status, &head.headers, Bytes::from(bytes)))
}

fn silent() -> Failure {
    Failure::Broken(format!("nothing was heard for {PATIENCE:?}"))
}
