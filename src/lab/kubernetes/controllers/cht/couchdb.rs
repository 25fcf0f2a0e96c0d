//! CouchDB: what it writes on its volume when it first starts, and what it starts with later.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::super::json::{list, text};
use super::super::pod;
use super::program::Program;
use super::scene::{Process, Scene};
use crate::lab::kubernetes::Key;
use crate::lab::vsphere::Entry;

/// What stands on the volume of one node. The container's variables make it once; later ones change
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Database {
    pub user: String,
    pub password: String,
    pub secret: String,
    pub uuid: String,
    /// Erlang names of the cluster's nodes, as this node knows them.
    pub nodes: BTreeSet<String>,
    /// The release that CHT's own upgrade in progress leads to, as it was asked for by the admin
    /// UI.
    #[serde(default)]
    pub upgrade: Option<String>,
}

/// One node that runs, with its volume.
pub(super) struct Node {
    pub process: Process,
    pub database: Database,
}

const DATA: &str = "/opt/couchdb/data";
pub(super) const PORT: u16 = 5984;

/// Starts a node: the first time it writes its volume, what the answer does.
///
/// # Errors
/// The line that it ends with.
pub(super) fn start(scene: &Scene<'_>, process: &Process) -> Result<Option<Entry>, String> {
    let env = &process.env;
    let (user, password) = (env.get("COUCHDB_USER"), env.get("COUCHDB_PASSWORD"));
    let place = place(scene, process);
    let known = read(scene, &place);
    let coordinator = env.get("COUCHDB_SYNC_ADMINS_NODE");
    if !coordinator.is_empty() && !answers(scene, process, coordinator) {
        return Err(format!("No couchdb end point Found at http://{coordinator}:{PORT}"));
    }
    if known.is_none() && (user.is_empty() || password.is_empty()) {
        return Err("No Admin Account Found, aborting startup.".to_owned());
    }
    let mut database = known.unwrap_or_else(|| Database {
        user: user.to_owned(),
        password: password.to_owned(),
        secret: env.get("COUCHDB_SECRET").to_owned(),
        uuid: env.get("COUCHDB_UUID").to_owned(),
        ..Database::default()
    });
    // A node that is called otherwise than before is another node; the old one stays in the list.
    database.nodes.insert(name(process));
    Ok(write(scene, &place, &database))
}

/// Nodes of a namespace that run.
pub(super) fn nodes(scene: &Scene<'_>, namespace: &str) -> Vec<Node> {
    let running = scene.running(namespace).into_iter();
    let couch = running.filter(|process| process.program == Program::CouchDb);
    couch.filter_map(|process| node(scene, process)).collect()
}

/// A node with what stands on its volume.
pub(super) fn node(scene: &Scene<'_>, process: Process) -> Option<Node> {
    let database = read(scene, &place(scene, &process))?;
    Some(Node { process, database })
}

/// `couchdb@couchdb-1.cht-county-01.svc.cluster.local`
pub(super) fn name(process: &Process) -> String {
    match process.env.get("SVC_NAME") {
        "" => "couchdb@127.0.0.1".to_owned(),
        service => format!("couchdb@{service}"),
    }
}

/// Writes a node's volume anew.
pub(super) fn keep(scene: &Scene<'_>, node: &Node) -> Option<Entry> {
    write(scene, &place(scene, &node.process), &node.database)
}

impl Database {
    pub(super) fn lets_in(&self, user: &str, password: &str) -> bool {
        self.user == user && self.password == password
    }
}

/// Whether the coordinator is there and lets a peer in.
fn answers(scene: &Scene<'_>, process: &Process, coordinator: &str) -> bool {
    let found = scene.reach(process.namespace(), coordinator, PORT).ok();
    let node = found.and_then(|found| node(scene, found));
    let env = &process.env;
    node.is_some_and(|node| {
        node.database.lets_in(env.get("COUCHDB_USER"), env.get("COUCHDB_PASSWORD"))
    })
}

fn read(scene: &Scene<'_>, place: &str) -> Option<Database> {
    serde_json::from_str(scene.world.content(place)?).ok()
}

fn write(scene: &Scene<'_>, place: &str, database: &Database) -> Option<Entry> {
    scene.world.write(place, serde_json::to_string(database).unwrap_or_default())
}

/// Where a node's data are: on a disk, in a directory of a machine, or only in its pod.
fn place(scene: &Scene<'_>, process: &Process) -> String {
    let pod = &process.pod;
    let mut mounts = list(&process.container, "/volumeMounts").iter();
    let mount = mounts.find(|mount| text(mount, "/mountPath").trim_end_matches('/') == DATA);
    let volumes = list(pod, "/spec/volumes").iter();
    let volume =
        mount.and_then(|mount| volumes.into_iter().find(|volume| volume["name"] == mount["name"]));
    let path = mount.map_or("", |mount| text(mount, "/subPath"));
    let disk = volume.and_then(|volume| {
        let host = |path: &str| Some(format!("{}:{path}", pod::node(pod)));
        if let Some(path) = volume.pointer("/hostPath/path") {
            return host(path.as_str()?);
        }
        let claim = text(volume, "/persistentVolumeClaim/claimName");
        let namespace = process.namespace();
        let claims = Key::new("", "persistentvolumeclaims", namespace, claim);
        let name = text(scene.store.get(&claims)?, "/spec/volumeName");
        let source = scene.store.get(&Key::new("", "persistentvolumes", "", name))?;
        match (text(source, "/spec/csi/volumeHandle"), text(source, "/spec/hostPath/path")) {
            ("", "") => host(text(source, "/spec/local/path")),
            ("", path) => host(path),
            (handle, _) => Some(handle.to_owned()),
        }
    });
    let own = || format!("pod/{}", super::super::json::uid(pod));
    format!("{}/{path}", disk.unwrap_or_else(own))
}
