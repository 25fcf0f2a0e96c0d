//! Docker and packages, as little of them as clients look at.

use super::model::Host;
use super::session::{Output, Session};

/// The version that Ubuntu's archive has.
const ARCHIVE: &str = "24.0.7";

/// `dockerd`
pub(super) fn dockerd(session: &Session<'_>, words: &[String]) -> Output {
    match (&session.host.state.docker, words.first().map(String::as_str)) {
        (None, _) => Output::failed(127, "sh: 1: dockerd: not found"),
        (Some(_), Some("--version" | "-v")) => Output::text(version(&session.host)),
        _ => Output::failed(1, "the lab starts no daemon by hand"),
    }
}

/// `dockerd --version`; empty where there is none.
pub(super) fn version(host: &Host) -> String {
    let line = |version: &String| format!("Docker version {version}, build a61e2b4\n");
    host.state.docker.as_ref().map(line).unwrap_or_default()
}

/// `apt-get install|remove …docker…`, `apt-get update`
pub(super) fn apt(session: &mut Session<'_>, words: &[String]) -> Output {
    let words: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    if !session.root {
        return Output::failed(
            100,
            "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)",
        );
    }
    if !session.host.state.default_route {
        return Output::failed(
            100,
            "E: Failed to fetch: Temporary failure resolving 'archive.ubuntu.com'",
        );
    }
    match words.as_slice() {
        ["update", ..] => Output::done(),
        ["install", packages @ ..] => {
            if session.host.state.disk_full {
                return Output::failed(
                    100,
                    "E: You don't have enough free space in /var/cache/apt/archives/.",
                );
            }
            for package in packages {
                let (name, version) = package.split_once('=').unwrap_or((package, ARCHIVE));
                match name {
                    "docker-ce" if !has_repository(session) => {
                        return Output::failed(
                            100,
                            format!("E: Package '{name}' has no installation candidate"),
                        );
                    }
                    "docker.io" | "docker-ce" => install(session, version),
                    _ if KNOWN.contains(&name) => {}
                    _ => return Output::failed(100, format!("E: Unable to locate package {name}")),
                }
            }
            Output::done()
        }
        ["remove" | "purge", packages @ ..] => {
            if packages.iter().any(|name| matches!(*name, "docker.io" | "docker-ce")) {
                remove(session);
            }
            Output::done()
        }
        _ => Output::failed(100, "E: Invalid operation"),
    }
}

/// Docker's own packages are not in Ubuntu's archive.
fn has_repository(session: &Session<'_>) -> bool {
    let lists = session.host.inside("/etc/apt/sources.list.d");
    let lists: Vec<String> = lists.map(|(name, _)| name.to_owned()).collect();
    lists.iter().any(|name| name.contains("docker"))
}

/// `apt-mark hold|unhold`
pub(super) fn apt_mark(session: &Session<'_>, words: &[String]) -> Output {
    match words.split_first() {
        _ if !session.root => Output::failed(100, "E: Could not create temporary file"),
        Some((verb, packages)) if verb == "hold" || verb == "unhold" => {
            let held = if verb == "hold" { "set on hold" } else { "un-held" };
            Output::text(
                packages.iter().map(|name| format!("{name} {held}.\n")).collect::<String>(),
            )
        }
        _ => Output::failed(100, "E: Invalid operation"),
    }
}

/// Packages that change nothing which the lab knows.
const KNOWN: &[&str] = &[
    "docker-ce-cli",
    "containerd.io",
    "containerd",
    "ufw",
    "curl",
    "open-vm-tools",
    "ca-certificates",
];

/// Puts Docker on a host; it runs at once, as Debian's packages do.
pub(super) fn install(session: &mut Session<'_>, version: &str) {
    // `5:24.0.9-1~ubuntu.22.04~jammy` is a package's version of 24.0.9.
    let version = version.rsplit(':').next().unwrap_or_default();
    let version = version.split('-').next().unwrap_or_default().trim_end_matches('*');
    session.host.state.docker = Some(version.to_owned());
    let unit = "[Service]\nType=notify\nExecStart=/usr/bin/dockerd -H fd://\n";
    session.host.place("/lib/systemd/system/docker.service", unit.into(), 0o644, session.now);
    super::systemd::load(session, "docker.service");
    super::systemd::start(session, "docker.service");
}

fn remove(session: &mut Session<'_>) {
    session.host.state.docker = None;
    session.host.files.remove("/lib/systemd/system/docker.service");
    session.host.units.remove("docker.service");
}
