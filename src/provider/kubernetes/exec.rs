//! Commands in pods, as `kubectl exec` runs them.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::body::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::core::Status;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::call::Call;
use super::client::Client;
use super::failure::Failure;
use super::place::Place;
use super::status::{self, causes};
use super::text::plain;

/// How long a command may run.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much it may say, and how much of that in one message.
const OUTPUT_MAX: usize = 4 << 20;
const MESSAGE_MAX: usize = 1 << 20;

/// The channels on which a command is heard: a message begins with the number of its channel.
const OUT: u8 = 1;
const ERR: u8 = 2;
const END: u8 = 3;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Where a command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub namespace: String,
    pub pod: String,
    pub container: String,
}

/// What came of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    /// Its exit status.
    pub code: i64,
}

/// Runs a command that changes nothing: where the connection breaks as it begins, it is run again.
/// Nothing secret may be among its words, which are in the URL and in audit logs.
///
/// # Errors
/// It could not be run, or did not end in time. A command that ends with another status than 0 is
/// no error.
pub async fn exec(client: &Client, target: &Target, words: &[&str]) -> Result<Output, Failure> {
    let _turn = client.command().await?;
    let mut socket = open(client, target, words).await?;
    let heard = timeout(PATIENCE, hear(&mut socket)).await;
    let output = heard.unwrap_or_else(|_| {
        Err(Failure::later(
            format!("a command in the pod {} has not ended within {PATIENCE:?}", target.pod),
            "look at the pod and at the node it is on",
        ))
    })?;
    // Who does not hear the goodbye sees the connection end.
    let _ = timeout(Duration::from_secs(1), socket.send(Message::Close(None))).await;
    Ok(output)
}

async fn open(client: &Client, target: &Target, words: &[&str]) -> Result<Socket, Failure> {
    let pod = Place::known::<Pod>(Some(&target.namespace), &target.pod);
    let answer = client.call(&Call::exec(&pod, &target.container, words)?).await?;
    let Some(socket) = answer.socket else { return Err(status::of(&answer).into()) };
    // The library takes far larger messages. Nothing was read yet, so nothing is lost.
    let stream = socket.into_stream().into_inner();
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX));
    Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await)
}

/// Listens until the command's end is told, which comes last.
async fn hear(socket: &mut Socket) -> Result<Output, Failure> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(message) = next(socket).await? {
        let Some((channel, bytes)) = message.split_first() else { continue };
        match *channel {
            OUT => stdout.extend_from_slice(bytes),
            ERR => stderr.extend_from_slice(bytes),
            END if !bytes.is_empty() => {
                let code = code(&serde_json::from_slice(bytes).unwrap_or_default())?;
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                return Ok(Output { stdout: text(stdout), stderr: text(stderr), code });
            }
            _ => {}
        }
        if stdout.len() + stderr.len() > OUTPUT_MAX {
            let message = format!("a command in a pod says more than {OUTPUT_MAX} bytes");
            return Err(Failure::later(message, "look at what runs in the pod"));
        }
    }
    Err(Failure::later(
        "a command's end was not told",
        "look at the pod (`kubectl describe pod`): its container may have just ended",
    ))
}

/// The next message of bytes. `None` once the server has closed.
async fn next(socket: &mut Socket) -> Result<Option<Bytes>, Failure> {
    loop {
        match socket.next().await {
            None | Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed)) => return Ok(None),
            Some(Ok(Message::Binary(bytes))) => return Ok(Some(bytes)),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(Failure::Broken(error.to_string())),
        }
    }
}

/// The exit status that is told.
fn code(status: &Status) -> Result<i64, Failure> {
    if status.is_success() {
        return Ok(0);
    }
    let cause = causes(status).iter().find(|cause| cause.reason == "ExitCode");
    let code = cause.and_then(|cause| cause.message.parse().ok());
    code.filter(|_| status.reason == "NonZeroExitCode").ok_or_else(|| {
        let message = match status.message.as_str() {
            "" => "no reason is given".to_owned(),
            message => plain(message),
        };
        Failure::later(
            format!("a command could not be run: {message}"),
            "look at the pod (`kubectl describe pod`): its container may have just ended",
        )
    })
}
