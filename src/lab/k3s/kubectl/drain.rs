//! `kubectl cordon`, `uncordon` and `drain`.

use super::super::audit::Happened;
use super::super::cluster::Cluster;
use super::super::effect::{Changed, Draft};
use super::super::node::Node;
use super::super::reply::{FOR_EVER_MS, Reply};
use super::run;
use super::words::{Words, duration_ms, go_duration};
use crate::lab::kubernetes::{PodView, StoreEffect, blocked, pods_on};

const FLAGS: [&str; 7] = [
    "ignore-daemonsets",
    "delete-emptydir-data",
    "force",
    "disable-eviction",
    "timeout=",
    "grace-period=",
    "skip-wait-for-delete-timeout=",
];

/// Takes a node out of scheduling.
pub(super) fn cordon(cluster: &Cluster, args: &[String], now_ms: u64) -> Result<Reply, Reply> {
    set(cluster, "cordon", args, now_ms)
}

/// Puts a node back into scheduling.
pub(super) fn uncordon(cluster: &Cluster, args: &[String], now_ms: u64) -> Result<Reply, Reply> {
    set(cluster, "uncordon", args, now_ms)
}

/// Cordons a node and evicts its pods, as far as flags and disruption budgets let it.
pub(super) fn drain(cluster: &Cluster, args: &[String], now_ms: u64) -> Result<Reply, Reply> {
    let words = Words::read("drain", args, &FLAGS)?;
    let timeout_ms = match words.text("timeout") {
        None => 0,
        Some(text) => duration_ms(text).ok_or_else(|| invalid_timeout(text))?,
    };
    let node = named(cluster, "drain", &words)?;
    let mut draft = Draft::of(cluster);
    let mut reply = Reply::ok(mark(&mut draft, node, true, now_ms));
    let mut errors = Vec::new();
    let pods = pods_on(cluster, &node.name);
    let (daemons, others): (Vec<PodView>, Vec<PodView>) =
        pods.into_iter().partition(|pod| pod.is_daemon);
    let keys =
        |pods: Vec<&PodView>| pods.into_iter().map(PodView::title).collect::<Vec<_>>().join(", ");
    if !daemons.is_empty() && !words.flag("ignore-daemonsets") {
        errors.push(format!(
            "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): {}",
            keys(daemons.iter().collect())
        ));
    }
    let local: Vec<&PodView> = others.iter().filter(|pod| pod.has_local_data).collect();
    if !local.is_empty() && !words.flag("delete-emptydir-data") {
        errors.push(format!(
            "cannot delete Pods with local storage (use --delete-emptydir-data to override): {}",
            keys(local)
        ));
    }
    if errors.is_empty() {
        if !daemons.is_empty() {
            let list = keys(daemons.iter().collect());
            reply.stderr = format!("Warning: ignoring DaemonSet-managed Pods: {list}\n");
        }
        let by_force = words.flag("disable-eviction");
        let stuck: Vec<&PodView> =
            others.iter().filter(|pod| !by_force && blocked(cluster, pod)).collect();
        evict(&mut draft, &mut reply, node, &others, &stuck);
        errors = left(&mut reply, node, &others, &stuck, &words, timeout_ms);
    }
    finish(&mut reply, &mut draft, node, &errors, now_ms);
    Ok(reply.with(draft.effects))
}

/// Evicts what can be evicted; its owner makes each pod again, and the scheduler finds it a node.
fn evict(draft: &mut Draft, reply: &mut Reply, node: &Node, pods: &[PodView], stuck: &[&PodView]) {
    for pod in pods {
        reply.stdout.push_str(&format!("evicting pod {}\n", pod.title()));
    }
    let is_stuck = |pod: &PodView| stuck.iter().any(|one| one.key == pod.key);
    for pod in pods.iter().filter(|pod| node.is_heard() && !is_stuck(pod)) {
        reply.stdout.push_str(&format!("pod/{} evicted\n", pod.key.name));
        draft.change(Changed::Object(StoreEffect::Gone(pod.key.clone())));
    }
}

