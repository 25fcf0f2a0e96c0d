//! Units at work: loading, starting, stopping, starting again.

use crate::lab::k3s::{Clusters, runs};

use super::cluster::{self, Fails};
use super::exec;
use super::model::Host;
use super::session::Session;
use super::units::{Phase, Unit};

/// Where administrators' units are.
pub(super) const UNITS: &str = "/etc/systemd/system";
/// The unit of a k3s server.
pub(super) const SERVER: &str = "k3s.service";
/// Links to the units that start at boot.
pub(super) const WANTS: &str = "/etc/systemd/system/multi-user.target.wants";
/// Between two tries of a unit. Real ones wait five seconds (`RestartSec`); all else takes less
/// time here, too.
const AGAIN_MS: u64 = 1000;

/// A unit's name with its ending.
pub(super) fn full_name(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("{name}.service") }
}

/// The text of a unit's file.
pub(super) fn file(session: &Session<'_>, unit: &str) -> Option<String> {
    let own = session.host.text(&format!("{UNITS}/{unit}"));
    own.or_else(|| session.host.text(&format!("/lib/systemd/system/{unit}")))
}

/// Makes systemd know a unit; `false` where there is no such file and nothing runs.
pub(super) fn load(session: &mut Session<'_>, unit: &str) -> bool {
    if session.host.units.contains_key(unit) {
        return true;
    }
    let Some(loaded) = file(session, unit) else { return false };
    session.host.units.insert(unit.to_owned(), Unit { loaded, ..Unit::default() });
    true
}

/// Reads all unit files again, and forgets units that are gone.
pub(super) fn reload(session: &mut Session<'_>) {
    let names: Vec<String> = session.host.units.keys().cloned().collect();
    for name in names {
        match (file(session, &name), session.host.units.get_mut(&name)) {
            (Some(text), Some(unit)) => unit.loaded = text,
            (None, Some(unit)) if unit.active == Phase::Inactive => {
                session.host.units.remove(&name);
            }
            _ => {}
        }
    }
}

/// Starts a unit, or fails to, as it would be seen a moment later.
pub(super) fn start(session: &mut Session<'_>, name: &str) {
    let Some(unit) = session.host.units.get(name).cloned() else { return };
    let now = session.now;
    if !cluster::is_k3s(&unit) {
        change(session, name, |unit| {
            unit.active = Phase::Active;
            unit.started_ms = now;
        });
        return;
    }
    change(session, name, |unit| {
        unit.started_ms = now;
        unit.say(format!("Starting {name}..."));
    });
    match cluster::start(session, &unit) {
        Ok((running, lines)) => change(session, name, |unit| {
            unit.active = Phase::Active;
            unit.running = Some(running);
            lines.into_iter().for_each(|line| unit.say(line));
            unit.say(format!("Started {name}."));
        }),
        Err(Fails { lines, retries }) => change(session, name, |unit| {
            unit.active = Phase::Activating;
            unit.retries = retries;
            unit.running = None;
            unit.again_ms = now + AGAIN_MS;
            lines.into_iter().for_each(|line| unit.say(line));
        }),
    }
}

/// Stops a unit.
pub(super) fn stop(session: &mut Session<'_>, name: &str) {
    let Some(unit) = session.host.units.get(name).cloned() else { return };
    change(session, name, |unit| {
        unit.active = Phase::Inactive;
        unit.running = None;
        unit.restarts = 0;
    });
    if cluster::is_k3s(&unit) && unit.active != Phase::Inactive {
        change(session, name, |unit| unit.say(format!("Stopped {name}.")));
        cluster::stopped(session);
    }
}

/// Whether something is due on a host: a timer, another try of a unit, or a process that ended by
/// itself.
pub(super) fn is_due(host: &Host, clusters: &Clusters, now: u64) -> bool {
    let again = |unit: &Unit| unit.active == Phase::Activating && unit.again_ms <= now;
    let ended = |unit: &Unit| unit.running.is_some() && !runs(clusters, &host.facts.name);
    host.answers()
        && (host.timers.values().any(|timer| timer.due_ms <= now)
            || host.units.values().any(|unit| again(unit) || ended(unit)))
}

/// Does what time brings: timers, units that are tried again, processes that ended by themselves.
pub(super) fn settle(session: &mut Session<'_>) {
    let now = session.now;
    let due = session.host.timers.extract_if(.., |_, timer| timer.due_ms <= now);
    let due: Vec<_> = due.collect();
    for (_, timer) in due {
        exec::run(session, &timer.words);
    }
    let alive = runs(&session.clusters, &session.host.facts.name);
    let names: Vec<String> = session.host.units.keys().cloned().collect();
    for name in names {
        let Some(unit) = session.host.units.get(&name) else { continue };
        if unit.running.is_some() && !alive {
            change(session, &name, |unit| {
                unit.active = Phase::Activating;
                unit.running = None;
                unit.retries = false;
                unit.again_ms = now + AGAIN_MS;
                unit.say(format!("{name}: Main process exited, code=exited, status=1/FAILURE"));
            });
        } else if unit.active == Phase::Activating && unit.again_ms <= now {
            change(session, &name, |unit| unit.restarts += u64::from(!unit.retries));
            start(session, &name);
        }
    }
}

/// Goes down: what runs ends, and what is in memory only is gone.
pub(super) fn halt(session: &mut Session<'_>) {
    let names: Vec<String> = session.host.units.keys().cloned().collect();
    names.iter().for_each(|name| stop(session, name));
    session.host.timers.clear();
    session
        .host
        .files
        .retain(|path, _| !["/run/", "/tmp/"].iter().any(|root| path.starts_with(root)));
}

/// Comes up: the units that are enabled start.
pub(super) fn boot(session: &mut Session<'_>, booted_ms: u64) {
    session.host.state.on = true;
    session.host.state.booted_ms = booted_ms;
    session.host.state.boots += 1;
    session.host.units.clear();
    // The distribution's own first: k3s may need Docker.
    let built_in = session.host.inside("/lib/systemd/system");
    let all = built_in.chain(session.host.inside(WANTS));
    let all: Vec<String> = all.map(|(name, _)| name.to_owned()).collect();
    for unit in all {
        if load(session, &unit) {
            start(session, &unit);
        }
    }
}

pub(super) fn active(session: &Session<'_>, unit: &str) -> Phase {
    session.host.units.get(unit).map_or(Phase::Inactive, |unit| unit.active)
}

/// `UnitFileState`; `None` where there is no such file.
pub(super) fn enabled(session: &Session<'_>, unit: &str) -> Option<&'static str> {
    file(session, unit)?;
    let built_in = !session.host.files.contains_key(&format!("{UNITS}/{unit}"));
    let linked = session.host.files.contains_key(&format!("{WANTS}/{unit}"));
    Some(if built_in || linked { "enabled" } else { "disabled" })
}

/// As systemd writes times; empty for none.
pub(super) fn timestamp(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let time = time.filter(|_| ms > 0).map(|time| time.to_zoned(jiff::tz::TimeZone::UTC));
    time.map(|time| time.strftime("%a %Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default()
}

/// Seconds since 1970 as RFC 3339 has them.
pub(super) fn rfc3339(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn change(session: &mut Session<'_>, name: &str, act: impl FnOnce(&mut Unit)) {
    if let Some(unit) = session.host.units.get_mut(name) {
        act(unit);
    }
}
