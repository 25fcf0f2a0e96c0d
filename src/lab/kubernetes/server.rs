//! HTTPS in front of [`super::answer`]: on any stream, so that none of it needs a port.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE, USER_AGENT, WWW_AUTHENTICATE,
};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::exec::Executed;
use super::request::Request;
use super::websocket::{self, Asked};
use super::{Answer, Watch, tls};
use crate::lab::core::{Core, now};

/// Which server of which cluster a connection is to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lab) struct Door {
    pub cluster: String,
    /// The Node whose k3s answers.
    pub node: String,
}

/// What came of a request.
pub(in crate::lab) enum Outcome {
    Answered(Box<Answer>),
    /// The connection ends without an answer.
    Cut,
    /// A command ran in a container; its output goes over a WebSocket.
    Executed(Box<Executed>),
    /// No answer ever comes.
    Hangs,
}

/// Who asks, as far as the connection and the headers tell.
#[derive(Clone, Debug, Default)]
pub(in crate::lab) struct Credentials {
    pub chain: Vec<CertificateDer<'static>>,
    /// The `Authorization` header.
    pub header: String,
}

/// The largest request that a real server takes.
const BODY_MAX: usize = 3 << 20;
/// How often a watch looks whether something has changed.
const WATCH_POLL: Duration = Duration::from_millis(50);

type Reply = Response<Either<Full<Bytes>, Events>>;

/// The connection ends here instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut on request, or k3s no longer runs there")]
struct Cut;

/// Serves one connection until either side ends it.
pub(in crate::lab) async fn serve<S>(stream: S, core: Arc<Mutex<Core>>, door: Door)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = lock(&core).hosts.clusters.get(&door.cluster).map(|one| tls::config(one, now()));
    let Some(Ok(config)) = config else { return };
    let Ok(stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else { return };
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let chain: Vec<CertificateDer<'static>> =
        chain.iter().map(|one| one.clone().into_owned()).collect();
    let service =
        service_fn(move |request| respond(request, Arc::clone(&core), door.clone(), chain.clone()));
    let served =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let served = served.with_upgrades();
    if let Err(error) = served.await {
        tracing::debug!(%error, "lab Kubernetes connection ended");
    }
}

async fn respond(
    mut request: hyper::Request<Incoming>,
    core: Arc<Mutex<Core>>,
    door: Door,
    chain: Vec<CertificateDer<'static>>,
) -> Result<Reply, Cut> {
    let asked = websocket::asked(&mut request);
    let (head, body) = request.into_parts();
    let header = |name| {
        let value = head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"));
    };
    let request = Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        content_type: header(CONTENT_TYPE),
        accept: header(ACCEPT),
        user_agent: header(USER_AGENT),
        body: body.to_bytes().to_vec(),
        protocols: asked.as_ref().map(|asked| asked.protocols.clone()),
    };
    let credentials = Credentials { chain, header: header(AUTHORIZATION) };
    let (outcome, delay) = lock(&core).kubernetes(&door, &request, &credentials);
    tokio::time::sleep(delay).await;
    match outcome {
        Outcome::Cut => Err(Cut),
        Outcome::Hangs => std::future::pending().await,
        Outcome::Executed(executed) => Ok(switch(*executed, asked)),
        Outcome::Answered(answer) => Ok(reply(*answer, &core, &door)),
    }
}

fn reply(answer: Answer, core: &Arc<Mutex<Core>>, door: &Door) -> Reply {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = match answer.watch {
        Some(watch) => Either::Right(events(watch, Arc::clone(core), door.clone())),
        None => Either::Left(Full::new(Bytes::from(answer.body))),
    };
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.media));
    if let Some(seconds) = answer.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"k3s\""));
    }
    reply
}

/// The answer after which the connection is a WebSocket.
fn switch(executed: Executed, asked: Option<Asked>) -> Reply {
    let mut reply = Response::new(Either::Left(Full::new(Bytes::new())));
    let Some(asked) = asked else { return reply };
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    for (name, value) in
        [(SEC_WEBSOCKET_ACCEPT, asked.accept()), (SEC_WEBSOCKET_PROTOCOL, executed.protocol.into())]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    tokio::spawn(websocket::send(asked, executed));
    reply
}

fn plain(status: StatusCode, text: &str) -> Reply {
    let mut reply = Response::new(Either::Left(Full::new(Bytes::copy_from_slice(text.as_bytes()))));
    *reply.status_mut() = status;
    reply
}

/// The lines of a watch, as they come.
struct Events(mpsc::Receiver<Bytes>);

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn events(mut watch: Watch, core: Arc<Mutex<Core>>, door: Door) -> Events {
    let (sender, receiver) = mpsc::channel(16);
    let core = Arc::downgrade(&core);
    tokio::spawn(async move {
        while now() < watch.until_ms && !sender.is_closed() {
            let Some(core) = core.upgrade() else { return };
            let Some(events) = lock(&core).watched(&door, &mut watch) else { return };
            drop(core);
            let lines: Vec<u8> =
                events.iter().flat_map(|event| format!("{event}\n").into_bytes()).collect();
            if !lines.is_empty() && sender.send(Bytes::from(lines)).await.is_err() {
                return;
            }
            tokio::time::sleep(WATCH_POLL).await;
        }
    });
    Events(receiver)
}

fn lock(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
