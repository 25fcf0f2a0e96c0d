//! What the side door does: one JSON command per path below `/lab`.

use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::control::Adjustment;
use super::core::Core;
use super::host::HostAction;
use super::kubernetes::ProjectAction;
use super::serve::{Answer, plain, unwritable};
use super::vsphere::{Entry, World, adjust, attach, detach};

/// Answers a request whose token was right.
pub(super) fn answer(core: &mut Core, method: &Method, path: &str, body: &str) -> Answer {
    let answered = match (method, path) {
        (&Method::GET, "/lab/status") => status_json(core),
        (&Method::GET, "/lab/hosts") => {
            serde_json::to_value(core.endpoints()).map(Some).map_err(Refusal::from)
        }
        (&Method::POST, path) => command(core, path, body),
        _ => return plain(StatusCode::NOT_FOUND, COMMANDS),
    };
    match answered {
        Ok(Some(value)) => plain(StatusCode::OK, &value.to_string()),
        Ok(None) => plain(StatusCode::NOT_FOUND, COMMANDS),
        Err(Refusal::Request(reason)) => plain(StatusCode::BAD_REQUEST, &reason),
        Err(Refusal::Log(error)) => unwritable(&error.to_string()),
    }
}

const COMMANDS: &str = "the lab knows status, hosts, drift, drift-hosts, delay, fault, attach, detach, set, host and project";

#[derive(Deserialize)]
struct DriftBody {
    seed: u64,
    count: usize,
}

#[derive(Deserialize)]
struct DelayBody {
    ms: u64,
}

#[derive(Deserialize)]
struct DiskBody {
    path: String,
    file: String,
}

#[derive(Deserialize)]
struct HostBody {
    host: String,
    action: HostAction,
}

#[derive(Deserialize)]
struct ProjectBody {
    namespace: String,
    action: ProjectAction,
}

/// Why the side door does not do as it is told.
enum Refusal {
    Request(String),
    Log(std::io::Error),
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::Log(error)
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Request(error.to_string())
    }
}

fn status_json(core: &mut Core) -> Result<Option<Value>, Refusal> {
    Ok(Some(serde_json::to_value(core.status()?)?))
}

/// `None` for a command that there is not.
fn command(core: &mut Core, path: &str, body: &str) -> Result<Option<Value>, Refusal> {
    let mut change = |make: &dyn Fn(&World) -> Result<Entry, String>| {
        core.change(make)?.map_err(Refusal::Request).map(|()| Some(Value::Null))
    };
    match path {
        "/lab/attach" => {
            let DiskBody { path, file } = serde_json::from_str(body)?;
            change(&|world| attach(world, &path, &file))
        }
        "/lab/detach" => {
            let DiskBody { path, file } = serde_json::from_str(body)?;
            change(&|world| detach(world, &path, &file))
        }
        "/lab/set" => {
            let adjustment: Adjustment = serde_json::from_str(body)?;
            change(&|world| adjust(world, &adjustment))
        }
        "/lab/drift" => {
            let DriftBody { seed, count } = serde_json::from_str(body)?;
            Ok(Some(serde_json::to_value(core.drift(seed, count)?)?))
        }
        "/lab/drift-hosts" => {
            let DriftBody { seed, count } = serde_json::from_str(body)?;
            Ok(Some(serde_json::to_value(core.drift_hosts(seed, count)?)?))
        }
        "/lab/host" => {
            let HostBody { host, action } = serde_json::from_str(body)?;
            let answer = core.hand(&host, &action)?.map_err(Refusal::Request)?;
            Ok(Some(serde_json::to_value(answer)?))
        }
        "/lab/project" => {
            let ProjectBody { namespace, action } = serde_json::from_str(body)?;
            core.project(&namespace, &action)?.map_err(Refusal::Request)?;
            Ok(Some(Value::Null))
        }
        "/lab/delay" => {
            let DelayBody { ms } = serde_json::from_str(body)?;
            core.settings.task_delay_ms = ms;
            Ok(Some(Value::Null))
        }
        "/lab/fault" => {
            core.stage(serde_json::from_str(body)?);
            Ok(Some(Value::Null))
        }
        _ => Ok(None),
    }
}
