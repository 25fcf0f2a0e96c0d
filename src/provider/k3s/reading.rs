//! `k3s/server` and `k3s/agent` from what a host and the cluster say.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value as Json, json};

use super::arguments::{self, Disk};
use super::cluster::{Cluster, Node};
use super::config::Config;
use super::registries::{self, Registries};
use super::settings::Settings;
use super::token::UNUSED;
use super::unit::Role;
use super::{diagnose, join, token};
use crate::provider::host::{Probe, machine, mark};
use crate::resource::{Attributes, Object, Reading};

/// What one reading of many hosts shares.
pub struct Surroundings<'a> {
    /// The nodes as a live server shows them. `None` where none answered.
    pub cluster: Option<&'a Cluster>,
    /// BIOS UUIDs by node name, of the hosts that were read.
    pub uuids: &'a BTreeMap<String, String>,
}

/// Reads the kind of a role. Absent where neither boma's mark, nor a unit, nor data is there.
pub fn read(role: Role, probe: &Probe, around: &Surroundings<'_>) -> Reading {
    let marker = probe.text(&format!("mark/{}", mark::file_name(role.kind())));
    let disk = match Disk::of(probe) {
        Ok(disk) => disk,
        Err(problem) => {
            return Reading::Unread(format!("{problem}; write it in a form that boma reads"));
        }
    };
    if let Some(other) = disk.role.filter(|other| *other != role) {
        return Reading::Unread(format!(
            "the host is set up as a k3s {}, not as a {}; remove k3s there first \
             (k3s-uninstall.sh or k3s-agent-uninstall.sh), after draining the node",
            other.word(),
            role.word()
        ));
    }
    let joined = probe.word("joined") == Some("yes");
    if marker.is_none() && disk.role.is_none() && !joined {
        return Reading::Absent;
    }
    let host = Host { role, probe, disk: &disk, around };
    Reading::Present(Object {
        id: machine::id(probe),
        attributes: Attributes::new(&Json::Object(host.attributes())),
        mark: marker.and_then(mark::parse),
    })
}

/// The version on the disk: the third word of `k3s version v1.35.9+k3s1 (…)`.
pub fn version(probe: &Probe) -> Option<&str> {
    probe.word("k3s-version")?.lines().next()?.split_whitespace().nth(2)
}

/// What the unit is: `active`, `inactive`, `failed` or `activating`.
pub fn service(probe: &Probe) -> &str {
    match probe.setting("unit-show", "ActiveState") {
        Some("active" | "reloading") => "active",
        Some(state @ ("failed" | "activating")) => state,
        _ => "inactive",
    }
}

struct Host<'a> {
    role: Role,
    probe: &'a Probe,
    disk: &'a Disk,
    around: &'a Surroundings<'a>,
}

