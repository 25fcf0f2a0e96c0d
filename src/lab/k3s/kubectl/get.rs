//! `kubectl get`.

use serde_json::{Value, json};

use super::super::cluster::Cluster;
use super::super::ids;
use super::super::node::Node;
use super::super::reply::Reply;
use super::raw;
use super::run::{no_node, resource, selected};
use super::words::Words;

const FLAGS: [&str; 7] = [
    "output=",
    "all-namespaces",
    "raw=",
    "selector=",
    "no-headers",
    "ignore-not-found",
    "chunk-size=",
];

/// Nodes and pods as JSON, names or a table, and `--raw`.
pub(super) fn get(cluster: &Cluster, args: &[String], now_ms: u64) -> Result<Reply, Reply> {
    let words = Words::read("get", args, &FLAGS)?;
    if let Some(path) = words.text("raw") {
        return raw::raw(cluster, path, now_ms);
    }
    if words.plain.first().is_some_and(|kind| ["pod", "pods", "po"].contains(&kind.as_str())) {
        return pods(cluster, &words);
    }
    if let Some((kind, names)) = words.plain.split_first()
        && ["lease", "leases"].contains(&kind.as_str())
    {
        let name = names.first().map(String::as_str).unwrap_or_default();
        return lease(cluster, name, &words, now_ms);
    }
    let names = resource("get", &words.plain)?;
    let mut nodes = Vec::new();
    for name in &names {
        match cluster.nodes.get(name) {
            Some(node) => nodes.push(node),
            None if words.flag("ignore-not-found") => {}
            None => return Err(no_node(name)),
        }
    }
    if names.is_empty() {
        let selector = words.text("selector");
        nodes.extend(cluster.nodes.values().filter(|node| selected(node, selector)));
    }
    match words.text("output") {
        Some("json") if names.len() == 1 => {
            let one = nodes.first().map(|node| pretty(&node.to_json(cluster, now_ms)));
            Ok(Reply::ok(one.unwrap_or_default()))
        }
        Some("json") => Ok(list(nodes.iter().map(|node| node.to_json(cluster, now_ms)).collect())),
        Some("name") => Ok(Reply::ok(
            nodes.iter().map(|node| format!("node/{}\n", node.name)).collect::<String>(),
        )),
        None | Some("wide") => Ok(table(&nodes, words.flag("no-headers"), now_ms)),
        Some(other) => Err(no_format(other)),
    }
}

fn pods(cluster: &Cluster, words: &Words) -> Result<Reply, Reply> {
    let namespace = words.text("namespace").unwrap_or("default");
    let all = words.flag("all-namespaces");
    let pods = cluster.store.list("", "pods");
    let pods = pods.filter(|(key, _)| all || key.namespace == namespace);
    match words.text("output") {
        Some("json") => Ok(list(pods.map(|(_, pod)| (**pod).clone()).collect())),
        Some("name") => {
            Ok(Reply::ok(pods.map(|(key, _)| format!("pod/{}\n", key.name)).collect::<String>()))
        }
        other => Err(no_format(other.unwrap_or("table"))),
    }
}

/// The lease of a node: its kubelet renews it for as long as it runs.
fn lease(cluster: &Cluster, name: &str, words: &Words, now_ms: u64) -> Result<Reply, Reply> {
    let in_place = words.text("namespace") == Some("kube-node-lease");
    let Some(node) = cluster.nodes.get(name).filter(|_| in_place) else {
        let text = format!(
            "Error from server (NotFound): leases.coordination.k8s.io \"{name}\" not found"
        );
        return Err(Reply::fail(text));
    };
    let at = if node.is_ready(now_ms) { now_ms } else { 0 };
    let seconds = ids::time(at);
    let renewed = format!("{}.{:03}000Z", seconds.trim_end_matches('Z'), at % 1000);
    Ok(Reply::ok(pretty(&json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": name, "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40,
            "renewTime": renewed},
    }))))
}

fn list(items: Vec<Value>) -> Reply {
    Reply::ok(pretty(&json!({
        "apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items,
    })))
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn no_format(format: &str) -> Reply {
    Reply::fail(format!(
        "error: unable to match a printer suitable for the output format \"{format}\", allowed formats are: json,name,wide"
    ))
}

fn table(nodes: &[&Node], bare: bool, now_ms: u64) -> Reply {
    if nodes.is_empty() {
        return Reply { stderr: "No resources found\n".to_owned(), ..Reply::default() };
    }
    let head = ["NAME", "STATUS", "ROLES", "AGE", "VERSION"].map(str::to_owned);
    let rows = nodes.iter().map(|node| row(node, now_ms));
    let rows: Vec<[String; 5]> = (!bare).then_some(head).into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let mut text = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate().take(4) {
            text.push_str(&format!("{cell:<width$}   ", width = width(column)));
        }
        text.push_str(&row[4]);
        text.push('\n');
    }
    Reply::ok(text)
}

fn row(node: &Node, now_ms: u64) -> [String; 5] {
    let roles: Vec<&str> = node
        .labels
        .keys()
        .filter_map(|label| label.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    let ready = if node.is_ready(now_ms) { "Ready" } else { "NotReady" };
    let cordoned = if node.unschedulable { ",SchedulingDisabled" } else { "" };
    let age = super::words::go_duration(now_ms.saturating_sub(node.born_ms));
    [
        node.name.clone(),
        format!("{ready}{cordoned}"),
        if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") },
        age,
        node.version.clone(),
    ]
}
