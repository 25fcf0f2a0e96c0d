//! Which command it is, and whether anybody answers.

use super::super::cluster::{Cluster, Clusters};
use super::super::node::Node;
use super::super::reply::Reply;
use super::{delete, drain, edit, get, raw, taint};

/// Runs kubectl with the words after its name, against the API of a cluster.
pub(in crate::lab) fn kubectl(
    clusters: &Clusters,
    cluster: &str,
    args: &[String],
    now_ms: u64,
) -> Reply {
    let Some((command, rest)) = args.split_first() else {
        return Reply::ok("kubectl controls the Kubernetes cluster manager.\n");
    };
    let run: Run = match command.as_str() {
        "get" => get::get,
        "cordon" => drain::cordon,
        "uncordon" => drain::uncordon,
        "drain" => drain::drain,
        "annotate" => edit::annotate,
        "label" => edit::label,
        "taint" => taint::taint,
        "delete" => delete::delete,
        "version" => raw::version,
        other if other.starts_with('-') => {
            return Reply::fail(format!(
                "error: unknown flag: {other}\nSee 'kubectl --help' for usage."
            ));
        }
        other => return Reply::fail(format!("error: unknown command \"{other}\" for \"kubectl\"")),
    };
    let Some(cluster) = clusters.get(cluster).filter(|one| one.servers_up().next().is_some())
    else {
        let text = "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?";
        return Reply::fail(text);
    };
    if !cluster.answers(now_ms) {
        let text = "Error from server (Timeout): the server was unable to return a response in the time allotted, but may still be processing requests";
        return Reply::fail(text).after(60_000);
    }
    run(cluster, rest, now_ms).unwrap_or_else(|reply| reply)
}

/// One command; the error is a reply, too.
type Run = fn(&Cluster, &[String], u64) -> Result<Reply, Reply>;

/// What the API server says of a node that is not there.
pub(super) fn no_node(name: &str) -> Reply {
    Reply::fail(format!("Error from server (NotFound): nodes \"{name}\" not found"))
}

/// The nodes that `NAME`, `node/NAME`, `node NAME…` or `nodes` mean; no name means all of them only
/// where that is allowed. Gives the words that are left, too.
pub(super) fn resource(command: &str, plain: &[String]) -> Result<Vec<String>, Reply> {
    let Some((first, rest)) = plain.split_first() else {
        let text = match command {
            "get" => {
                "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n\nerror: Required resource not specified."
            }
            _ => "error: resource(s) were provided, but no name was specified",
        };
        return Err(Reply::fail(text));
    };
    let (kind, name) =
        first.split_once('/').map_or((first.as_str(), None), |(kind, name)| (kind, Some(name)));
    if !["node", "nodes", "no"].contains(&kind) {
        return Err(Reply::fail(format!(
            "error: the server doesn't have a resource type \"{kind}\""
        )));
    }
    let names = rest.iter().map(|word| word.rsplit('/').next().unwrap_or(word).to_owned());
    Ok(name.map(str::to_owned).into_iter().chain(names).collect())
}

/// One node by name.
pub(super) fn node<'a>(cluster: &'a Cluster, name: &str) -> Result<&'a Node, Reply> {
    cluster.nodes.get(name).ok_or_else(|| no_node(name))
}

/// Whether a node's labels meet `key=value`, `key!=value`, `key` or `!key`, parted by commas.
pub(super) fn selected(node: &Node, selector: Option<&str>) -> bool {
    let mut terms = selector.unwrap_or_default().split(',').filter(|term| !term.is_empty());
    terms.all(|term| {
        let label = |key: &str| node.labels.get(key.trim()).map(String::as_str);
        if let Some((key, value)) = term.split_once("!=") {
            return label(key) != Some(value);
        }
        match (term.split_once('='), term.strip_prefix('!')) {
            (Some((key, value)), _) => label(key) == Some(value.trim_start_matches('=')),
            (None, Some(key)) => label(key).is_none(),
            (None, None) => label(term).is_some(),
        }
    })
}
