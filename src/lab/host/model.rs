//! A host as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::units::Unit;

/// One machine from inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::lab) struct Host {
    pub facts: Facts,
    pub state: State,
    /// By absolute path.
    pub files: BTreeMap<String, Node>,
    /// What systemd remembers, by unit name with its ending.
    pub units: BTreeMap<String, Unit>,
    /// Transient timers, by the name of their timer unit.
    pub timers: BTreeMap<String, Timer>,
}

/// What the virtual machine settles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::lab) struct Facts {
    /// The machine's managed object id.
    pub id: String,
    pub name: String,
    pub address: String,
    /// BIOS UUID in vCenter's form.
    pub uuid: String,
    pub cpus: u32,
    pub memory_mib: u64,
    pub disk_gib: u64,
}

/// What the operating system has become.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::lab) struct State {
    pub hostname: String,
    pub machine_id: String,
    pub on: bool,
    /// It answers nobody any more, though its power is on.
    pub dead: bool,
    /// Milliseconds since 1970.
    pub booted_ms: u64,
    pub boots: u64,
    /// How far its clock is ahead.
    pub clock_offset_ms: i64,
    pub clock_synchronized: bool,
    /// Nothing more can be written below `/`.
    pub disk_full: bool,
    pub default_route: bool,
    /// Who may log in, with the public keys that are authorized. With no entry anybody may, with
    /// the lab's own key.
    pub users: BTreeMap<String, Vec<String>>,
    /// What sudo asks for; absent where it asks for nothing.
    #[serde(default)]
    pub sudo_password: Option<String>,
    /// Docker's version; absent where it is not installed.
    #[serde(default)]
    pub docker: Option<String>,
    /// The cluster whose data is below `/var/lib/rancher/k3s`.
    #[serde(default)]
    pub cluster: Option<String>,
    /// How many passwords k3s has made for `/etc/rancher/node/password`.
    pub node_passwords: u64,
    /// How often its SSH host key was made anew.
    #[serde(default)]
    pub keys: u64,
}

/// A name in the file system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::lab) struct Node {
    pub body: Body,
    pub mode: u32,
    pub owner: String,
    /// Seconds since 1970, by the host's clock.
    pub modified: i64,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::lab) enum Body {
    File(Content),
    Directory,
    Link(String),
}

/// A command that systemd runs later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::lab) struct Timer {
    pub due_ms: u64,
    pub words: Vec<String>,
}

impl Host {
    /// Whether it answers.
    pub(in crate::lab) fn answers(&self) -> bool {
        self.state.on && !self.state.dead
    }

    /// Its own clock, in milliseconds since 1970.
    pub(super) fn clock_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(self.state.clock_offset_ms)
    }

    /// Its own clock, in seconds.
    pub(super) fn clock(&self, now_ms: u64) -> i64 {
        i64::try_from(self.clock_ms(now_ms) / 1000).unwrap_or(i64::MAX)
    }

    /// The node at a path, links followed.
    pub(super) fn node(&self, path: &str) -> Option<&Node> {
        self.node_after(path, 8)
    }

    fn node_after(&self, path: &str, links: u8) -> Option<&Node> {
        let node = self.files.get(path)?;
        match &node.body {
            Body::Link(target) if links > 0 => self.node_after(&resolve(path, target), links - 1),
            Body::Link(_) => None,
            _ => Some(node),
        }
    }

    /// The content of a file as text.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        match &self.node(path)?.body {
            Body::File(content) => Some(content.text()),
            _ => None,
        }
    }

    pub(super) fn is_directory(&self, path: &str) -> bool {
        self.node(path).is_some_and(|node| node.body == Body::Directory)
    }

    /// Names directly below a directory, with what they are.
    pub(super) fn inside<'a>(
        &'a self,
        directory: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Node)> {
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        self.files.iter().filter_map(move |(path, node)| {
            let name = path.strip_prefix(&prefix)?;
            (!name.is_empty() && !name.contains('/')).then_some((name, node))
        })
    }

    /// Writes a file as root, with the directories above it.
    pub(super) fn place(&mut self, path: &str, content: Content, mode: u32, now_ms: u64) {
        self.make_parents(path, now_ms);
        let modified = self.clock(now_ms);
        let node = Node { body: Body::File(content), mode, owner: "root".to_owned(), modified };
        self.files.insert(path.to_owned(), node);
    }

    /// Makes the directories above a path, as root.
    pub(super) fn make_parents(&mut self, path: &str, now_ms: u64) {
        let modified = self.clock(now_ms);
        for (place, _) in path.match_indices('/').skip(1) {
            let node = Node::directory(modified);
            self.files.entry(path[..place].to_owned()).or_insert(node);
        }
    }

    /// The k3s version that an executable at a path is.
    pub(super) fn k3s_version(&self, path: &str) -> Option<String> {
        let text = self.text(path)?;
        let version = text.strip_prefix("k3s ")?.split_whitespace().next()?;
        version.starts_with('v').then(|| version.to_owned())
    }
}

impl Node {
    pub(super) fn directory(modified: i64) -> Self {
        Self { body: Body::Directory, mode: 0o755, owner: "root".to_owned(), modified }
    }
}

fn resolve(link: &str, target: &str) -> String {
    if target.starts_with('/') {
        return target.to_owned();
    }
    let directory = link.rsplit_once('/').map_or("", |(directory, _)| directory);
    format!("{directory}/{target}")
}
