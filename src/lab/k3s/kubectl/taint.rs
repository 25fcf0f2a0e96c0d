//! `kubectl taint`.

use super::super::cluster::Cluster;
use super::super::effect::{Changed, Draft};
use super::super::node::{Node, Taint};
use super::super::reply::Reply;
use super::edit;
use super::run::{self, resource};
use super::words::Words;

/// Puts taints on nodes (`key=value:Effect`), and takes them off (`key-`, `key:Effect-`).
pub(super) fn taint(cluster: &Cluster, args: &[String], _now_ms: u64) -> Result<Reply, Reply> {
    let words = Words::read("taint", args, &edit::FLAGS)?;
    let is_taint = |word: &&String| word.contains(['=', ':']) || word.ends_with('-');
    let (taints, plain): (Vec<&String>, Vec<&String>) = words.plain.iter().partition(is_taint);
    let plain: Vec<String> = plain.into_iter().cloned().collect();
    let names = resource("taint", &plain)?;
    if names.is_empty() || taints.is_empty() {
        return Err(Reply::fail("error: at least one taint update is required"));
    }
    let mut draft = Draft::of(cluster);
    let mut text = String::new();
    for name in names {
        let mut node = run::node(cluster, &name)?.clone();
        let mut what = "untainted";
        for taint in &taints {
            match taint.strip_suffix('-') {
                Some(gone) => take_off(&mut node, gone)?,
                None => what = put_on(&mut node, taint, words.flag("overwrite"))?,
            }
        }
        text.push_str(&format!("node/{name} {what}\n"));
        draft.change(Changed::Node(Box::new(node)));
    }
    Ok(Reply::ok(text).with(draft.effects))
}

fn take_off(node: &mut Node, text: &str) -> Result<(), Reply> {
    let (pair, effect) = match text.rsplit_once(':') {
        Some((pair, effect)) => (pair, Some(effect)),
        None => (text, None),
    };
    let key = pair.split('=').next().unwrap_or(pair);
    let before = node.taints.len();
    node.taints
        .retain(|taint| taint.key != key || effect.is_some_and(|effect| taint.effect != effect));
    if node.taints.len() == before {
        return Err(Reply::fail(format!("error: taint \"{text}\" not found")));
    }
    Ok(())
}

fn put_on(node: &mut Node, text: &str, overwrite: bool) -> Result<&'static str, Reply> {
    let wrong = || Reply::fail(format!("error: invalid taint spec: {text}"));
    let taint = Taint::read(text).filter(|taint| edit::is_key(&taint.key)).ok_or_else(wrong)?;
    let same = |other: &Taint| other.key == taint.key && other.effect == taint.effect;
    let known = node.taints.iter().any(same);
    if known && !overwrite {
        return Err(Reply::fail(format!(
            "error: node {} already has {} taint(s) with same effect(s) and --overwrite is false",
            node.name, taint.key
        )));
    }
    node.taints.retain(|other| !same(other));
    node.taints.push(taint);
    Ok(if known { "modified" } else { "tainted" })
}
