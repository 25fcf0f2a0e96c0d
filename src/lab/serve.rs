//! The lab's HTTPS server.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderValue, SET_COOKIE, USER_AGENT};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::control::{Adjustment, Drifted, Status, TOKEN_HEADER};
use super::core::{Core, Rest, now};
use super::home::{Endpoints, Lab, LabError};
use super::host::{HostAction, HostAnswer, HostDesk, HostEndpoint, Network};
use super::kubernetes::{Port, ProjectAction, Staging, kubeconfig_path};
use super::side_door;
use super::staged::FaultRule;
use super::tls::identity;
use super::vsphere::{Desk, Entry, Reply, RestRequest, Settings, World, adjust, attach, detach};
use super::world::LabWorld;

/// How a lab is served; none of it is part of the world.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// 0 for any free port.
    pub port: u16,
    /// How long each task takes.
    pub task_delay_ms: u64,
    /// The most objects in one page of properties. A real vCenter sends about 100.
    pub page_size: usize,
    /// How much later the answer to each command of a host comes.
    pub command_delay_ms: u64,
    /// Whether the clusters' API answers at a port of its own, too, with a kubeconfig for kubectl.
    pub kubernetes: bool,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self { port: 0, task_delay_ms: 0, page_size: 100, command_delay_ms: 0, kubernetes: false }
    }
}

/// A lab that answers. Dropping it stops it.
pub struct Running {
    /// What its clients need.
    pub endpoints: Endpoints,
    directory: PathBuf,
    core: Arc<Mutex<Core>>,
    listener: JoinHandle<()>,
    kubernetes: Option<Port>,
    /// Kept until the last: the world is free for others once it goes.
    _lock: File,
}

/// The largest request: more than any client sends.
const BODY_MAX: usize = 16 << 20;

impl Lab {
    /// Listens on loopback, then tells other processes where.
    ///
    /// # Errors
    /// `Tls` and `Io` (a port that is taken, too).
    pub async fn serve(self, options: ServeOptions) -> Result<Running, LabError> {
        let failed = |source| LabError::io(&self.directory, source);
        let identity = identity(&self.directory)?;
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let endpoints = self.endpoints(port, &identity);
        endpoints.publish(&self.directory)?;
        let LabWorld { vsphere, hosts, clusters } = self.world;
        let seed = vsphere.seed();
        let mut desk = Desk::new(vsphere);
        desk.policies = self.policies;
        let core = Arc::new_cyclic(|core: &Weak<Mutex<Core>>| {
            Mutex::new(Core {
                desk,
                hosts: HostDesk::new(seed, hosts, clusters, self.standing),
                network: Network::new(seed, core.clone()),
                journal: self.journal,
                settings: Settings {
                    task_delay_ms: options.task_delay_ms,
                    page_size: options.page_size.max(1),
                },
                command_delay_ms: options.command_delay_ms,
                api: Staging::default(),
                token: endpoints.control_token.clone(),
                site: self.site,
                rest: Rest::default(),
                broken: false,
            })
        });
        lock(&core).follow().map_err(|source| LabError::io(&self.directory, source))?;
        let kubernetes = match options.kubernetes {
            true => {
                let opened = Port::open(Arc::downgrade(&core), &self.directory).await;
                Some(opened.map_err(|source| LabError::io(&self.directory, source))?)
            }
            false => None,
        };
        let acceptor = TlsAcceptor::from(identity.config);
        Ok(Running {
            listener: tokio::spawn(accept(listener, acceptor, Arc::clone(&core))),
            endpoints,
            directory: self.directory,
            core,
            kubernetes,
            _lock: self.lock,
        })
    }
}

impl Running {
    /// As [`super::Control::drift`], without a connection.
    ///
    /// # Errors
    /// `Io` when the log cannot be written.
    pub fn drift(&self, seed: u64, count: usize) -> Result<Vec<Drifted>, LabError> {
        let drifted = lock(&self.core).drift(seed, count);
        drifted.map_err(|source| LabError::io(&self.directory, source))
    }

