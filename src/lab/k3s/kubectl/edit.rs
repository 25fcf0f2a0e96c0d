//! `kubectl annotate` and `label`.

use std::collections::BTreeMap;

use super::super::cluster::Cluster;
use super::super::effect::{Changed, Draft};
use super::super::node::Node;
use super::super::reply::Reply;
use super::run::{self, resource};
use super::words::Words;

pub(super) const FLAGS: [&str; 3] = ["overwrite", "field-manager=", "resource-version="];

/// Asks the etcd controller to take a member away (facts A3).
const REMOVE: &str = "etcd.k3s.cattle.io/remove";

/// Puts annotations on nodes, and takes them off.
pub(super) fn annotate(cluster: &Cluster, args: &[String], _now_ms: u64) -> Result<Reply, Reply> {
    let words = Words::read("annotate", args, &FLAGS)?;
    let (names, changes) = parts("annotate", "annotation", &words)?;
    let mut draft = Draft::of(cluster);
    let mut text = String::new();
    for name in names {
        let mut node = run::node(cluster, &name)?.clone();
        let set = changes.iter().filter(|(_, value)| value.is_some());
        for (key, _) in set.filter(|_| !words.flag("overwrite")) {
            if let Some(old) = node.annotations.get(key) {
                return Err(Reply::fail(format!(
                    "error: --overwrite is false but found the following declared annotation(s): '{key}' already has a value ({old})"
                )));
            }
        }
        change(&mut node.annotations, &changes);
        text.push_str(&format!("node/{name} annotated\n"));
        remove_member(&mut draft, &mut node);
        draft.change(Changed::Node(Box::new(node)));
    }
    Ok(Reply::ok(text).with(draft.effects))
}

/// Puts labels on nodes, and takes them off.
pub(super) fn label(cluster: &Cluster, args: &[String], _now_ms: u64) -> Result<Reply, Reply> {
    let words = Words::read("label", args, &FLAGS)?;
    let (names, changes) = parts("label", "label", &words)?;
    let mut draft = Draft::of(cluster);
    let mut reply = Reply::default();
    for name in names {
        let mut node = run::node(cluster, &name)?.clone();
        for (key, value) in &changes {
            match (node.labels.get(key), value) {
                (Some(old), Some(new)) if old != new && !words.flag("overwrite") => {
                    return Err(Reply::fail(format!(
                        "error: '{key}' already has a value ({old}), and --overwrite is false"
                    )));
                }
                (None, None) => reply.stdout.push_str(&format!("label \"{key}\" not found.\n")),
                _ => {}
            }
        }
        let before = node.labels.clone();
        change(&mut node.labels, &changes);
        let what = match (before == node.labels, changes.values().all(Option::is_none)) {
            (true, _) => "not labeled",
            (false, true) => "unlabeled",
            (false, false) => "labeled",
        };
        reply.stdout.push_str(&format!("node/{name} {what}\n"));
        if before != node.labels {
            draft.change(Changed::Node(Box::new(node)));
        }
    }
    Ok(reply.with(draft.effects))
}

/// New values by key; `None` takes the key off.
type Changes = BTreeMap<String, Option<String>>;

/// The names and the changes among the words: `node NAME… key=value… key-…`.
fn parts(command: &str, noun: &str, words: &Words) -> Result<(Vec<String>, Changes), Reply> {
    let is_change = |word: &&String| word.contains('=') || word.ends_with('-');
    let (changes, plain): (Vec<&String>, Vec<&String>) = words.plain.iter().partition(is_change);
    let plain: Vec<String> = plain.into_iter().cloned().collect();
    let names = resource(command, &plain)?;
    if names.is_empty() {
        return Err(Reply::fail("error: resource(s) were provided, but no name was specified"));
    }
    if changes.is_empty() {
        return Err(Reply::fail(format!("error: at least one {noun} update is required")));
    }
    let read = |word: &&String| match word.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (word.trim_end_matches('-').to_owned(), None),
    };
    let changes: Changes = changes.iter().map(read).collect();
    if let Some(key) = changes.keys().find(|key| !is_key(key)) {
        let text = format!(
            "error: invalid {noun} update: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character: \"{key}\""
        );
        return Err(Reply::fail(text));
    }
    Ok((names, changes))
}

fn change(map: &mut BTreeMap<String, String>, changes: &Changes) {
    for (key, value) in changes {
        match value {
            Some(value) => map.insert(key.clone(), value.clone()),
            None => map.remove(key),
        };
    }
}

fn remove_member(draft: &mut Draft, node: &mut Node) {
    if node.annotations.get(REMOVE).map(String::as_str) != Some("true") {
        return;
    }
    let Some(member) = draft.cluster.members.get(&node.name).cloned() else { return };
    draft.change(Changed::NoMember(node.name.clone()));
    let key = "etcd.k3s.cattle.io/removed-node-name".to_owned();
    node.annotations.insert(key, member.name);
    node.annotations.remove("etcd.k3s.cattle.io/node-name");
    node.annotations.remove("etcd.k3s.cattle.io/node-address");
    node.labels.remove("node-role.kubernetes.io/etcd");
    node.running = false;
}

/// Whether a text can be the key of a label or an annotation.
pub(super) fn is_key(key: &str) -> bool {
    let (prefix, name) = key.rsplit_once('/').unwrap_or(("", key));
    let inner = |letter: char| letter.is_ascii_alphanumeric();
    let all = |text: &str| text.chars().all(|letter| inner(letter) || "-_.".contains(letter));
    all(prefix) && all(name) && name.starts_with(inner) && name.ends_with(inner) && name.len() <= 63
}
