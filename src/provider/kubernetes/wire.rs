//! The library's client, on connections of ours.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use hyper::Uri;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kube::Config;
use kube::client::ConfigExt;
use tokio::time::timeout;
use tower::{BoxError, ServiceBuilder, ServiceExt};

use super::access::{Access, Stream};
use super::client::PARALLEL;
use super::failure::Failure;
use crate::provider::ProviderError;

/// How long the way to the server may take, and how long nothing may come over it.
pub const PATIENCE: Duration = Duration::from_secs(30);

impl Connection for Box<dyn Stream> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// A client with a pool of its own, which is empty. Nothing in it sends a request twice: that is
/// for [`Client`](super::client::Client) to decide.
///
/// # Errors
/// The certificates cannot be used.
pub fn client(config: &Config, access: &Arc<dyn Access>) -> Result<kube::Client, kube::Error> {
    let access = access.clone();
    let stream = tower::service_fn(move |_: Uri| {
        let access = access.clone();
        async move { access.connect().await.map(TokioIo::new) }
    });
    let tls = config.rustls_https_connector_with_connector(stream)?;
    let connector = tower::service_fn(move |server: Uri| {
        let connected = tls.clone().oneshot(server).boxed();
        let in_time = async {
            let Ok(connected) = timeout(PATIENCE, connected).await else {
                return Err(Failure::Broken(format!("no TLS within {PATIENCE:?}")));
            };
            connected.map_err(|error| unreached(&*error))
        };
        in_time.boxed()
    });
    let pool = legacy::Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(PARALLEL)
        .retry_canceled_requests(false)
        .build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(pool);
    Ok(kube::Client::new(service, "default"))
}

/// Why there is no answer, or not all of it.
pub fn lost(error: &(dyn Error + 'static)) -> Failure {
    if let Some(failure) = find::<Failure>(error) {
        return failure.clone();
    }
    let Some(error) = find::<hyper::Error>(error) else {
        return Failure::Broken(error.to_string());
    };
    Failure::Broken(match error.source() {
        // The library's words are for programmers.
        Some(source) if is_cut(source) => "the server closed it".into(),
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })
}

/// Whether a connection ended without a word.
fn is_cut(error: &(dyn Error + 'static)) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

/// Why there is no connection.
fn unreached(error: &(dyn Error + 'static)) -> Failure {
    if let Some(told) = find::<ProviderError>(error) {
        return told.clone().into();
    }
    match find(error) {
        Some(rustls::Error::InvalidCertificate(problem)) => Failure::Untrusted(problem.to_string()),
        // What a server says that wants another client certificate.
        Some(rustls::Error::AlertReceived(alert)) => Failure::Untrusted(format!("{alert:?}")),
        _ => Failure::Broken(format!("TLS: {error}")),
    }
}

/// An error's cause of one type. What an IO error holds is not its source, but in its place.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
    }
    None
}
