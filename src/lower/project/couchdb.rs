//! CouchDB's nodes: a Deployment each, on a volume of its own.

use serde_json::{Map, Value as Json, json};

use super::container::Container;
use super::environment::{config, secret, text};
use super::form::Form;
use super::member::Member;
use super::workload::{Strategy, Workload};
use super::{claim, nouveau, placement};
use crate::resource::{Address, Resource};
use crate::spec::Component;

/// The folders that a node keeps on its volume (cht-core, `couchdb/Dockerfile`).
const MOUNTS: [(&str, &str); 2] =
    [("/opt/couchdb/data", "data"), ("/opt/couchdb/etc/local.d", "local.d")];

/// A node's address.
pub fn address(form: &Form<'_>, member: &Member) -> Address {
    form.address("Deployment", &member.deployment())
}

/// Lowers the nodes. The others fetch the administrator's password from the first one when they
/// start, so they come after it (cht-core, `couchdb/docker-entrypoint.sh`).
pub fn couchdb(form: &Form<'_>, before: &[Address]) -> Vec<Resource> {
    let members = form.members();
    let first = members.first().map(|first| address(form, first));
    let node = |member: &Member| {
        let mut after = before.to_vec();
        after.extend(first.clone().filter(|_| !member.is_first()));
        after.extend(claim::address(form, member));
        node(form, &members, member, &after)
    };
    members.iter().map(node).collect()
}

fn node(form: &Form<'_>, members: &[Member], member: &Member, after: &[Address]) -> Resource {
    let (volume, source) = claim::volume(form, member);
    let mut containers = vec![container(form, members, member, &volume)];
    containers
        .extend(form.has_nouveau(member).then(|| nouveau::container(form, &volume).manifest(form)));
    let mut pod = Map::from_iter([
        ("securityContext".to_owned(), json!({ "runAsUser": 0, "fsGroup": 0 })),
        ("volumes".to_owned(), json!([source])),
    ]);
    if form.project.is_five() {
        pod.insert("terminationGracePeriodSeconds".into(), json!(0));
    }
    pod.extend(placement::of_node(form, members, member));
    let workload = Workload {
        strategy: Strategy::Recreate,
        pod,
        ..Workload::new(form, &member.deployment(), &member.service(), containers)
    };
    workload.resource(form, after)
}

fn container(form: &Form<'_>, members: &[Member], member: &Member, volume: &str) -> Json {
    let mount = |(path, folder): (&str, &str)| json!({ "name": volume, "mountPath": path, "subPath": folder });
    let container = Container {
        component: Component::CouchDb,
        name: member.deployment(),
        image: form.image("couchdb"),
        variables: variables(form, members, member),
        port: Some(5984),
        mounts: MOUNTS.into_iter().map(mount).collect(),
    };
    container.manifest(form)
}

fn variables(form: &Form<'_>, members: &[Member], member: &Member) -> Vec<Json> {
    let mut variables = Vec::new();
    if !member.is_first() {
        variables.push(config("COUCHDB_SYNC_ADMINS_NODE"));
    }
    variables.extend([
        text("COUCHDB_LOG_LEVEL", form.project.log_level.as_str()),
        secret("COUCHDB_PASSWORD"),
        secret("COUCHDB_SECRET"),
        secret("COUCHDB_USER"),
        secret("COUCHDB_UUID"),
        text("SVC_NAME", form.host(&member.service())),
    ]);
    if members.len() > 1 {
        variables.push(text("NODE_COUNT", members.len().to_string()));
        variables.extend(member.is_first().then(|| config("CLUSTER_PEER_IPS")));
        variables.extend(form.project.has_nouveau_each().then(|| nouveau::variable(member)));
    }
    variables
}
