//! `systemctl` and `journalctl`.

use super::session::{Output, Session};
use super::systemd::{self, UNITS, WANTS, full_name};
use super::units::Phase;

/// `systemctl`
pub(super) fn systemctl(session: &mut Session<'_>, words: &[String]) -> Output {
    let blocking = !words.iter().any(|word| word == "--no-block");
    let now = words.iter().any(|word| word == "--now");
    let plain: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !SILENT.contains(word)).collect();
    let Some((verb, rest)) = plain.split_first() else {
        return Output::failed(1, "systemctl: Too few arguments.");
    };
    if let Some(option) = rest.iter().find(|word| word.starts_with('-')).filter(|_| *verb != "show")
    {
        return Output::failed(1, format!("systemctl: unrecognized option '{option}'"));
    }
    let units: Vec<String> = rest.iter().map(|name| full_name(name)).collect();
    match *verb {
        "show" => show(session, rest),
        "is-active" => is_active(session, &units),
        "is-enabled" => is_enabled(session, &units),
        "is-system-running" => Output::text("running\n"),
        _ if !session.root => {
            Output::failed(1, format!("Failed to {verb}: Interactive authentication required."))
        }
        "daemon-reload" => {
            systemd::reload(session);
            Output::done()
        }
        "reset-failed" => Output::done(),
        "reboot" => {
            session.reboots = true;
            Output::done()
        }
        "enable" | "disable" => each(session, &units, |session, unit| {
            let output = link(session, verb, unit);
            match (output.status, now, *verb) {
                (0, true, "enable") => start(session, "start", unit, blocking),
                (0, true, _) => stop(session, unit),
                _ => output,
            }
        }),
        "start" | "restart" | "try-restart" | "reload-or-restart" => {
            each(session, &units, |session, unit| start(session, verb, unit, blocking))
        }
        "stop" => each(session, &units, stop),
        _ => Output::failed(1, format!("Unknown command verb {verb}.")),
    }
}

/// `journalctl -u UNIT [-n N]`
pub(super) fn journalctl(session: &mut Session<'_>, words: &[String]) -> Output {
    let value = |option: &str| {
        let mut pairs = words.windows(2);
        pairs.find(|pair| pair[0] == option).map(|pair| pair[1].as_str())
    };
    let Some(unit) = value("-u") else { return Output::text("") };
    let count = value("-n").and_then(|count| count.parse().ok()).unwrap_or(usize::MAX);
    Output::text(last_words(session, &full_name(unit), count))
}

/// The last lines of a unit's journal.
pub(super) fn last_words(session: &Session<'_>, unit: &str, count: usize) -> String {
    let journal = session.host.units.get(unit).map(|unit| unit.journal.as_slice());
    let journal = journal.unwrap_or_default();
    let last = &journal[journal.len().saturating_sub(count)..];
    last.iter().map(|line| format!("{line}\n")).collect()
}

/// Options that change nothing here: `--no-block` and `--now` are looked for before.
const SILENT: &[&str] = &["--no-block", "--now", "--quiet", "-q", "--no-pager"];

