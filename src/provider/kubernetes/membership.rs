//! Whether a node of CouchDB is a member of its cluster.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::client::Client;
use super::couch::{Node, ask};
use super::exec::Target;
use super::failure::Failure;
use super::place::Place;
use super::pods::{self, name, selector};
use super::text::plain;

/// Whether the node of CouchDB that a ready Deployment is does its part: the first one answers, the
/// others are members, and the last one sees all of them. Anything else is always so.
///
/// # Errors
/// The outer ones: the API does not answer. The inner ones: what is missing, in words for people.
pub async fn formed(
    client: &Client,
    place: &Place,
    live: &Json,
) -> Result<Result<(), String>, Failure> {
    let node = Node::of(live).filter(|_| place.is("apps", "Deployment"));
    let (Some(node), Some(namespace)) = (node, &place.namespace) else { return Ok(Ok(())) };
    let pods = pods::ready(client, namespace, selector(live).as_deref()).await?;
    let Some(pod) = pods.first() else {
        return Ok(Err(format!("no pod of {} is ready", place.name)));
    };
    let (namespace, container) = (namespace.clone(), node.container.clone());
    let target = Target { namespace, pod: name(pod).to_owned(), container };
    let question = if node.number == 1 { "_up" } else { "_membership" };
    let answer = ask(client, &target, &format!("http://localhost:5984/{question}")).await;
    let machine = pod["spec"]["nodeName"].as_str().unwrap_or("its machine");
    match answer {
        Err(failure) if failure.concerns_all() => Err(failure),
        Err(failure) => Ok(Err(unheard(&target.pod, machine, &failure))),
        Ok(answer) => Ok(answer.and_then(|answer| judge(&node, &answer)).map_err(|missing| {
            format!("CouchDB in the pod {} on {machine}: {missing}", target.pod)
        })),
    }
}

/// Why CouchDB could not be asked.
pub fn unheard(pod: &str, machine: &str, failure: &Failure) -> String {
    format!(
        "CouchDB in the pod {pod} cannot be asked: {failure}; see that the kubelet of {machine} \
         runs (`systemctl status k3s-agent`) and can be reached from the servers on port 10250"
    )
}

/// What an answer lacks.
fn judge(node: &Node, answer: &Json) -> Result<(), String> {
    if let Some(error) = answer["error"].as_str() {
        let reason = answer["reason"].as_str().unwrap_or_default();
        return Err(format!("it answers {}: {}", plain(error), plain(reason)));
    }
    if node.number == 1 {
        return match answer["status"].as_str() {
            Some("ok") => Ok(()),
            status => Err(format!("its status is {}, not ok", plain(status.unwrap_or("unknown")))),
        };
    }
    let (all, cluster) = (names(&answer["all_nodes"]), names(&answer["cluster_nodes"]));
    let expected = if node.number == node.count { node.all() } else { vec![node.name.clone()] };
    let is_missing = |name: &&String| !all.contains(*name) || !cluster.contains(*name);
    let missing: Vec<&str> = expected.iter().filter(is_missing).map(String::as_str).collect();
    let seen = format!("it sees {} and its cluster has {}", told(&all), told(&cluster));
    let is_last = node.number == node.count;
    match missing.is_empty() {
        false => Err(format!("{} not in the cluster yet: {seen}", told_missing(&missing))),
        true if all != cluster => Err(format!("not all nodes are connected: {seen}")),
        true if is_last && cluster.len() as u64 != node.count => {
            Err(format!("the cluster has not {} nodes: {seen}", node.count))
        }
        true => Ok(()),
    }
}

fn names(list: &Json) -> BTreeSet<String> {
    let names = list.as_array().into_iter().flatten().filter_map(Json::as_str);
    names.map(plain).collect()
}

fn told(names: &BTreeSet<String>) -> String {
    match names.is_empty() {
        true => "no node".to_owned(),
        false => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}

fn told_missing(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(number: u64, answer: Json, expected: Result<(), &str>) {
        let node = Node {
            number,
            count: 3,
            name: format!("couchdb@couchdb-{number}.n"),
            container: format!("cht-couchdb-{number}"),
        };
        assert_eq!(judge(&node, &answer), expected.map_err(str::to_owned), "{number}: {answer}");
    }

    fn members(all: &[u64], cluster: &[u64]) -> Json {
        let names = |numbers: &[u64]| {
            numbers.iter().map(|number| format!("couchdb@couchdb-{number}.n")).collect::<Vec<_>>()
        };
        json!({"all_nodes": names(all), "cluster_nodes": names(cluster)})
    }

    #[test]
    fn the_first_node_has_to_answer() {
        check(1, json!({"status": "ok", "seeds": {}}), Ok(()));
        check(
            1,
            json!({"status": "maintenance_mode"}),
            Err("its status is maintenance_mode, not ok"),
        );
        check(1, json!({}), Err("its status is unknown, not ok"));
    }

    #[test]
    fn the_others_have_to_be_members() {
        check(2, members(&[1, 2], &[1, 2]), Ok(()));
        let alone = "couchdb@couchdb-2.n is not in the cluster yet: it sees couchdb@couchdb-2.n \
            and its cluster has no node";
        check(2, members(&[2], &[]), Err(alone));
        let apart = "not all nodes are connected: it sees couchdb@couchdb-2.n and its cluster \
            has couchdb@couchdb-1.n, couchdb@couchdb-2.n";
        check(2, members(&[2], &[1, 2]), Err(apart));
        let denied = json!({"error": "unauthorized", "reason": "Name or password is incorrect."});
        check(2, denied, Err("it answers unauthorized: Name or password is incorrect."));
    }

    #[test]
    fn the_last_node_has_to_see_all() {
        check(3, members(&[1, 2, 3], &[1, 2, 3]), Ok(()));
        let two = "couchdb@couchdb-2.n is not in the cluster yet: it sees couchdb@couchdb-1.n, \
            couchdb@couchdb-3.n and its cluster has couchdb@couchdb-1.n, couchdb@couchdb-3.n";
        check(3, members(&[1, 3], &[1, 3]), Err(two));
        let four = members(&[1, 2, 3, 4], &[1, 2, 3, 4]);
        let seen =
            "couchdb@couchdb-1.n, couchdb@couchdb-2.n, couchdb@couchdb-3.n, couchdb@couchdb-4.n";
        let many =
            format!("the cluster has not 3 nodes: it sees {seen} and its cluster has {seen}");
        check(3, four, Err(&many));
    }
}
