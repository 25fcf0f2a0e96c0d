//! Which of CHT's programs a container is, and whether it stays up.

use std::sync::Arc;

use serde_json::Value as Json;

use super::super::crash::Crash;
use super::super::json::text;
use super::super::work::Work;
use super::environment::Environment;
use super::scene::Scene;
use super::{api, couchdb, haproxy, image};

/// One of CHT's programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    CouchDb,
    Nouveau,
    Haproxy,
    Healthcheck,
    Api,
    Sentinel,
    UpgradeService,
}

impl Program {
    /// What runs is in the image; containers may be called anything.
    pub(super) fn of(container: &Json) -> Option<Self> {
        Some(match image::service(text(container, "/image"))? {
            "couchdb" => Self::CouchDb,
            "couchdb-nouveau" => Self::Nouveau,
            "haproxy" => Self::Haproxy,
            "haproxy-healthcheck" => Self::Healthcheck,
            "api" => Self::Api,
            "sentinel" => Self::Sentinel,
            "upgrade-service" => Self::UpgradeService,
            _ => return None,
        })
    }

    /// The port that it listens at; 0 for none.
    pub(super) fn listens(self, env: &Environment) -> u16 {
        let told = |name, otherwise| env.get(name).parse().unwrap_or(otherwise);
        match self {
            Self::CouchDb => 5984,
            Self::Nouveau => 5987,
            Self::Haproxy => told("HAPROXY_PORT", 5984),
            Self::Healthcheck => 5555,
            Self::Api => told("API_PORT", 5988),
            Self::Sentinel => 0,
            Self::UpgradeService => told("UPGRADE_SERVICE_PORT", 5008),
        }
    }
}

/// Whether a container that is being started stays up. CouchDB writes its volume.
///
/// # Errors
/// The line that it ends with.
pub(in crate::lab::kubernetes::controllers) fn judge(
    work: &mut Work<'_>,
    pod: &Arc<Json>,
    container: &Json,
) -> Result<(), Crash> {
    let scene = Scene::of(work);
    let Some(process) = scene.process(pod, container) else { return Ok(()) };
    let stays = match process.program {
        Program::CouchDb => match couchdb::start(&scene, &process) {
            Ok(entry) => {
                entry.into_iter().for_each(|entry| work.enter(entry));
                Ok(())
            }
            Err(why) => Err(why),
        },
        Program::Haproxy => haproxy::start(&scene, &process),
        Program::Api => api::start(&scene, &process),
        Program::Sentinel => api::start_sentinel(&scene, &process),
        Program::Nouveau | Program::Healthcheck | Program::UpgradeService => Ok(()),
    };
    stays.map_err(Crash::new)
}

/// Why a container that runs fails its readiness probe over HTTP. `None` where it passes, or has
/// none.
pub(in crate::lab::kubernetes::controllers) fn is_deaf(
    work: &Work<'_>,
    pod: &Arc<Json>,
    container: &Json,
) -> Option<String> {
    container.pointer("/readinessProbe/httpGet")?;
    let scene = Scene::of(work);
    let process = scene.process(pod, container)?;
    let fails = match process.program {
        Program::Haproxy => haproxy::server(&scene, &process).is_err(),
        Program::Api => api::database(&scene, &process).is_err(),
        _ => false,
    };
    let status = if process.program == Program::Api { 500 } else { 503 };
    fails.then(|| format!("Readiness probe failed: HTTP probe failed with statuscode: {status}"))
}