impl Host<'_> {
    fn attributes(&self) -> Map<String, Json> {
        let name = self.disk.node_name(self.probe);
        let node = self.around.cluster.and_then(|cluster| cluster.node(&name));
        let mut tree = Map::new();
        self.disk_attributes(&mut tree);
        self.node_attributes(&mut tree, node);
        if let Some(cluster) = self.around.cluster {
            tree.insert("members".into(), cluster.members().into());
            tree.insert("spare_voters".into(), cluster.spare_voters().into());
            tree.insert("others_not_ready".into(), json!(cluster.others_not_ready(&name)));
            let wrong = cluster.wrong_provider_ids(self.around.uuids);
            tree.insert("wrong_provider_ids".into(), json!(wrong));
        }
        let effective = node.and_then(loaded).unwrap_or_else(|| self.disk.settings.clone());
        tree.insert("effective".into(), public(effective).into());
        tree
    }

    fn disk_attributes(&self, tree: &mut Map<String, Json>) {
        let (probe, service) = (self.probe, service(self.probe));
        let config = Config::of(self.disk.settings.clone());
        let words = matches!(service, "failed" | "activating").then(|| probe.word("journal"));
        let joined = if probe.word("joined") == Some("yes") { "yes" } else { "no" };
        // Left by a run that died between the first start and the voter.
        let founding = joined == "yes" && join::is_founding(probe);
        let arguments = match (self.disk.in_unit.is_empty(), founding) {
            (false, _) => "unit",
            (true, true) => "founding",
            (true, false) => "config.yaml",
        };
        // What boma cannot read is said when it is to be changed.
        let registries = Registries::of(probe.text(registries::ITEM)).unwrap_or_default();
        let some = |map: Map<String, Json>| (!map.is_empty()).then_some(Json::Object(map));
        let known = [
            ("version", version(probe).map(Json::from)),
            ("config", Some(public(config.settings).into())),
            ("provider_id", config.provider_id.map(Json::from)),
            ("token", self.token("token").map(Json::from)),
            ("agent_token", self.token("agent-token").map(Json::from)),
            ("mirrors", some(registries.mirrors())),
            ("logins", some(registries.logins())),
            ("arguments", self.disk.role.map(|_| arguments.into())),
            ("service", Some(service.into())),
            ("joined", Some(joined.into())),
            ("last_words", words.flatten().map(|words| diagnose::last_words(words).into())),
            ("certificate_expires", probe.word("certificate-ends").map(Json::from)),
        ];
        tree.extend(known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    }

    fn node_attributes(&self, tree: &mut Map<String, Json>, node: Option<&Node>) {
        let is_voter = node.is_some_and(|node| node.voter);
        let datastore = self.datastore();
        let member = match self.role {
            Role::Server if is_voter => "voter",
            Role::Server if node.is_some_and(|node| node.member) => "learner",
            _ => "",
        };
        let ready = node.is_some_and(|node| node.ready)
            && service(self.probe) == "active"
            && (self.role == Role::Agent || is_voter || datastore == Some("other"));
        let presence = match (node, self.around.cluster) {
            (Some(_), _) => "present",
            (None, Some(_)) => "absent",
            (None, None) => "unknown",
        };
        let answers = match self.role {
            Role::Server => self.probe.text("nodes").is_some(),
            Role::Agent => self.around.cluster.is_some(),
        };
        let texts = [
            ("ready", if ready { "yes" } else { "no" }),
            ("member", member),
            ("node", presence),
            ("server_answers", if answers { "yes" } else { "no" }),
            ("running", if self.is_stale(node) { "stale" } else { "current" }),
        ];
        tree.extend(texts.map(|(key, text)| (key.to_owned(), text.into())));
        tree.extend(datastore.map(|datastore| ("datastore".to_owned(), datastore.into())));
        let cordoned = node.is_some_and(|node| node.unschedulable);
        tree.insert("cordoned".into(), cordoned.into());
        let schedulable = !node.is_some_and(|node| node.cordoned);
        tree.insert("schedulable".into(), schedulable.into());
    }

    /// Where the server keeps the cluster's data: `etcd`, or `other`, which is SQLite or a database
    /// of somebody's. `None` for agents, and while nobody can say.
    fn datastore(&self) -> Option<&'static str> {
        let members = self.around.cluster.map(|cluster| cluster.members());
        match (self.role, self.probe.word("etcd"), members) {
            (Role::Agent, ..) => None,
            (Role::Server, Some("yes"), _) => Some("etcd"),
            (Role::Server, _, Some(0)) if self.probe.word("joined") == Some("yes") => Some("other"),
            (Role::Server, _, Some(1..)) => Some("etcd"),
            (Role::Server, ..) => None,
        }
    }

    /// A token as written on the host, in its short form. `None` where there is none.
    fn token(&self, key: &str) -> Option<String> {
        let settings = &self.disk.settings;
        let given = settings.get(key).and_then(Json::as_str);
        let file = || {
            let path = settings.get(&format!("{key}-file"))?.as_str()?;
            (path == format!("/etc/rancher/k3s/{key}")).then(|| self.probe.word(key))?
        };
        // What k3s made up itself where nobody gave it one.
        let made_up = || match (self.role, key) {
            (Role::Server, "token") if self.disk.role.is_some() => self.probe.word("server-token"),
            _ => None,
        };
        given.or_else(file).or_else(made_up).map(|text| token::secret(text).to_owned())
    }

    /// Whether the process runs with something else than the disk has.
    fn is_stale(&self, node: Option<&Node>) -> bool {
        if service(self.probe) != "active" {
            return false;
        }
        let installed = version(self.probe);
        if let Some(node) = node.filter(|node| node.ready)
            && installed.is_some_and(|installed| installed != node.version)
        {
            return true;
        }
        // Nothing else shows with which token a process runs.
        if self.probe.text(UNUSED).is_some() {
            return true;
        }
        match node.and_then(loaded) {
            Some(loaded) => !arguments::same(&self.disk.settings, &loaded),
            None => self.is_older_than_its_files(),
        }
    }

    fn is_older_than_its_files(&self) -> bool {
        let written = self.probe.word("config-time").and_then(|time| time.parse::<i64>().ok());
        let started = self.probe.setting("unit-show", "ExecMainStartTimestamp").and_then(started);
        matches!((written, started), (Some(written), Some(started)) if written > started)
    }
}