    /// As [`super::Control::status`], without a connection.
    ///
    /// # Errors
    /// `Io` when the log cannot be written.
    pub fn status(&self) -> Result<Status, LabError> {
        let status = lock(&self.core).status();
        status.map_err(|source| LabError::io(&self.directory, source))
    }

    /// How long tasks take that start from now on.
    pub fn set_delay(&self, ms: u64) {
        lock(&self.core).settings.task_delay_ms = ms;
    }

    /// As [`super::Control::stage`], without a connection.
    pub fn stage(&self, faults: Vec<FaultRule>) {
        lock(&self.core).stage(faults);
    }

    /// As [`super::Control::attach`], without a connection.
    ///
    /// # Errors
    /// `Refused` for a path or file that cannot be, and `Io`.
    pub fn attach(&self, path: &str, file: &str) -> Result<(), LabError> {
        self.change(|world| attach(world, path, file))
    }

    /// As [`super::Control::detach`], without a connection.
    ///
    /// # Errors
    /// `Refused` for a path or file that cannot be, and `Io`.
    pub fn detach(&self, path: &str, file: &str) -> Result<(), LabError> {
        self.change(|world| detach(world, path, file))
    }

    /// As [`super::Control::set`], without a connection.
    ///
    /// # Errors
    /// `Refused` for a path or value that cannot be, and `Io`.
    pub fn set(&self, adjustment: &Adjustment) -> Result<(), LabError> {
        self.change(|world| adjust(world, adjustment))
    }

    /// As [`super::Control::drift_hosts`], without a connection.
    ///
    /// # Errors
    /// `Io` when the log cannot be written.
    pub fn drift_hosts(&self, seed: u64, count: usize) -> Result<Vec<Drifted>, LabError> {
        let drifted = lock(&self.core).drift_hosts(seed, count);
        drifted.map_err(|source| LabError::io(&self.directory, source))
    }

    /// The hosts that listen, by name.
    pub fn hosts(&self) -> Vec<HostEndpoint> {
        lock(&self.core).endpoints()
    }

    /// The port on 127.0.0.1 where the newest cluster's API answers, and the kubeconfig for it,
    /// which is there once there is a cluster. `None` unless [`ServeOptions::kubernetes`] asked for
    /// it.
    pub fn kubernetes(&self) -> Option<(u16, PathBuf)> {
        let port = self.kubernetes.as_ref()?;
        Some((port.number, kubeconfig_path(&self.directory)))
    }

    /// The port on 127.0.0.1 of the host at an address of the world.
    pub fn host(&self, address: &str) -> Option<u16> {
        lock(&self.core).port_of(address)
    }

    /// As [`super::Control::at_host`], without a connection.
    ///
    /// # Errors
    /// `Refused` for a host that there is not, and `Io`.
    pub fn at_host(&self, host: &str, action: &HostAction) -> Result<HostAnswer, LabError> {
        let answered = lock(&self.core).hand(host, action);
        let answered = answered.map_err(|source| LabError::io(&self.directory, source))?;
        answered.map_err(|reason| LabError::Refused { reason })
    }

    /// As [`super::Control::project`], without a connection.
    ///
    /// # Errors
    /// `Refused` where there is no such project or it says no, and `Io`.
    pub fn project(&self, namespace: &str, action: &ProjectAction) -> Result<(), LabError> {
        let done = lock(&self.core).project(namespace, action);
        let done = done.map_err(|source| LabError::io(&self.directory, source))?;
        done.map_err(|reason| LabError::Refused { reason })
    }

    fn change(&self, make: impl FnOnce(&World) -> Result<Entry, String>) -> Result<(), LabError> {
        let changed = lock(&self.core).change(make);
        let changed = changed.map_err(|source| LabError::io(&self.directory, source))?;
        changed.map_err(|reason| LabError::Refused { reason })
    }

