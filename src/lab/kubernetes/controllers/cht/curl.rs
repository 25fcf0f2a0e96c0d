//! HTTP inside of a project, as `curl` in one of its containers sees it.

use serde_json::{Value as Json, json};

use super::super::json::text;
use super::api::{self, Url};
use super::cluster;
use super::couchdb::{self, Node};
use super::environment::Environment;
use super::haproxy;
use super::image;
use super::program::Program;
use super::scene::{NoWay, Process, Scene};
use super::shell::Ran;

/// An answer over HTTP.
pub(super) struct Reply {
    pub status: u16,
    pub body: String,
}

/// What `curl` was told.
#[derive(Default)]
struct Order {
    url: String,
    user: Option<(String, String)>,
    method: String,
    /// `-f`
    fails: bool,
    silent: bool,
    /// `-o`: the body goes elsewhere.
    hidden: bool,
    /// `-w`
    format: String,
}

/// Options of `curl` that take a value and change nothing here.
const VALUES: [&str; 7] =
    ["-m", "--max-time", "--connect-timeout", "-H", "--header", "-d", "--retry"];

/// Runs `curl` in a container.
pub(super) fn curl(scene: &Scene<'_>, pod: &Json, words: &[String], stdin: &str) -> Ran {
    let order = match order(words, stdin) {
        Ok(order) => order,
        Err(why) => return Ran::failed(2, &format!("curl: {why}\n")),
    };
    let Some(mut url) = Url::read(&order.url) else {
        let why = format!("curl: (3) URL rejected: {}\n", order.url);
        return Ran::failed(3, &why);
    };
    url.user = order.user.clone().or(url.user);
    let told = |code, why: &str| {
        let why = if order.silent { String::new() } else { format!("curl: ({code}) {why}\n") };
        Ran::failed(code, &why)
    };
    let reply = match listener(scene, pod, &url) {
        Ok(process) => reply(scene, process, &url, &order.method),
        Err(NoWay::Unknown(host)) => return told(6, &format!("Could not resolve host: {host}")),
        Err(NoWay::Refused(place)) => return told(7, &format!("Failed to connect to {place}")),
    };
    if order.fails && reply.status >= 400 {
        return told(22, &format!("The requested URL returned error: {}", reply.status));
    }
    let body = if order.hidden { String::new() } else { reply.body };
    let format = order.format.replace("\\n", "\n");
    let after = format.replace("%{http_code}", &reply.status.to_string());
    Ran { stdout: body + &after, ..Ran::default() }
}

fn order(words: &[String], stdin: &str) -> Result<Order, String> {
    let mut order = Order { method: "GET".to_owned(), ..Order::default() };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().map(String::as_str).unwrap_or_default();
        match word.as_str() {
            "-u" | "--user" => order.user = Some(pair(value())),
            "-K" | "--config" if value() == "-" => configure(&mut order, stdin),
            "-K" | "--config" => return Err("only the configuration on stdin is known".to_owned()),
            "-X" | "--request" => value().clone_into(&mut order.method),
            "-o" | "--output" => {
                value();
                order.hidden = true;
            }
            "-w" | "--write-out" => value().clone_into(&mut order.format),
            "--url" => value().clone_into(&mut order.url),
            "--fail" => order.fails = true,
            "--silent" => order.silent = true,
            "--show-error" => order.silent = false,
            word if VALUES.contains(&word) => {
                value();
            }
            word if word.starts_with("--") => {}
            // Letters in one word: `-sSf`.
            word if word.starts_with('-') => {
                order.fails |= word.contains('f');
                order.silent |= word.contains('s') && !word.contains('S');
            }
            url => url.clone_into(&mut order.url),
        }
    }
    if order.url.is_empty() { Err("no URL specified".to_owned()) } else { Ok(order) }
}

/// Lines as `user = "name:password"`, with `\` and `"` escaped.
fn configure(order: &mut Order, text: &str) {
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = quoted.map_or_else(|| value.to_owned(), unescaped);
        match key.trim() {
            "user" => order.user = Some(pair(&value)),
            "url" => order.url = value,
            _ => {}
        }
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.push(if letter == '\\' { letters.next().unwrap_or('\\') } else { letter });
    }
    out
}

fn pair(text: &str) -> (String, String) {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    (user.to_owned(), password.to_owned())
}

/// Whoever listens at the place of a URL: in the pod itself, or behind a Service.
fn listener(scene: &Scene<'_>, pod: &Json, url: &Url) -> Result<Process, NoWay> {
    let namespace = text(pod, "/metadata/namespace");
    if !["localhost", "127.0.0.1"].contains(&url.host.as_str()) {
        return scene.reach(namespace, &url.host, url.port);
    }
    let listens = |process: &Process| process.program.listens(&process.env) == url.port;
    let here = |process: &Process| process.pod["metadata"]["uid"] == pod["metadata"]["uid"];
    let mut running = scene.running(namespace).into_iter();
    let refused = || NoWay::Refused(format!("{} port {}", url.host, url.port));
    running.find(|process| here(process) && listens(process)).ok_or_else(refused)
}

