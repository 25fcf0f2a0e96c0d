//! Changes that somebody makes on a host by hand.

use serde_json::{Value, json};

use crate::lab::Drifted;
use crate::lab::vsphere::draw_bytes;

use super::arguments::CONFIG;
use super::content::Content;
use super::desk::{HostDesk, HostRecord};
use super::model::Host;
use super::session::{Output, Session};
use super::systemd;
use super::ufw::Firewall;
use super::units::Phase;

/// Something that can be changed by hand.
#[derive(Clone, Copy)]
enum Kind {
    /// One argument more for the kubelet in k3s's configuration.
    Edit,
    /// k3s is stopped.
    Stop,
    /// A firewall rule that carries a comment is gone.
    Rule,
}

const KINDS: [Kind; 3] = [Kind::Edit, Kind::Stop, Kind::Rule];
/// Both units that k3s may run as.
const UNITS: [&str; 2] = ["k3s.service", "k3s-agent.service"];
/// The list in k3s's configuration that somebody adds to, and what: nothing that stops k3s.
const LIST: &str = "kubelet-arg";
const ITEM: &str = "max-pods=120";

impl HostDesk {
    /// Changes up to `count` things, at most one of each kind on a host, on hosts that carry marks
    /// below `/etc/boma`. Which ones is drawn from the seed.
    pub(in crate::lab) fn drift(
        &mut self,
        seed: u64,
        count: usize,
        now: u64,
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
            let Some(host) = self.hosts.get(&id).cloned() else { continue };
            let mut told = None;
            records.extend(self.act(&host, now, |session| {
                told = change(session, kind);
                Output::done()
            }));
            drifted.extend(told);
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
    match kind {
        Kind::Edit => {
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
            let after: Vec<Value> = before.iter().cloned().chain([json!(ITEM)]).collect();
            Some(told(&format!("file {CONFIG} {LIST}"), json!(before), json!(after)))
        }
        Kind::Stop => {
            let active = |unit: &&&str| systemd::active(session, unit) == Phase::Active;
            let unit = *UNITS.iter().find(active)?;
            systemd::stop(session, unit);
            Some(told(&format!("unit {unit}"), json!("active"), json!("inactive")))
        }
        Kind::Rule => {
            let mut firewall = Firewall::of(&session.host);
            // Without the rule for SSH nobody would get in any more to see the difference.
            let own = |rule: &super::ufw::Rule| !rule.comment.is_empty() && rule.port != "22";
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
