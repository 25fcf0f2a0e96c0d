//! `exec`: a command in a container of a pod.

use serde_json::{Value as Json, json};

use super::controllers::{Ran, execute};
use super::key::Key;
use super::refusal::Refusal;
use super::request::{Request, Target};
use crate::lab::k3s::Cluster;
use crate::lab::vsphere::World;

/// What a command wrote, and how it ended.
#[derive(Debug)]
pub(in crate::lab) struct Executed {
    /// As the client wants them; empty otherwise.
    pub stdout: String,
    pub stderr: String,
    /// A `metav1.Status`.
    pub status: Json,
    /// The protocol of the frames.
    pub protocol: &'static str,
}

/// The best first. The fifth differs in how a client closes its input.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// Whether a request is about a command.
pub(super) fn is_asked(request: &Request) -> bool {
    let target = Target::read(&request.path).and_then(Result::ok).unwrap_or_default();
    target.group.is_empty() && target.plural == "pods" && target.subresource == "exec"
}

/// Runs the command of a request.
///
/// # Errors
/// What the API server or the kubelet says before a command could run.
pub(super) fn exec(
    cluster: &Cluster,
    world: &World,
    request: &Request,
) -> Result<Executed, Refusal> {
    let target = Target::read(&request.path).and_then(Result::ok).unwrap_or_default();
    let key = Key::new("", "pods", &target.namespace, &target.name);
    let pod = cluster.store.get(&key).ok_or_else(|| Refusal::not_found(&key))?;
    let query = request.query();
    let (wants_out, wants_err) = (query.flag("stdout"), query.flag("stderr"));
    if !(wants_out || wants_err || query.flag("stdin")) {
        let why = "you must specify at least one of stdin, stdout, stderr";
        return Err(Refusal::bad_request(why.to_owned()));
    }
    let command = request.all("command");
    if command.is_empty() {
        let why = "you must specify at least 1 command for the container";
        return Err(Refusal::bad_request(why.to_owned()));
    }
    let container = container(pod, &target.name, query.get("container"))?;
    let protocol = protocol(request)?;
    let Ran { stdout, stderr, code } = execute(cluster, world, pod, container, &command);
    let status = status(code, &command);
    let only = |wanted: bool, text: String| if wanted { text } else { String::new() };
    Ok(Executed {
        stdout: only(wants_out, stdout),
        stderr: only(wants_err, stderr),
        status,
        protocol,
    })
}

/// The container that is meant, while it runs.
fn container<'a>(pod: &'a Json, name: &str, wanted: &str) -> Result<&'a Json, Refusal> {
    let list = |value: &'a Json| value.as_array().map(Vec::as_slice).unwrap_or_default();
    let all = list(&pod["spec"]["containers"]);
    if pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::bad_request(format!("pod {name} does not have a host assigned")));
    }
    let found = match (wanted, all) {
        ("", [only]) => only,
        ("", _) => {
            let names: Vec<&str> = all.iter().filter_map(|one| one["name"].as_str()).collect();
            return Err(Refusal::bad_request(format!(
                "a container name must be specified for pod {name}, choose one of: [{}]",
                names.join(" ")
            )));
        }
        (wanted, all) => all.iter().find(|one| one["name"] == wanted).ok_or_else(|| {
            Refusal::bad_request(format!("container {wanted} is not valid for pod {name}"))
        })?,
    };
    let own = list(&pod["status"]["containerStatuses"]).iter();
    let own = own.into_iter().find(|status| status["name"] == found["name"]);
    if own.is_none_or(|status| status["state"].get("running").is_none()) {
        let name = found["name"].as_str().unwrap_or_default();
        let why = format!("unable to upgrade connection: container not found (\"{name}\")");
        return Err(Refusal::new(500, "InternalError", why));
    }
    Ok(found)
}

fn protocol(request: &Request) -> Result<&'static str, Refusal> {
    let Some(offered) = &request.protocols else {
        return Err(Refusal::bad_request("Upgrade request required".to_owned()));
    };
    let known = PROTOCOLS.iter().find(|known| offered.iter().any(|one| one == *known));
    known.copied().ok_or_else(|| {
        Refusal::bad_request(format!(
            "unable to negotiate protocol: client supports [{}], server accepts [{}]",
            offered.join(" "),
            PROTOCOLS.join(" ")
        ))
    })
}

/// How a command ended, as the error channel tells it.
fn status(code: Option<u8>, command: &[String]) -> Json {
    match code {
        Some(0) => json!({"metadata": {}, "status": "Success"}),
        Some(code) => json!({
            "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: exit status {code}"),
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
        }),
        None => {
            let program = command.first().map_or("", String::as_str);
            let why = format!(
                "error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: \"{program}\": executable file not found in $PATH: unknown"
            );
            json!({
                "metadata": {}, "status": "Failure", "reason": "InternalError",
                "message": format!("Internal error occurred: {why}"),
                "details": {"causes": [{"message": why}]}, "code": 500,
            })
        }
    }
}
