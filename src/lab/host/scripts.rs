//! The scripts that clients send, known by their name: the lab interprets no shell language.

use super::cluster;
use super::files::is_within;
use super::model::Body;
use super::probe;
use super::session::{Output, Session};
use super::systemd;

/// `sh -c SCRIPT NAME …`
pub(super) fn sh(session: &mut Session<'_>, words: &[String]) -> Output {
    match words {
        [option, _, name, ..] if option == "-c" => match name.as_str() {
            "boma-probe" => probe::probe(session),
            "boma-firewall-revert" => revert(session),
            "boma-k3s-remove" => remove(session),
            _ => Output::failed(127, format!("sh: 1: the lab knows no script {name}")),
        },
        _ => Output::failed(127, "sh: 1: the lab runs no scripts"),
    }
}

const BEFORE: &str = "/var/lib/boma/firewall-before";

/// Puts back the files of ufw that were copied before a change.
fn revert(session: &mut Session<'_>) -> Output {
    if !session.root {
        return Output::failed(1, "ERROR: You need to be root to run this script");
    }
    let copies = session.host.files.iter().filter(|(path, _)| is_within(path, BEFORE));
    let copies: Vec<_> = copies.map(|(path, node)| (path.clone(), node.clone())).collect();
    for (path, node) in copies {
        let Body::File(content) = &node.body else { continue };
        let name = path.rsplit('/').next().unwrap_or_default();
        let target = match name {
            "ufw.conf" | "user.rules" => format!("/etc/ufw/{name}"),
            _ if content.text().contains("DEFAULT_INPUT_POLICY") => "/etc/default/ufw".to_owned(),
            _ => continue,
        };
        session.host.files.insert(target, node);
    }
    Output::done()
}

/// Stops k3s and removes it with its data, unless local volumes lie in it.
fn remove(session: &mut Session<'_>) -> Output {
    if !session.root {
        return Output::failed(1, "boma-k3s-remove: must be root");
    }
    let storage = format!("{}/storage", cluster::DATA);
    if session.host.inside(&storage).next().is_some() {
        let message = format!("local volumes lie in {storage}: move them away first");
        return Output::failed(3, message);
    }
    for unit in ["k3s.service", "k3s-agent.service"] {
        systemd::stop(session, unit);
        for path in [
            format!("{}/{unit}", systemd::WANTS),
            format!("{}/{unit}", systemd::UNITS),
            format!("{}/{unit}.env", systemd::UNITS),
        ] {
            session.host.files.remove(&path);
        }
        session.host.units.remove(unit);
    }
    for name in ["k3s", ".k3s.boma-new", "kubectl", "crictl", "ctr"] {
        session.host.files.remove(&format!("/usr/local/bin/{name}"));
    }
    cluster::wipe(session);
    Output::done()
}