fn each(
    session: &mut Session<'_>,
    units: &[String],
    act: impl Fn(&mut Session<'_>, &str) -> Output,
) -> Output {
    let mut whole = Output::done();
    for unit in units {
        let output = act(session, unit);
        whole.stderr += &output.stderr;
        whole.status = whole.status.max(output.status);
        whole.hangs |= output.hangs;
    }
    whole
}

fn start(session: &mut Session<'_>, verb: &str, unit: &str, blocking: bool) -> Output {
    if unit.ends_with(".timer") || !systemd::load(session, unit) {
        return Output::failed(5, format!("Failed to {verb} {unit}: Unit {unit} not found."));
    }
    let runs = session.host.units.get(unit).is_some_and(|unit| unit.active == Phase::Active);
    if (verb == "start" && runs) || (verb == "try-restart" && !runs) {
        return Output::done();
    }
    systemd::start(session, unit);
    let active = session.host.units.get(unit).map(|unit| unit.active);
    match active {
        // Type=notify without a timeout: a start that never succeeds never returns.
        Some(Phase::Activating) if blocking => Output::hanging(),
        Some(Phase::Failed) if blocking => Output::failed(
            1,
            format!("Job for {unit} failed because the control process exited with error code."),
        ),
        _ => Output::done(),
    }
}

fn stop(session: &mut Session<'_>, unit: &str) -> Output {
    if session.host.timers.remove(unit).is_some() {
        return Output::done();
    }
    if unit.ends_with(".timer") || !systemd::load(session, unit) {
        return Output::failed(5, format!("Failed to stop {unit}: Unit {unit} not loaded."));
    }
    systemd::stop(session, unit);
    Output::done()
}

fn link(session: &mut Session<'_>, verb: &str, unit: &str) -> Output {
    if systemd::file(session, unit).is_none() {
        let message = format!("Failed to {verb} unit: Unit file {unit} does not exist.");
        return Output::failed(1, message);
    }
    let (path, target) = (format!("{WANTS}/{unit}"), format!("{UNITS}/{unit}"));
    let linked = session.host.files.contains_key(&path);
    match (verb, linked) {
        ("enable", false) => {
            let now = session.now;
            session.host.make_parents(&path, now);
            let node = session.new_node(super::model::Body::Link(target.clone()), 0o777);
            session.host.files.insert(path.clone(), node);
            let stderr = format!("Created symlink {path} → {target}.\n");
            Output { stderr, ..Output::default() }
        }
        ("disable", true) => {
            session.host.files.remove(&path);
            Output { stderr: format!("Removed {path}.\n"), ..Output::default() }
        }
        _ => Output::done(),
    }
}

fn is_active(session: &mut Session<'_>, units: &[String]) -> Output {
    let states: Vec<Phase> = units.iter().map(|unit| systemd::active(session, unit)).collect();
    let stdout: String = states.iter().map(|state| format!("{}\n", state.name())).collect();
    let status = if states.contains(&Phase::Active) { 0 } else { 3 };
    Output { status, ..Output::text(stdout) }
}

fn is_enabled(session: &mut Session<'_>, units: &[String]) -> Output {
    let mut output = Output::done();
    for unit in units {
        match systemd::enabled(session, unit) {
            Some(state) => {
                output.stdout.extend(format!("{state}\n").into_bytes());
                output.status = u32::from(state != "enabled");
            }
            None => {
                output.status = 1;
                output.stderr = format!(
                    "Failed to get unit file state for {unit}: No such file or directory\n"
                );
            }
        }
    }
    output
}

/// `show UNIT -p A,B [--value]`
fn show(session: &mut Session<'_>, words: &[&str]) -> Output {
    let (mut unit, mut names, mut bare) = (None, Vec::new(), false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "-p" => names.extend(words.next().into_iter().flat_map(|list| list.split(','))),
            "--value" => bare = true,
            word => match word.strip_prefix("--property=") {
                Some(list) => names.extend(list.split(',')),
                None => unit = Some(full_name(word)),
            },
        }
    }
    let Some(unit) = unit else { return Output::failed(1, "systemctl: no unit named") };
    Output::text(properties(session, &unit, &names, bare))
}

/// Properties as `systemctl show` writes them.
pub(super) fn properties(
    session: &mut Session<'_>,
    name: &str,
    names: &[&str],
    bare: bool,
) -> String {
    let there = systemd::load(session, name);
    let enabled = systemd::enabled(session, name).unwrap_or_default().to_owned();
    let unit = session.host.units.get(name).cloned().unwrap_or_default();
    let value = |property: &str| match property {
        "Id" => name.to_owned(),
        "LoadState" => if there { "loaded" } else { "not-found" }.to_owned(),
        "ActiveState" => unit.active.name().to_owned(),
        "SubState" => unit.sub().to_owned(),
        "UnitFileState" => enabled.clone(),
        "NRestarts" => unit.restarts.to_string(),
        "ExecMainStartTimestamp" => systemd::timestamp(unit.started_ms),
        _ => String::new(),
    };
    let line = |property: &&str| match bare {
        true => format!("{}\n", value(property)),
        false => format!("{property}={}\n", value(property)),
    };
    names.iter().map(line).collect()
}
