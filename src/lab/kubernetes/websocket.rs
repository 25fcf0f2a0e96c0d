//! WebSockets (RFC 6455) with the channels of Kubernetes: the first byte of a message is its
//! channel.

use futures_util::SinkExt;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderName, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::exec::Executed;

/// A request for a WebSocket.
pub(super) struct Asked {
    /// As the client offers them.
    pub protocols: Vec<String>,
    key: String,
    upgrade: OnUpgrade,
}

const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;

/// Whether a request is for a WebSocket.
pub(super) fn asked(request: &mut hyper::Request<Incoming>) -> Option<Asked> {
    let text = |name: HeaderName| {
        let values = request.headers().get_all(name).iter();
        values.filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",")
    };
    let upgrades = text(CONNECTION).to_ascii_lowercase().contains("upgrade")
        && text(UPGRADE).eq_ignore_ascii_case("websocket");
    let protocols = text(SEC_WEBSOCKET_PROTOCOL);
    let protocols = protocols.split(',').map(|one| one.trim().to_owned()).collect();
    let key = text(SEC_WEBSOCKET_KEY);
    upgrades.then(|| Asked { protocols, key, upgrade: hyper::upgrade::on(request) })
}

impl Asked {
    /// What proves to the client that its request was understood.
    pub(super) fn accept(&self) -> String {
        derive_accept_key(self.key.as_bytes())
    }
}

/// Sends what a command wrote and how it ended, and closes.
pub(super) async fn send(asked: Asked, executed: Executed) {
    let Ok(stream) = asked.upgrade.await else { return };
    let stream = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, None).await;
    if let Err(error) = send_all(stream, &executed).await {
        tracing::debug!(%error, "lab exec connection ended");
    }
}

async fn send_all(
    mut stream: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>,
    executed: &Executed,
) -> Result<(), Error> {
    // The API server tells so that the streams stand.
    stream.send(message(STDOUT, "")).await?;
    for (channel, text) in [(STDOUT, &executed.stdout), (STDERR, &executed.stderr)] {
        if !text.is_empty() {
            stream.send(message(channel, text)).await?;
        }
    }
    stream.send(message(ERROR, &executed.status.to_string())).await?;
    stream.close(None).await
}

fn message(channel: u8, text: &str) -> Message {
    let bytes: Vec<u8> = std::iter::once(channel).chain(text.bytes()).collect();
    Message::Binary(bytes.into())
}
