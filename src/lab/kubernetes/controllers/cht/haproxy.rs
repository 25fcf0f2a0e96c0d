//! HAProxy before CouchDB, and the health check that it asks.

use std::collections::BTreeSet;

use super::cluster;
use super::couchdb::{self, Node, PORT};
use super::scene::{NoWay, Process, Scene};

const HEALTHCHECK: u16 = 5555;

/// Whether HAProxy starts: it must find the names of all its servers.
///
/// # Errors
/// The line that it ends with.
pub(super) fn start(scene: &Scene<'_>, process: &Process) -> Result<(), String> {
    let servers = servers(process);
    let health = process.env.get("HEALTHCHECK_ADDR");
    let mut hosts = servers.iter().copied().chain([health]).filter(|host| !host.is_empty());
    let unknown =
        |host: &&str| matches!(scene.reach(process.namespace(), host, 0), Err(NoWay::Unknown(_)));
    if let Some(host) = hosts.find(unknown) {
        return Err(format!(
            "[ALERT] config : 'server couchdb-servers/{host}' : could not resolve address '{host}'. Failed to initialize server(s) addr."
        ));
    }
    if servers.is_empty() {
        return Err("[ALERT] config : COUCHDB_SERVERS names no server".to_owned());
    }
    Ok(())
}

/// The CouchDB node that HAProxy sends a request to.
///
/// # Errors
/// No server is up, and why.
pub(super) fn server(scene: &Scene<'_>, process: &Process) -> Result<Node, String> {
    let servers = servers(process);
    if servers.len() > 1 {
        let health = process.env.get("HEALTHCHECK_ADDR");
        let checker = scene.reach(process.namespace(), health, HEALTHCHECK);
        let checker = checker.map_err(|why| format!("no health check: {why}"))?;
        is_whole(scene, &checker)?;
    }
    let up = |host: &&str| authorised(scene, process, host).ok();
    servers.iter().find_map(up).ok_or_else(|| "no CouchDB server is up".to_owned())
}

/// What the health check tells: up only while all servers are members of one cluster.
fn is_whole(scene: &Scene<'_>, process: &Process) -> Result<(), String> {
    let servers = servers(process);
    let first = servers.iter().min().copied().unwrap_or_default();
    let node = authorised(scene, process, first)?;
    let membership = cluster::membership(scene, &node);
    let wanted: BTreeSet<String> = servers.iter().map(|host| format!("couchdb@{host}")).collect();
    if membership.all != wanted {
        return Err("Nodes starting up".to_owned());
    }
    if membership.all != membership.cluster {
        return Err("_membership shows not all nodes are part of Cluster".to_owned());
    }
    Ok(())
}

/// A node that lets in whoever has the variables of a process.
fn authorised(scene: &Scene<'_>, process: &Process, host: &str) -> Result<Node, String> {
    let found = scene.reach(process.namespace(), host, PORT).map_err(|why| why.to_string())?;
    let node = couchdb::node(scene, found).ok_or_else(|| format!("{host} has no data"))?;
    let env = &process.env;
    let fits = node.database.lets_in(env.get("COUCHDB_USER"), env.get("COUCHDB_PASSWORD"));
    if fits { Ok(node) } else { Err(format!("{host} answers 401: Name or password is incorrect.")) }
}

fn servers(process: &Process) -> Vec<&str> {
    let told = process.env.get("COUCHDB_SERVERS").split(',');
    told.map(str::trim).filter(|host| !host.is_empty()).collect()
}