/// What keeps the drain from its end: pods whose budget allows no eviction, and pods on a node
/// whose kubelet does not say that they ended.
fn left(
    reply: &mut Reply,
    node: &Node,
    pods: &[PodView],
    stuck: &[&PodView],
    words: &Words,
    timeout_ms: u64,
) -> Vec<String> {
    let limit = go_duration(timeout_ms);
    for pod in stuck {
        reply.stderr.push_str(&format!(
            "error when evicting pods/\"{}\" -n \"{}\" (will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget.\n",
            pod.key.name, pod.key.namespace
        ));
    }
    let mut errors: Vec<String> = stuck
        .iter()
        .map(|pod| {
            format!(
                "error when evicting pods/\"{}\" -n \"{}\": global timeout reached: {limit}",
                pod.key.name, pod.key.namespace
            )
        })
        .collect();
    if !node.is_heard() && words.text("skip-wait-for-delete-timeout").is_none() {
        errors.extend(pods.iter().map(|pod| {
            format!(
                "error when waiting for pod \"{}\" in namespace \"{}\" to terminate: global timeout reached: {limit}",
                pod.key.name, pod.key.namespace
            )
        }));
    }
    if !errors.is_empty() {
        reply.took_ms = if timeout_ms == 0 { FOR_EVER_MS } else { timeout_ms };
    }
    errors
}

fn finish(reply: &mut Reply, draft: &mut Draft, node: &Node, errors: &[String], now_ms: u64) {
    let name = &node.name;
    if errors.is_empty() {
        reply.stdout.push_str(&format!("node/{name} drained\n"));
        return draft.note(now_ms, name, Happened::Drained);
    }
    let all = match errors {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    reply.status = 1;
    reply.stderr.push_str(&format!(
        "error: unable to drain node \"{name}\" due to error: {all}, continuing command...\nThere are pending nodes to be drained:\n {name}\n{all}\n"
    ));
    draft.note(now_ms, name, Happened::DrainFailed);
}

fn set(cluster: &Cluster, command: &str, args: &[String], now_ms: u64) -> Result<Reply, Reply> {
    let words = Words::read(command, args, &[])?;
    let node = named(cluster, command, &words)?;
    let mut draft = Draft::of(cluster);
    let text = mark(&mut draft, node, command == "cordon", now_ms);
    Ok(Reply::ok(text).with(draft.effects))
}

fn mark(draft: &mut Draft, node: &Node, cordoned: bool, now_ms: u64) -> String {
    let done = if cordoned { "cordoned" } else { "uncordoned" };
    if node.unschedulable == cordoned {
        return format!("node/{} already {done}\n", node.name);
    }
    draft.change(Changed::Node(Box::new(Node { unschedulable: cordoned, ..node.clone() })));
    let what = if cordoned { Happened::Cordoned } else { Happened::Uncordoned };
    draft.note(now_ms, &node.name, what);
    format!("node/{} {done}\n", node.name)
}

/// The one node; these commands take `NAME` and `node/NAME`.
fn named<'a>(cluster: &'a Cluster, command: &str, words: &Words) -> Result<&'a Node, Reply> {
    match words.plain.as_slice() {
        [name] => {
            let name =
                name.strip_prefix("node/").or_else(|| name.strip_prefix("nodes/")).unwrap_or(name);
            run::node(cluster, name)
        }
        [] => Err(Reply::fail(format!(
            "error: USAGE: {command} NODE [flags]\nSee 'kubectl {command} -h' for help and examples"
        ))),
        [_, second, ..] => Err(Reply::fail(format!(
            "error: the lab's kubectl takes one node at a time; \"{second}\" is one too many"
        ))),
    }
}

fn invalid_timeout(text: &str) -> Reply {
    Reply::fail(format!(
        "error: invalid argument \"{text}\" for \"--timeout\" flag: time: invalid duration \"{text}\"\nSee 'kubectl drain --help' for usage."
    ))
}
