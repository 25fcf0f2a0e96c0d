//! Changes that somebody makes on a host by hand.

use serde_json::{Value, json};

use crate::lab::Drifted;
use crate::lab::vsphere::draw_bytes;

use super::arguments::CONFIG;
use super::content::Content;
use super::desk::{HostDesk, HostRecord};
use super::model::Host;
use super::session::{Output, Session};
use super::spare::Spare;
use super::systemd;
use super::ufw::Firewall;
use super::units::Phase;

/// Something that can be changed by hand.
#[derive(Clone, Copy)]
enum Kind {
    /// One argument more for the kubelet in k3s's configuration, and k3s started anew.
    Edit,
    /// k3s is stopped.
    Stop,
    /// A firewall rule that carries a comment is gone.
    Rule,
}

const KINDS: [Kind; 3] = [Kind::Edit, Kind::Stop, Kind::Rule];
/// Both units that k3s may run as.
const UNITS: [&str; 2] = [systemd::SERVER, "k3s-agent.service"];
/// The list in k3s's configuration that somebody adds to, and what: nothing that stops k3s.
const LIST: &str = "kubelet-arg";
const ITEM: &str = "max-pods=120";
/// Ports whose rules stay: without them nobody would get in to see the difference, or other hosts
/// would lose k3s's servers.
const NEEDED: [&str; 3] = ["22", "6443", "2379:2380"];

impl HostDesk {
    /// Changes up to `count` things, at most one of each kind on a host, on hosts that carry marks
    /// below `/etc/boma`. Which ones is drawn from the seed. No server is stopped that is not to
    /// spare.
    pub(in crate::lab) fn drift(
        &mut self,
        seed: u64,
        count: usize,
        now: u64,
        spare: &mut Spare,
    ) -> (Vec<HostRecord>, Vec<Drifted>) {
        let marked = |host: &&Host| host.answers() && host.inside("/etc/boma").next().is_some();
        let hosts: Vec<Host> = self.hosts.iter().filter(marked).cloned().collect();
        let possible = |host: &Host, kind: Kind| {
            change(&mut Session::new(host, &self.hosts, &self.clusters, self.seed, now), kind)
        };
        let mut choices: Vec<([u8; 32], String, Kind)> = Vec::new();
        for host in &hosts {
            for (number, kind) in KINDS.into_iter().enumerate() {
                if possible(host, kind).is_some() {
                    let name = format!("{} {number}", host.facts.name);
                    choices.push((draw_bytes(seed, "drift", &name), host.facts.id.clone(), kind));
                }
            }
        }
        choices.sort_by_key(|choice| choice.0);
        // Two changes on one host could hide each other.
        let mut touched: Vec<String> = Vec::new();
        let (mut records, mut drifted) = (Vec::new(), Vec::new());
        for (_, id, kind) in choices {
            if drifted.len() == count || touched.contains(&id) {
                continue;
            }
            let may = match kind {
                Kind::Edit => spare.has(&id),
                Kind::Stop => spare.take(&id),
                Kind::Rule => true,
            };
            let Some(host) = self.hosts.get(&id).filter(|_| may).cloned() else { continue };
            let mut told = None;
            records.extend(self.act(&host, now, |session| {
                told = change(session, kind);
                Output::done()
            }));
            drifted.extend(told);
            spare.keep(&id);
            touched.push(id);
        }
        (records, drifted)
    }
}

/// Makes one change, if it can be made there.
fn change(session: &mut Session<'_>, kind: Kind) -> Option<Drifted> {
    let name = session.host.facts.name.clone();
    let told = |property: &str, before: Value, after: Value| Drifted {
        object_type: "Host".to_owned(),
        name: name.clone(),
        principal: None,
        property: property.to_owned(),
        before,
        after,
    };
    let is_active =
        |session: &Session<'_>, unit: &str| systemd::active(session, unit) == Phase::Active;
    match kind {
        Kind::Edit => {
            let unit = *UNITS.iter().find(|unit| is_active(session, unit))?;
            let text = session.host.text(CONFIG)?;
            let mode = session.host.node(CONFIG)?.mode;
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let start = lines.iter().position(|line| *line == format!("{LIST}:"))? + 1;
            let items = lines[start..].iter().take_while(|line| line.starts_with("- "));
            let item = |line: &String| {
                let item = line.trim_start_matches("- ");
                serde_json::from_str(item).unwrap_or_else(|_| json!(item))
            };
            let before: Vec<Value> = items.map(item).collect();
            if before.contains(&json!(ITEM)) {
                return None;
            }
            lines.insert(start + before.len(), format!("- \"{ITEM}\""));
            let edited = Content(format!("{}\n", lines.join("\n")).into_bytes());
            let now = session.now;
            session.host.place(CONFIG, edited, mode, now);
            systemd::stop(session, unit);
            systemd::start(session, unit);
            let after: Vec<Value> = before.iter().cloned().chain([json!(ITEM)]).collect();
            Some(told(&format!("file {CONFIG} {LIST}"), json!(before), json!(after)))
        }
        Kind::Stop => {
            let unit = *UNITS.iter().find(|unit| is_active(session, unit))?;
            systemd::stop(session, unit);
            Some(told(&format!("unit {unit}"), json!("active"), json!("inactive")))
        }
        Kind::Rule => {
            let mut firewall = Firewall::of(&session.host);
            let own = |rule: &super::ufw::Rule| {
                !rule.comment.is_empty() && !NEEDED.contains(&rule.port.as_str())
            };
            let place = firewall.rules.iter().position(own)?;
            let before: Vec<String> =
                firewall.rules.iter().map(super::ufw::Rule::command).collect();
            firewall.rules.remove(place);
            let after: Vec<String> = firewall.rules.iter().map(super::ufw::Rule::command).collect();
            let now = session.now;
            firewall.store(&mut session.host, now);
            Some(told("ufw", json!(before), json!(after)))
        }
    }
}
