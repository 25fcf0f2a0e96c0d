//! What boma answers when a host speaks first.

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use russh::client::{DisconnectReason, Handler};
use russh::keys::PublicKeyOrCertificate;

use super::HostError;
use super::error::harmless;
use super::trust::Trust;

/// The client's side of one connection.
pub(super) struct Client {
    pub(super) trust: Trust,
    pub(super) end: Arc<OnceLock<End>>,
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// Nothing was heard for too long.
    Silent,
    /// Anything else, in words.
    Said(String),
}

/// A failure of the protocol, or a key that boma does not accept.
#[derive(Debug)]
pub(super) enum ClientError {
    Protocol(russh::Error),
    Refused(Box<HostError>),
}

impl From<russh::Error> for ClientError {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl Handler for Client {
    type Error = ClientError;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, ClientError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        match self.trust.judge(shown, since.as_secs()) {
            Ok(()) => Ok(true),
            Err(refusal) => Err(ClientError::Refused(Box::new(refusal))),
        }
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<ClientError>,
    ) -> Result<(), ClientError> {
        let end = match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                let said = harmless(&info.message);
                End::Said(format!("the host said {:?}: {said}", info.reason_code))
            }
            DisconnectReason::Error(ClientError::Protocol(
                russh::Error::KeepaliveTimeout | russh::Error::InactivityTimeout,
            )) => End::Silent,
            DisconnectReason::Error(ClientError::Protocol(error)) => End::Said(error.to_string()),
            DisconnectReason::Error(ClientError::Refused(refusal)) => {
                End::Said(refusal.to_string())
            }
        };
        let _ = self.end.set(end);
        Ok(())
    }
}