    /// Stops answering and frees the world.
    ///
    /// # Errors
    /// `Io` when the published endpoints cannot be withdrawn.
    pub async fn shutdown(mut self) -> Result<(), LabError> {
        self.listener.abort();
        lock(&self.core).network.close();
        // The task ends cancelled: nothing else to learn from it.
        let _ = (&mut self.listener).await;
        Endpoints::withdraw(&self.directory)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.listener.abort();
        lock(&self.core).network.close();
    }
}

pub(super) type Answer = Response<Full<Bytes>>;

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, core: Arc<Mutex<Core>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, acceptor.clone(), Arc::clone(&core)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, core: Arc<Mutex<Core>>) {
    // A client that goes away in the middle is the client's business.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(move |request| respond(request, Arc::clone(&core)));
    let served =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "lab connection ended");
    }
}

/// The connection ends here instead of an answer, because a staged fault says so.
#[derive(Debug, thiserror::Error)]
#[error("cut on request")]
struct Cut;

async fn respond(request: Request<Incoming>, core: Arc<Mutex<Core>>) -> Result<Answer, Cut> {
    let (head, body) = request.into_parts();
    let header = |name: &str| {
        head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
        return Ok(plain(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the request is too large or was cut short",
        ));
    };
    let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    let path = head.uri.path().trim_end_matches('/');
    Ok(match (&head.method, path) {
        (&Method::POST, "/sdk") => {
            let agent = header(USER_AGENT.as_str()).unwrap_or_default();
            let cookie = header(COOKIE.as_str()).and_then(|text| session_cookie(&text));
            let action = header("soapaction").unwrap_or_default();
            let ask = || soap(&core, &body, &action, cookie.as_deref(), &agent);
            answered(ask).await?
        }
        (&Method::POST, "/pbm" | "/pbm/sdk") => answered(|| pbm(&core, &body)).await?,
        (&Method::GET, "/sdk/vimServiceVersions.xml") => text(StatusCode::OK, VERSIONS.to_owned()),
        (_, path) if path.starts_with("/lab/") => {
            let mut core = lock(&core);
            if header(TOKEN_HEADER).as_deref() != Some(&core.token) {
                return Ok(plain(StatusCode::FORBIDDEN, "the control token is missing or wrong"));
            }
            side_door::answer(&mut core, &head.method, path, &body)
        }
        (method, path) if path.starts_with("/api/") || path.starts_with("/rest/") => {
            let authorization = header(AUTHORIZATION.as_str());
            let session = header("vmware-api-session-id");
            let agent = header(USER_AGENT.as_str()).unwrap_or_default();
            let request = RestRequest {
                method: method.as_str(),
                path,
                query: head.uri.query().unwrap_or_default(),
                authorization: authorization.as_deref(),
                session: session.as_deref(),
                agent: &agent,
            };
            answered(|| rest(&core, &request)).await?
        }
        _ => plain(StatusCode::NOT_FOUND, "nothing is here; SOAP is at /sdk"),
    })
}

/// What clients that negotiate (pyvmomi) ask first.
const VERSIONS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<namespaces version="1.0"><namespace><name>urn:vim25</name><version>7.0.3.2</version><priorVersions><version>7.0.3.1</version><version>7.0.3.0</version><version>7.0.2.0</version><version>7.0.1.0</version><version>7.0.0.0</version><version>6.7.3</version><version>6.7.2</version><version>6.7.1</version><version>6.7</version><version>6.5</version><version>6.0</version><version>5.5</version></priorVersions></namespace></namespaces>
"#;

/// What becomes of a request to the vCenter.
enum Outcome {
    Answered(Answer),
    /// The connection is to be cut.
    Cut,
    /// It waits for a change of the world.
    Waits,
}

/// How often a request that waits looks whether something has changed.
const WAIT_POLL: Duration = Duration::from_millis(20);

