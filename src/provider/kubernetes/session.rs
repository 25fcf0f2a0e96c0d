//! Connections that one kubeconfig opens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::access::Access;
use super::call::{Answer, Call};
use super::credentials::Credentials;
use super::failure::Failure;
use super::status::Status;

/// How long the way to the server may take, and how long nothing may come over it.
const PATIENCE: Duration = Duration::from_secs(30);
/// What an answer may be long. A page of 500 objects is a few MB.
const ANSWER_MAX: usize = 256 << 20;

/// A connection on which nothing is under way.
pub type Connection = SendRequest<Full<Bytes>>;

/// One kubeconfig and the connections that were opened with it.
pub struct Session {
    credentials: Credentials,
    idle: Mutex<Vec<Connection>>,
    /// It was read because another one was refused.
    is_renewal: bool,
    /// The server has taken it.
    accepted: AtomicBool,
}

impl Session {
    /// Reads the kubeconfig; connects to nothing yet.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub async fn open(access: &dyn Access, is_renewal: bool) -> Result<Arc<Self>, Failure> {
        let credentials = Credentials::parse(&access.kubeconfig().await?)?;
        let (idle, accepted) = (Mutex::default(), AtomicBool::new(false));
        Ok(Arc::new(Self { credentials, idle, is_renewal, accepted }))
    }

    /// Whether a fresh kubeconfig may be taken where this one is refused.
    pub fn can_be_renewed(&self) -> bool {
        !self.is_renewal || self.accepted.load(Ordering::Relaxed)
    }

    /// Remembers that the server took the credentials.
    pub fn accept(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    /// Why the server refuses the credentials, in its own words where boma knows no better ones.
    pub fn refusal(&self, answer: &Answer) -> Failure {
        match self.credentials.end.filter(|end| *end < Timestamp::now()) {
            Some(end) => Failure::Ended(end),
            None => Status::of(answer).into(),
        }
    }

    /// A connection that lives, as far as can be known.
    ///
    /// # Errors
    /// No server can be reached, or it cannot be trusted.
    pub async fn connection(&self, access: &dyn Access) -> Result<Connection, Failure> {
        while let Some(connection) = self.idle().pop() {
            if connection.is_ready() {
                return Ok(connection);
            }
        }
        let opened = timeout(PATIENCE, self.connect(access)).await;
        opened.unwrap_or_else(|_| Err(Failure::Broken(format!("no TLS within {PATIENCE:?}"))))
    }

    /// Sends a request and takes the whole answer. A connection that worked is kept.
    ///
    /// # Errors
    /// The connection broke; the request may have been carried out.
    pub async fn exchange(&self, mut on: Connection, call: &Call) -> Result<Answer, Failure> {
        let sent = timeout(PATIENCE, on.send_request(self.request(call)?)).await;
        let response = sent.map_err(|_| silent())?.map_err(|error| broken(&error))?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return switched(response).await;
        }
        let answer = take(response).await?;
        if on.ready().await.is_ok() {
            self.idle().push(on);
        }
        Ok(answer)
    }

    /// Lets go of connections on which nothing is under way: where one broke, the others are
    /// likely to be dead too.
    pub fn forget_idle(&self) {
        self.idle().clear();
    }

    async fn connect(&self, access: &dyn Access) -> Result<Connection, Failure> {
        let stream = access.connect().await?;
        let connector = TlsConnector::from(self.credentials.tls.clone());
        let name = self.credentials.server_name.clone();
        let stream = connector.connect(name, stream).await.map_err(not_greeted)?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        // Ends when the sender is dropped, or with the stream.
        tokio::spawn(connection.with_upgrades());
        Ok(sender)
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(&call.path)
            .header(HOST, self.credentials.authority.clone())
            .header(USER_AGENT, concat!("boma/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json");
        if let Some(authorization) = &self.credentials.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let body = call.body.as_ref().map(|(content_type, body)| (*content_type, body.clone()));
        if let Some((content_type, _)) = body {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(headers) = request.headers_mut() {
            headers.extend(call.headers.clone());
        }
        let body = body.map(|(_, body)| body).unwrap_or_default();
        request.body(Full::new(body)).map_err(|error| {
            Failure::refused(
                format!("no request can be made of {}: {error}", call.path),
                "plan again",
            )
        })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection with what the server said as it left HTTP.
async fn switched(mut response: Response<Incoming>) -> Result<Answer, Failure> {
    let stream = timeout(PATIENCE, hyper::upgrade::on(&mut response)).await;
    let stream = stream.map_err(|_| silent())?.map_err(|error| broken(&error))?;
    Ok(Answer::switched(std::mem::take(response.headers_mut()), stream))
}

/// The answer to its end; each part may take [`PATIENCE`].
async fn take(response: Response<Incoming>) -> Result<Answer, Failure> {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    while let Some(frame) = timeout(PATIENCE, body.frame()).await.map_err(|_| silent())? {
        let frame = frame.map_err(|error| broken(&error))?;
        bytes.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
        if bytes.len() > ANSWER_MAX {
            return Err(Failure::refused(
                format!("an answer of the Kubernetes API has more than {ANSWER_MAX} bytes"),
                "see what fills the cluster: `kubectl get --raw /metrics`",
            ));
        }
    }
    Ok(Answer::new(head.status, &head.headers, bytes.into()))
}

fn silent() -> Failure {
    Failure::Broken(format!("nothing was heard for {PATIENCE:?}"))
}

fn broken(error: &hyper::Error) -> Failure {
    let mut text = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        text = format!("{text}: {source}");
    }
    Failure::Broken(text)
}

fn not_greeted(error: std::io::Error) -> Failure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(problem)) => Failure::Untrusted(problem.to_string()),
        // What a server says that wants another client certificate.
        Some(rustls::Error::AlertReceived(alert)) => Failure::Untrusted(format!("{alert:?}")),
        _ => Failure::Broken(format!("TLS: {error}")),
    }
}
