//! Commands in pods, as `kubectl exec` runs them.

use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::timeout;

use super::client::Client;
use super::failure::Failure;
use super::text::{encode, plain};
use super::websocket::Socket;

/// How long a command may run.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much it may say.
const OUTPUT_MAX: usize = 4 << 20;

/// The channels on which a command is heard: a message begins with the number of its channel.
const OUT: u8 = 1;
const ERR: u8 = 2;
const END: u8 = 3;

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
    let mut socket = Socket::open(client, path(target, words)).await?;
    let heard = timeout(PATIENCE, hear(&mut socket)).await;
    let output = heard.unwrap_or_else(|_| {
        Err(Failure::later(
            format!("a command in the pod {} has not ended within {PATIENCE:?}", target.pod),
            "look at the pod and at the node it is on",
        ))
    })?;
    let _ = timeout(Duration::from_secs(1), socket.close()).await;
    Ok(output)
}

fn path(target: &Target, words: &[&str]) -> String {
    let [namespace, pod, container] =
        [&target.namespace, &target.pod, &target.container].map(|text| encode(text));
    let words: String = words.iter().map(|word| format!("&command={}", encode(word))).collect();
    format!(
        "/api/v1/namespaces/{namespace}/pods/{pod}/exec?container={container}&stdout=true&\
         stderr=true{words}"
    )
}

/// Listens until the command's end is told, which comes last.
async fn hear(socket: &mut Socket) -> Result<Output, Failure> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(message) = socket.next().await? {
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

/// The exit status that a `Status` tells.
fn code(status: &Json) -> Result<i64, Failure> {
    if status["status"] == "Success" {
        return Ok(0);
    }
    let mut causes = status["details"]["causes"].as_array().into_iter().flatten();
    let cause = causes.find(|cause| cause["reason"] == "ExitCode");
    let code = cause.and_then(|cause| cause["message"].as_str()?.parse().ok());
    code.filter(|_| status["reason"] == "NonZeroExitCode").ok_or_else(|| {
        let message = plain(status["message"].as_str().unwrap_or("no reason is given"));
        Failure::later(
            format!("a command could not be run: {message}"),
            "look at the pod (`kubectl describe pod`): its container may have just ended",
        )
    })
}