/// The settings that a node runs with. `None` where it does not say.
fn loaded(node: &Node) -> Option<Settings> {
    arguments::loaded(&node.arguments, &node.environment)
}

/// Settings without secrets.
fn public(mut settings: Settings) -> Settings {
    settings.retain(|key, _| {
        !matches!(key.as_str(), "token" | "agent-token" | "datastore-endpoint")
            && !key.contains("secret-key")
    });
    settings
}

/// Seconds since 1970 of `Sun 2026-11-22 20:46:14 UTC`.
fn started(text: &str) -> Option<i64> {
    let mut words = text.split(' ').skip(1);
    let (date, time) = (words.next()?, words.next()?);
    let local: DateTime = format!("{date}T{time}").parse().ok()?;
    let time: Timestamp = local.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(time.as_second())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::cluster::tests::{answer, node};
    use super::super::unit;
    use super::*;

    const MARK: (&str, &str) =
        ("mark/k3s-server.json", r#"{"lineage":"l","address":"k3s/server/server-1"}"#);
    const ACTIVE: &str = "Id=k3s.service\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nNRestarts=0\nExecMainStartTimestamp=Sun 2026-11-22 20:46:14 UTC\n";
    const VERSION: (&str, &str) =
        ("k3s-version", "k3s version v1.35.9+k3s1 (abc)\ngo version go1.24\n");

    fn of(items: &[(&str, &str)], cluster: Option<&Cluster>) -> Reading {
        let around = Surroundings { cluster, uuids: &BTreeMap::new() };
        read(Role::Server, &Probe::with(items), &around)
    }

    fn check(items: &[(&str, &str)], cluster: Option<&Cluster>, expected: Json) {
        let object = of(items, cluster).object().cloned().unwrap();
        let tree = object.attributes.tree();
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(tree.get(key).unwrap_or(&Json::Null), value, "{key} in {tree}");
        }
    }

    #[test]
    fn a_server_that_boma_made_is_as_desired() {
        let text = unit::render(Role::Server);
        let mut own = node("server-1", true, true);
        own["metadata"]["annotations"]["k3s.io/node-args"] = json!(
            "[\"server\",\"--docker\",\"true\",\"--token-file\",\"/etc/rancher/k3s/token\",\"--kubelet-arg\",\"provider-id=vsphere://42\"]"
        );
        own["metadata"]["annotations"]["k3s.io/node-env"] = json!("{}");
        let nodes = answer(&[own, node("server-2", true, false)]);
        let cluster = Cluster::parse(&nodes);
        let items = [
            MARK,
            VERSION,
            ("unit-text", text.as_str()),
            ("unit-show", ACTIVE),
            (
                "config",
                "docker: true\nkubelet-arg: [\"provider-id=vsphere://42\"]\ntoken-file: /etc/rancher/k3s/token\n",
            ),
            ("token", "K10ab::server:secret\n"),
            ("joined", "yes"),
            ("hostname", "server-1\n"),
            ("nodes", nodes.as_str()),
            ("config-time", "9999999999"),
        ];
        let expected = json!({
            "version": "v1.35.9+k3s1", "config": {"docker": true}, "provider_id": "vsphere://42",
            "token": "secret", "agent_token": null, "arguments": "config.yaml",
            "service": "active", "running": "current", "schedulable": true, "ready": "yes",
            "joined": "yes", "member": "voter", "node": "present", "cordoned": false,
            "members": 2, "spare_voters": -1, "others_not_ready": ["server-2"], "server_answers": "yes",
        });
        check(&items, cluster.as_ref(), expected);
    }

    /// Without etcd nobody has a vote, and ready is what its node says.
    #[test]
    fn a_server_with_sqlite_is_ready_with_its_node() {
        let mut own = node("server-1", true, true);
        own["metadata"]["labels"]["node-role.kubernetes.io/etcd"].take();
        own["status"]["conditions"].as_array_mut().unwrap().pop();
        let lone = Cluster::parse(&answer(&[own]));
        let voter = Cluster::parse(&answer(&[node("server-1", true, true)]));
        let mut items =
            vec![VERSION, ("unit-show", ACTIVE), ("hostname", "server-1"), ("joined", "yes")];
        let sqlite = json!({"datastore": "other", "ready": "yes", "member": "", "members": 0});
        check(&items, lone.as_ref(), sqlite);
        check(&items, voter.as_ref(), json!({"datastore": "etcd", "ready": "yes"}));
        check(&items, None, json!({"datastore": null, "ready": "no"}));
        // etcd that has begun, and whose node does not say so yet.
        items.push(("etcd", "yes"));
        check(&items, lone.as_ref(), json!({"datastore": "etcd", "ready": "no", "member": ""}));
    }

    #[test]
    fn a_server_made_after_the_guide_is_read_too() {
        let unit = "[Service]\nExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--docker' \\\n\t'--token' \\\n\t'secret' \\\n\t'--cluster-init' \\\n";
        let cluster = Cluster::parse(&answer(&[node("server-1", true, true)]));
        let items = [
            VERSION,
            ("unit-text", unit),
            ("unit-show", ACTIVE),
            ("hostname", "server-1"),
            ("unit-env", "K3S_KUBECONFIG_MODE='644'\n"),
            ("joined", "yes"),
        ];
        let expected = json!({"arguments": "unit", "token": "secret", "running": "current",
            "config": {"docker": true, "write-kubeconfig-mode": "0644"}});
        check(&items, cluster.as_ref(), expected);
        assert_eq!(of(&items, None).object().unwrap().mark, None);
    }

    #[test]
    fn what_was_changed_since_the_start_needs_a_restart() {
        let text = unit::render(Role::Server);
        let mut items = vec![
            VERSION,
            ("unit-text", text.as_str()),
            ("unit-show", ACTIVE),
            ("hostname", "server-1"),
            ("config-time", "1795380374"),
        ];
        check(&items, None, json!({"running": "current", "node": "unknown", "ready": "no"}));
        items[4].1 = "1795380375";
        check(&items, None, json!({"running": "stale"}));
        let cluster = Cluster::parse(&answer(&[node("server-1", true, true)]));
        check(&items, cluster.as_ref(), json!({"running": "stale"}));
    }

    #[test]
    fn a_token_that_was_written_since_the_start_needs_a_restart() {
        let text = unit::render(Role::Server);
        let mut own = node("server-1", true, true);
        own["metadata"]["annotations"]["k3s.io/node-args"] =
            json!("[\"server\",\"--token-file\",\"/etc/rancher/k3s/token\"]");
        let cluster = Cluster::parse(&answer(&[own]));
        let mut items = vec![
            VERSION,
            ("unit-text", text.as_str()),
            ("unit-show", ACTIVE),
            ("hostname", "server-1"),
            ("config", "token-file: /etc/rancher/k3s/token\nwrite-kubeconfig-mode: '0644'\n"),
        ];
        check(&items, cluster.as_ref(), json!({"running": "current"}));
        items.push((UNUSED, "new\n"));
        check(&items, cluster.as_ref(), json!({"running": "stale"}));
    }

    #[test]
    fn a_failed_start_has_its_last_words() {
        let text = unit::render(Role::Server);
        let failed = ACTIVE.replace("ActiveState=active", "ActiveState=activating");
        let items = [
            MARK,
            ("unit-text", &text),
            ("unit-show", &failed),
            ("journal", "etcdserver: too many learner members\n"),
        ];
        let words = "another server is joining; apply again: servers join one after the other\netcdserver: too many learner members";
        check(&items, None, json!({"service": "activating", "last_words": words}));
    }

    #[test]
    fn nothing_there_is_absent_and_another_role_is_unread() {
        assert_eq!(of(&[("hostname", "server-1")], None), Reading::Absent);
        check(&[MARK], None, json!({"service": "inactive", "joined": "no", "arguments": null}));
        check(&[("joined", "yes")], None, json!({"joined": "yes"}));
        let agent = unit::render(Role::Agent);
        assert!(matches!(of(&[("unit-text", &agent)], None), Reading::Unread(_)));
        let odd = of(&[MARK, ("config", "a:\n  b: 1\n")], None);
        assert!(matches!(odd, Reading::Unread(reason) if reason.contains("config.yaml:2")));
    }
}
