//! Taking k3s off a machine.

use super::unit::Role;
use crate::provider::host::{Command, Failure, LONG, Remote, mark};

/// What runs on the host.
const SCRIPT: &str = include_str!("remove.sh");

/// Stops k3s, removes it and wipes its data; the mark goes last. What is mounted, and local
/// volumes, are never deleted: the script stops before.
///
/// # Errors
/// Any [`Failure`]; doing it again goes on.
pub async fn remove(remote: Remote<'_>, role: Role) -> Result<(), Failure> {
    let script = Command::new("sh").args(["-c", SCRIPT, "boma-k3s-remove"]).root().timeout(LONG);
    let output = remote.ask(&script).await?;
    match output.status {
        3 => Err(Failure::refused(
            output.stderr.trim(),
            "copy what is needed from the directory, empty it, then apply again",
        )),
        4 => Err(Failure::later(
            output.stderr.trim(),
            "drain the node so that its volumes are unmounted, then apply again",
        )),
        _ => {
            output.ok(remote.target, &script)?;
            remote.root(&["rm", "-f", &mark::path(role.kind())]).await.map(drop)
        }
    }
}