fn reply(scene: &Scene<'_>, process: Process, url: &Url, method: &str) -> Reply {
    match process.program {
        Program::CouchDb => match couchdb::node(scene, process) {
            Some(node) => of_couchdb(scene, &node, url),
            None => error(500, "unknown_error", "no data"),
        },
        Program::Haproxy => match haproxy::server(scene, &process) {
            Ok(node) => of_couchdb(scene, &node, url),
            Err(_) => Reply { status: 503, body: "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n".to_owned() },
        },
        Program::Api => of_api(scene, &process, url, method),
        _ => error(404, "not_found", "missing"),
    }
}

fn of_couchdb(scene: &Scene<'_>, node: &Node, url: &Url) -> Reply {
    let allowed = url.user.as_ref().map(|(user, password)| node.database.lets_in(user, password));
    if allowed == Some(false) {
        return error(401, "unauthorized", "Name or password is incorrect.");
    }
    let path = url.path.split('?').next().unwrap_or_default().trim_end_matches('/');
    match (path, allowed) {
        ("", _) => ok(&json!({
            "couchdb": "Welcome", "version": version(&node.process), "uuid": node.database.uuid,
            "vendor": {"name": "The Apache Software Foundation"},
        })),
        ("/_up", _) => ok(&json!({"status": "ok", "seeds": {}})),
        (_, None) => error(401, "unauthorized", "You are not a server admin."),
        ("/_membership", _) => {
            let membership = cluster::membership(scene, node);
            ok(&json!({"all_nodes": membership.all, "cluster_nodes": membership.cluster}))
        }
        ("/_active_tasks", _) => ok(&json!([])),
        ("/_all_dbs", _) => ok(&json!([
            "_global_changes",
            "_replicator",
            "_users",
            "medic",
            "medic-logs",
            "medic-sentinel",
            "medic-users-meta",
        ])),
        _ => error(404, "not_found", "Database does not exist."),
    }
}

/// CouchDB's own version: of CHT from 5.2 on, and before (versions.md 5).
fn version(process: &Process) -> &'static str {
    let release = image::version(image::tag(process.image()));
    if release.is_none_or(|release| release >= (5, 2, 0)) { "3.5.2" } else { "3.5.0" }
}

fn of_api(scene: &Scene<'_>, process: &Process, url: &Url, method: &str) -> Reply {
    let release = image::tag(process.image());
    let path = url.path.split('?').next().unwrap_or_default();
    if path == "/api/info" {
        return ok(&json!({"version": release}));
    }
    let node = match api::database(scene, process) {
        Ok(node) => node,
        Err(why) => return Reply { status: 500, body: format!("Server error: {why}") },
    };
    if path == "/api/v2/monitoring" {
        let couchdb = version(&node.process);
        return ok(&json!({"version": {"app": release, "node": "v22.11.0", "couchdb": couchdb}}));
    }
    let user = url.user.as_ref();
    if user.is_none_or(|(user, password)| !node.database.lets_in(user, password)) {
        let body = json!({"code": 401, "error": "Not logged in"});
        return Reply { status: 401, body: body.to_string() };
    }
    match (method, path) {
        ("GET", "/api/deploy-info") => ok(&json!({
            "version": release, "base_version": release, "build": release,
            "user": node.database.user,
        })),
        ("GET", "/api/v2/upgrade") => ok(&upgrade(scene, process, release)),
        _ => error(404, "not_found", "missing"),
    }
}

/// The upgrade that the admin UI has begun, if there is one.
fn upgrade(scene: &Scene<'_>, process: &Process, release: &str) -> Json {
    let nodes = couchdb::nodes(scene, process.namespace());
    let Some(to) = nodes.iter().find_map(|node| node.database.upgrade.clone()) else {
        return json!({"indexers": []});
    };
    json!({
        "upgradeDoc": {
            "_id": "upgrade", "action": "upgrade", "state": "indexing", "user": "admin",
            "from": {"version": release}, "to": {"version": to, "build": format!("medic:medic:{to}")},
        },
        "indexers": [{"database": "medic", "ddoc": "_design/:staged:medic", "progress": 12}],
    })
}

fn ok(body: &Json) -> Reply {
    Reply { status: 200, body: format!("{body}\n") }
}

fn error(status: u16, error: &str, reason: &str) -> Reply {
    let body = json!({"error": error, "reason": reason});
    Reply { status, body: format!("{body}\n") }
}

/// The variables that a shell in a container has.
pub(super) fn variables(scene: &Scene<'_>, pod: &Json, container: &Json) -> Environment {
    let mut env = Environment::of(scene, pod, container);
    env.0.insert("HOSTNAME".to_owned(), text(pod, "/metadata/name").to_owned());
    env
}
