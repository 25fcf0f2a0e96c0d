//! The server token is changed by the cluster itself; the files follow.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::config::TOKEN;
use super::token;
use crate::provider::host::{Content, Failure, Probe, Remote, RootFile, command};

/// Where a server takes a new token: what `k3s token rotate` calls. That command wants both tokens
/// as arguments, for everybody on the host to see; curl reads them from its standard input.
const URL: &str = "https://127.0.0.1:6443/v1-k3s/token";

/// What answers those who may join.
const READY: &str = "https://127.0.0.1:6443/v1-k3s/readyz";

/// Has the server take the desired token instead of the one it has.
///
/// # Errors
/// Any [`Failure`]; the server knows neither the old nor the new token.
pub async fn rotate(remote: Remote<'_>, probe: &Probe, attributes: &Json) -> Result<(), Failure> {
    let Some(new) = attributes["token"].as_str() else {
        return Err(Failure::refused("the new token is not given", "plan and apply again"));
    };
    let on_disk = ["server-token", "token"].into_iter().find_map(|item| probe.word(item));
    let old = attributes["previous_token"].as_str().or(on_disk).unwrap_or_default();
    let (old, new) = (token::secret(old), token::secret(new));
    let is_done = on_disk.is_some_and(|text| token::secret(text) == new);
    if !is_done {
        put(remote, old, new).await?;
    }
    let hash = probe.word("token").and_then(token::ca_hash);
    let text = hash.map_or_else(|| new.to_owned(), |hash| token::bound(hash, "server", new));
    let content = Content::Secret(SecretString::from(format!("{text}\n")));
    remote.write(&RootFile { path: TOKEN.into(), mode: 0o600, content }).await
}

/// Whether the server lets servers join with a token.
async fn accepts(remote: Remote<'_>, token: &str) -> Result<bool, Failure> {
    let user = Json::from(format!("server:{token}"));
    let words = ["curl", "-sSk", "-f", "--max-time", "10", "-K", "-", READY];
    let command = command(&words).secret_stdin(SecretString::from(format!("user = {user}\n")));
    let output = remote.ask(&command.timeout(Duration::from_secs(30))).await?;
    Ok(output.status == 0)
}

async fn put(remote: Remote<'_>, old: &str, new: &str) -> Result<(), Failure> {
    let (user, data) = (Json::from(format!("server:{old}")), json!({ "newToken": new }));
    let data = Json::from(data.to_string());
    let config = format!(
        "user = {user}\nrequest = \"PUT\"\nheader = \"Content-Type: application/json\"\ndata = {data}\n"
    );
    let words = ["curl", "-sSk", "-f", "--max-time", "60", "-K", "-", URL];
    let command = command(&words).secret_stdin(SecretString::from(config));
    let output = remote.ask(&command.clone().timeout(Duration::from_secs(90))).await?;
    if output.status == 22 && ["401", "403"].iter().any(|status| output.stderr.contains(status)) {
        // A run that was cut off after another server took it.
        if accepts(remote, new).await? {
            return Ok(());
        }
        return Err(Failure::refused(
            "the server does not accept the old token",
            "let [k3s] previous_token name the token that the cluster has now; a server shows it \
             in /var/lib/rancher/k3s/server/token",
        ));
    }
    output.ok(remote.target, &command)?;
    Ok(())
}
