//! Reading what addresses are, in bulk or a few at a time.

use std::time::{Duration, Instant};

use super::failure::{Failure, reason};
use super::fault::Fault;
use super::moref::MoRef;
use super::session::Session;
use super::{bulk, folder, locate, permission, power, role, rule, task, vm};
use crate::provider::Wanted;
use crate::resource::Reading;

/// Up to so many objects are looked up one by one; a bulk read of a large inventory costs more.
const DIRECT_MAX: usize = 4;
/// How long a task of an interrupted run is waited for.
const NOTED: Duration = Duration::from_secs(15 * 60);

/// The kinds that vCenter answers for.
pub const ROLE: &str = "vsphere/role";
/// See [`ROLE`].
pub const FOLDER: &str = "vsphere/folder";
/// See [`ROLE`].
pub const VM: &str = "vsphere/vm";
/// See [`ROLE`].
pub const SITE: &str = "vsphere/site";
/// See [`ROLE`].
pub const RULE: &str = "vsphere/rule";
/// See [`ROLE`].
pub const PERMISSION: &str = "vsphere/permission";

/// Reads every address asked for, in the order asked. What goes wrong for all is one reason.
pub async fn read(session: &Session, wanted: &[Wanted]) -> Vec<Reading> {
    match read_all(session, wanted).await {
        Ok(readings) => readings,
        Err(failure) => {
            let failure = locate::name_object(session, failure).await;
            let text = reason(&failure.explain("read vCenter"));
            wanted.iter().map(|_| Reading::Unread(text.clone())).collect()
        }
    }
}

async fn read_all(session: &Session, wanted: &[Wanted]) -> Result<Vec<Reading>, Failure> {
    let running = settle(session, wanted).await?;
    let open = session.open().await?;
    let readings = match gather(session, wanted).await {
        // Views and pages end with their session, and objects may go while they are listed: the
        // second look settles both.
        Err(failure) if failure.is_gone() || !session.is_same(&open).await => {
            gather(session, wanted).await?
        }
        outcome => outcome?,
    };
    let unsettled = |(reading, running): (Reading, Option<String>)| match running {
        Some(task) => Reading::Unread(format!(
            "{task} of an interrupted run is still running after 15 minutes; see vCenter's task list, then plan again"
        )),
        None => reading,
    };
    Ok(readings.into_iter().zip(running).map(unsettled).collect())
}

/// Waits for noted tasks and shutdowns. Gives, per address, a task that did not end in time.
async fn settle(session: &Session, wanted: &[Wanted]) -> Result<Vec<Option<String>>, Failure> {
    let deadline = Instant::now() + NOTED;
    let mut running = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let mut unsettled = None;
        for id in wanted.locator.notes.iter().filter_map(|note| note["task"].as_str()) {
            if !task::settle(session, id, deadline).await? {
                unsettled = Some(id.to_owned());
            }
        }
        for busy in wanted.locator.notes.iter().map(|note| &note["busy"]) {
            let (Some(kind), Some(id)) = (busy["type"].as_str(), busy["id"].as_str()) else {
                continue;
            };
            if !task::settle_all(session, &MoRef::new(kind, id), deadline).await? {
                unsettled = Some(format!("a task of {id}"));
            }
        }
        for id in wanted.locator.notes.iter().filter_map(|note| note["shutdown"].as_str()) {
            power::settle(session, id).await?;
        }
        running.push(unsettled);
    }
    Ok(running)
}

async fn gather(session: &Session, wanted: &[Wanted]) -> Result<Vec<Reading>, Failure> {
    let by_id = |wanted: &Wanted| wanted.kind.name != VM || wanted.locator.id.is_some();
    // Roles come as one list, so that many of them are one request in bulk.
    let roles = wanted.iter().all(|wanted| wanted.kind.name == ROLE);
    let site = wanted.iter().any(|wanted| wanted.kind.name == SITE);
    if roles || site || wanted.len() > DIRECT_MAX || !wanted.iter().all(by_id) {
        return bulk::read(session, wanted).await;
    }
    let mut readings = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        match alone(session, direct(session, wanted).await).await? {
            Some(reading) => readings.push(reading),
            None => break,
        }
    }
    if readings.len() == wanted.len() { Ok(readings) } else { bulk::read(session, wanted).await }
}

/// Reads one address with calls of its own. `None` where a VM is not found by its id and has to be
/// searched among all.
async fn direct(session: &Session, wanted: &Wanted) -> Result<Option<Reading>, Failure> {
    let locator = &wanted.locator;
    let reading = match wanted.kind.name {
        ROLE => role::read(locator, &role::list(session).await?),
        FOLDER => folder::read_one(session, locator).await?,
        PERMISSION => permission::read_one(session, locator).await?,
        RULE => rule::read_one(session, locator).await?,
        VM => {
            let uuid = locator.id.as_deref().unwrap_or_default();
            let Some(vm) = locate::by_instance_uuid(session, uuid).await? else { return Ok(None) };
            match vm::read_reference(session, &vm).await? {
                Reading::Absent => return Ok(None),
                reading => reading,
            }
        }
        other => unknown(other),
    };
    Ok(Some(reading))
}

/// Keeps a refusal that concerns one object from hiding the rest: only that one is unread.
pub async fn alone(
    session: &Session,
    outcome: Result<Option<Reading>, Failure>,
) -> Result<Option<Reading>, Failure> {
    match outcome {
        Err(failure) if concerns_one(&failure) => {
            let failure = locate::name_object(session, failure).await;
            Ok(Some(Reading::Unread(reason(&failure.explain("read it")))))
        }
        outcome => outcome,
    }
}

fn concerns_one(failure: &Failure) -> bool {
    match failure {
        Failure::Fault(fault) => {
            !failure.is_gone() && !matches!(fault, Fault::NotAuthenticated | Fault::InvalidLogin)
        }
        Failure::Refused { .. } => true,
        _ => false,
    }
}

/// The reading of a kind that this version does not know.
pub fn unknown(kind: &str) -> Reading {
    Reading::Unread(format!("this version of boma does not read {kind} from vCenter; update boma"))
}
