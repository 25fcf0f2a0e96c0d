//! CouchDB in a project's pods: which Deployment is which node of a cluster, and how it is asked.

use serde_json::Value as Json;

use super::client::Client;
use super::exec::{Output, Target, exec};
use super::failure::Failure;
use super::pods::name;
use super::text::plain;

/// How the containers of CouchDB are named: this alone, or with `-` and the number of the node.
pub const CONTAINER: &str = "cht-couchdb";

/// Gives curl name and password where nobody sees them: not among its words, which every process
/// list and the API's audit log have. The quoting is that of curl's configuration.
const ASK: &str = r#"printf '%s:%s' "$COUCHDB_USER" "$COUCHDB_PASSWORD" | sed 's/[\\"]/\\&/g; s/^/user = "/; s/$/"/' | curl -s -m 10 -K - "#;

/// A Deployment that is one node of a CouchDB cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The first node, 1, makes the cluster of the others.
    pub number: u64,
    /// Of how many.
    pub count: u64,
    /// As the nodes know each other: `couchdb@couchdb-2.cht-county-07.svc.cluster.local`.
    pub name: String,
    /// Where it runs in its pod.
    pub container: String,
}

impl Node {
    /// Reads it off the containers of a Deployment. `None` where it is something else, or a
    /// CouchDB without a cluster.
    pub fn of(deployment: &Json) -> Option<Self> {
        let containers = deployment["spec"]["template"]["spec"]["containers"].as_array()?;
        containers.iter().find_map(|container| {
            let name = container["name"].as_str()?;
            let number = name.strip_prefix(CONTAINER)?.strip_prefix('-')?.parse().ok()?;
            let count = value(container, "NODE_COUNT")?.parse().ok().filter(|&count| count > 1)?;
            let host = value(container, "SVC_NAME")?;
            Some(Self { number, count, name: format!("couchdb@{host}"), container: name.into() })
        })
    }

    /// What the nodes of the cluster are called, as far as that can be told from this one's name.
    pub fn all(&self) -> Vec<String> {
        let own = format!("couchdb@couchdb-{}.", self.number);
        let Some(domain) = self.name.strip_prefix(&own) else { return vec![self.name.clone()] };
        (1..=self.count).map(|number| format!("couchdb@couchdb-{number}.{domain}")).collect()
    }
}

/// The container of CouchDB in a pod. `None` where it has none.
pub fn target(pod: &Json, namespace: &str) -> Option<Target> {
    let mut containers = pod["spec"]["containers"].as_array()?.iter();
    let container = containers.find_map(|container| {
        let name = container["name"].as_str()?;
        let rest = name.strip_prefix(CONTAINER)?;
        let is_node = rest.strip_prefix('-').is_some_and(|number| number.parse::<u64>().is_ok());
        (rest.is_empty() || is_node).then(|| name.to_owned())
    })?;
    Some(Target { namespace: namespace.to_owned(), pod: name(pod).to_owned(), container })
}

/// Asks for a URL from inside CouchDB's container, as CouchDB's administrator.
///
/// # Errors
/// The outer ones: nothing could be run in the pod. The inner ones: what there was instead of JSON.
pub async fn ask(
    client: &Client,
    target: &Target,
    url: &str,
) -> Result<Result<Json, String>, Failure> {
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || "-._:/".contains(letter);
    if !url.chars().all(is_safe) {
        return Ok(Err(format!("{} is no URL to ask for", plain(url))));
    }
    let command = format!("{ASK}{url}");
    Ok(parse(&exec(client, target, &["sh", "-c", &command]).await?))
}

fn parse(output: &Output) -> Result<Json, String> {
    if output.code != 0 {
        let why = match output.code {
            6 => "its host is not known",
            7 => "nothing listens there",
            28 => "it did not answer in time",
            _ => "see `man curl`",
        };
        let said = plain(&output.stderr);
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        return Err(format!("curl ended with {}, {why}{said}", output.code));
    }
    serde_json::from_str(&output.stdout)
        .map_err(|_| format!("it answered no JSON: {}", plain(&output.stdout)))
}

fn value<'a>(container: &'a Json, name: &str) -> Option<&'a str> {
    let mut env = container["env"].as_array()?.iter();
    env.find(|variable| variable["name"] == name)?["value"].as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(container: &str, env: Json, expected: Option<(u64, u64)>) {
        let deployment = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "cht-couchdb-nouveau"}, {"name": container, "env": env}]}}}});
        let found = Node::of(&deployment).map(|node| (node.number, node.count));
        assert_eq!(found, expected, "{container}");
    }

    #[test]
    fn a_node_is_known_by_its_container_and_its_count() {
        let env = |count: &str| {
            json!([{"name": "NODE_COUNT", "value": count},
                {"name": "SVC_NAME", "value": "couchdb-2.ns.svc.cluster.local"}])
        };
        check("cht-couchdb-2", env("3"), Some((2, 3)));
        check("cht-couchdb-2", env("1"), None);
        check("cht-couchdb", env("3"), None);
        check("cht-api", env("3"), None);
        check("cht-couchdb-2", json!([]), None);
    }

    #[test]
    fn the_others_are_named_alike() {
        let node = |name: &str| Node {
            number: 2,
            count: 3,
            name: name.to_owned(),
            container: "cht-couchdb-2".to_owned(),
        };
        let names = ["couchdb@couchdb-1.ns", "couchdb@couchdb-2.ns", "couchdb@couchdb-3.ns"];
        assert_eq!(node("couchdb@couchdb-2.ns").all(), names);
        assert_eq!(node("couchdb@own-name.ns").all(), ["couchdb@own-name.ns"]);
    }

    #[test]
    fn commands_run_in_couchdb_and_not_beside_it() {
        let pod = |names: &[&str]| {
            let containers: Vec<Json> = names.iter().map(|name| json!({"name": name})).collect();
            json!({"metadata": {"name": "p"}, "spec": {"containers": containers}})
        };
        let container = |names: &[&str]| target(&pod(names), "ns").map(|target| target.container);
        assert_eq!(
            container(&["cht-couchdb-nouveau", "cht-couchdb-1"]),
            Some("cht-couchdb-1".into())
        );
        assert_eq!(container(&["cht-couchdb"]), Some("cht-couchdb".into()));
        assert_eq!(container(&["cht-api"]), None);
    }
}