/// Asks until there is an answer.
async fn answered(ask: impl Fn() -> Outcome) -> Result<Answer, Cut> {
    loop {
        match ask() {
            Outcome::Answered(answer) => return Ok(answer),
            Outcome::Cut => return Err(Cut),
            Outcome::Waits => tokio::time::sleep(WAIT_POLL).await,
        }
    }
}

fn soap(
    core: &Mutex<Core>,
    body: &str,
    action: &str,
    cookie: Option<&str>,
    agent: &str,
) -> Outcome {
    if !supported(action.trim().trim_matches('"')) {
        let fault = super::vsphere::unsupported_version(action);
        return Outcome::Answered(text(StatusCode::INTERNAL_SERVER_ERROR, fault));
    }
    let ask = |desk: &mut Desk, settings, now| desk.handle(body, cookie, agent, settings, now);
    kept(core, ask, |status, reply| {
        let mut answer = xml(status, reply.body);
        if let Some(cookie) = reply.cookie {
            let cookie = format!("vmware_soap_session=\"{cookie}\"; Path=/; HttpOnly; Secure");
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                answer.headers_mut().insert(SET_COOKIE, value);
            }
        }
        answer
    })
}

fn pbm(core: &Mutex<Core>, body: &str) -> Outcome {
    kept(core, |desk, _, now| desk.pbm(body, now), |status, reply| xml(status, reply.body))
}

fn rest(core: &Mutex<Core>, request: &RestRequest<'_>) -> Outcome {
    kept(
        core,
        |desk, _, now| desk.rest(request, now),
        |status, reply| {
            let mut answer = plain(status, &reply.body);
            if status != StatusCode::SERVICE_UNAVAILABLE && !reply.body.is_empty() {
                let json = HeaderValue::from_static("application/json");
                answer.headers_mut().insert(CONTENT_TYPE, json);
            }
            answer
        },
    )
}

/// Has the vCenter reply at a time; what that changed is in the log before the answer leaves.
fn kept(
    core: &Mutex<Core>,
    ask: impl FnOnce(&mut Desk, Settings, u64) -> Reply,
    answer: impl FnOnce(StatusCode, Reply) -> Answer,
) -> Outcome {
    let mut core = lock(core);
    if core.broken {
        return Outcome::Answered(unwritable("free some space and start it again"));
    }
    let settings = core.settings;
    let mut reply = ask(&mut core.desk, settings, now());
    if let Err(error) = core.keep(std::mem::take(&mut reply.entries)) {
        return Outcome::Answered(unwritable(&error.to_string()));
    }
    if reply.cut || reply.waits {
        return if reply.cut { Outcome::Cut } else { Outcome::Waits };
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Outcome::Answered(answer(status, reply))
}

pub(super) fn unwritable(why: &str) -> Answer {
    let message = format!("the lab could not write its log: {why}");
    plain(StatusCode::SERVICE_UNAVAILABLE, &message)
}

/// No version, or one that a vCenter 7.0 U3 knows.
fn supported(action: &str) -> bool {
    let newest = [7, 0, 3, 2];
    match action.strip_prefix("urn:vim25") {
        None => action.is_empty(),
        Some("") => true,
        Some(version) => {
            let parts = version.strip_prefix('/').unwrap_or_default().split('.');
            let parts: Result<Vec<u32>, _> = parts.map(str::parse).collect();
            parts.is_ok_and(|parts| parts.as_slice() <= newest.as_slice())
        }
    }
}

/// The session's value in a Cookie header; vCenter puts it in quotes.
fn session_cookie(header: &str) -> Option<String> {
    let mut pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == "vmware_soap_session")?;
    Some(value.trim_matches('"').to_owned())
}

/// What the proxy in front of a service says itself is no XML.
fn xml(status: StatusCode, body: String) -> Answer {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => plain(status, &body),
        _ => text(status, body),
    }
}

fn text(status: StatusCode, body: String) -> Answer {
    let mut answer = plain(status, &body);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    answer
}

pub(super) fn plain(status: StatusCode, body: &str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *answer.status_mut() = status;
    answer
}

fn lock(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
