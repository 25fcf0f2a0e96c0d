//! The opening of a WebSocket (RFC 6455) on a connection to the API, and its frames.

use futures_util::{SinkExt, StreamExt};
use hyper::body::Bytes;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::call::Call;
use super::client::Client;
use super::failure::Failure;
use super::status::Status;

/// What is spoken: output, errors and the end of a command on numbered channels. The newer one can
/// close a channel, too; servers before 1.29 know the older one only.
const PROTOCOLS: &str = "v5.channel.k8s.io, v4.channel.k8s.io";

/// How much one message may hold.
const MESSAGE_MAX: usize = 1 << 20;

/// An open one.
pub struct Socket(WebSocketStream<TokioIo<Upgraded>>);

impl Socket {
    /// Asks the API to go on as a WebSocket at this path.
    ///
    /// # Errors
    /// The server refuses, or does not keep to the protocol.
    pub async fn open(client: &Client, path: String) -> Result<Self, Failure> {
        let key = generate_key();
        let mut call = Call::get(path);
        call.headers = headers(&key)?;
        let mut answer = client.call(&call).await?;
        let Some(switched) = answer.switched.take() else {
            return Err(Status::of(&answer).into());
        };
        check(&switched.headers, &key)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX));
        let stream = TokioIo::new(switched.stream);
        Ok(Self(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await))
    }

    /// The next message of bytes. `None` once the server has closed.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            match self.0.next().await {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Ok(Message::Binary(bytes))) => return Ok(Some(bytes)),
                Some(Ok(_)) => {}
                Some(Err(Error::ConnectionClosed)) => return Ok(None),
                Some(Err(error)) => return Err(Failure::Broken(error.to_string())),
            }
        }
    }

    /// Says goodbye; who does not hear it sees the connection end.
    pub async fn close(mut self) {
        let _ = self.0.send(Message::Close(None)).await;
    }
}

fn headers(key: &str) -> Result<HeaderMap, Failure> {
    let text = HeaderValue::from_static;
    let key = HeaderValue::from_str(key)
        .map_err(|_| Failure::Broken("no key for a WebSocket can be made".into()))?;
    let pairs: [(HeaderName, HeaderValue); 5] = [
        (CONNECTION, text("Upgrade")),
        (UPGRADE, text("websocket")),
        (SEC_WEBSOCKET_VERSION, text("13")),
        (SEC_WEBSOCKET_KEY, key),
        (SEC_WEBSOCKET_PROTOCOL, text(PROTOCOLS)),
    ];
    Ok(HeaderMap::from_iter(pairs))
}

/// Whether the server means the same: its answer to the key, and one of the protocols.
fn check(headers: &HeaderMap, key: &str) -> Result<(), Failure> {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let accepted = header(SEC_WEBSOCKET_ACCEPT) == Some(derive_accept_key(key.as_bytes()).as_str());
    let protocol = header(SEC_WEBSOCKET_PROTOCOL);
    let known = PROTOCOLS.split(", ").any(|known| protocol == Some(known));
    let problem = match (accepted, known) {
        (true, true) => return Ok(()),
        (false, _) => "its answer to the key is wrong".to_owned(),
        (true, false) => format!("it speaks {}", protocol.unwrap_or("no protocol of its channels")),
    };
    Err(Failure::later(
        format!("the API server opened no WebSocket that boma can use: {problem}"),
        "see whether something between boma and the API server changes requests",
    ))
}
