//! API and Sentinel: they need the database that `COUCH_URL` leads to.

use super::couchdb::{self, Node};
use super::haproxy;
use super::program::Program;
use super::scene::{Process, Scene};

/// `http://user:password@host:port/path`, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Url {
    /// User and password; `None` where it has none.
    pub user: Option<(String, String)>,
    pub host: String,
    pub port: u16,
    /// With its slash.
    pub path: String,
}

/// Whether API starts.
///
/// # Errors
/// The line that it ends with.
pub(super) fn start(scene: &Scene<'_>, process: &Process) -> Result<(), String> {
    database(scene, process)
        .map(|_| ())
        .map_err(|why| format!("Fatal error initialising API: {why}"))
}

/// Whether Sentinel starts. A real one waits for API inside of its container; the lab shows that.
///
/// # Errors
/// The line that it ends with.
pub(super) fn start_sentinel(scene: &Scene<'_>, process: &Process) -> Result<(), String> {
    let fatal = |why: String| format!("Fatal error initialising medic-sentinel: {why}");
    database(scene, process).map_err(fatal)?;
    let (host, port) = (process.env.get("API_HOST"), process.env.get("API_PORT"));
    let port = port.parse().unwrap_or(5988);
    let found = scene.reach(process.namespace(), host, port);
    found.map(|_| ()).map_err(|why| fatal(format!("API check failed: {why}")))
}

/// The node behind `COUCH_URL`, for somebody whom it lets in.
///
/// # Errors
/// What the program writes.
pub(super) fn database(scene: &Scene<'_>, process: &Process) -> Result<Node, String> {
    let text = process.env.get("COUCH_URL");
    let url = Url::read(text).ok_or_else(|| "COUCH_URL is no URL".to_owned())?;
    let Some((user, password)) = &url.user else {
        return Err("COUCH_URL has no user and password".to_owned());
    };
    let there = scene.reach(process.namespace(), &url.host, url.port);
    let there = there.map_err(|why| why.to_string())?;
    let node = match there.program {
        Program::Haproxy => haproxy::server(scene, &there)
            .map_err(|why| format!("HAProxy answers 503 Service Unavailable: {why}"))?,
        _ => couchdb::node(scene, there).ok_or_else(|| "no CouchDB there".to_owned())?,
    };
    if !node.database.lets_in(user, password) {
        return Err("CouchDB answers 401: Name or password is incorrect.".to_owned());
    }
    Ok(node)
}

impl Url {
    pub(super) fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, place) = match place.rsplit_once('@') {
            Some((user, place)) => (Some(user.split_once(':').unwrap_or((user, ""))), place),
            None => (None, place),
        };
        let (host, port) = place.split_once(':').unwrap_or((place, "80"));
        let user = user.map(|(user, password)| (plain(user), plain(password)));
        let path = format!("/{path}");
        Some(Self { user, host: host.to_owned(), port: port.parse().ok()?, path })
    }
}

/// Without percent signs; a plus is a plus, as clients read it.
fn plain(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut index) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(index) {
        let digits = text.get(index + 1..index + 3).filter(|_| *byte == b'%');
        let read = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(read.unwrap_or(*byte));
        index += if read.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = Url::read("http://medic:p%40ss:w@haproxy.x.svc:5984/medic?a=b").unwrap();
        assert_eq!(url.user, Some(("medic".to_owned(), "p@ss:w".to_owned())));
        assert_eq!(
            (url.host.as_str(), url.port, url.path.as_str()),
            ("haproxy.x.svc", 5984, "/medic?a=b")
        );
        let short = Url::read("http://api").unwrap();
        assert_eq!((short.user, short.port, short.path.as_str()), (None, 80, "/"));
        assert_eq!(Url::read("ftp://api"), None);
    }
}
