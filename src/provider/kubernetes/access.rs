//! The way to an API server.

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::provider::{BoxFuture, ProviderError};

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What opens the cluster to boma.
pub trait Access: Send + Sync {
    /// The administrator's kubeconfig of the server whose turn it is, read anew at each call.
    ///
    /// # Errors
    /// No server of the cluster answers, or none has made one yet.
    fn kubeconfig(&self) -> BoxFuture<'_, Result<SecretString, ProviderError>>;

    /// A connection to port 6443 of a server that lives. TLS is not begun on it.
    ///
    /// # Errors
    /// No server can be reached.
    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Stream>, ProviderError>>;

    /// What the last connections led to does not serve, or the last kubeconfig is refused: the next
    /// ones shall be another server's, where there is one.
    fn move_on(&self);
}
