//! A cluster's API at work: who is let in, what is staged, and what is kept of an answer.

use std::io;
use std::time::Duration;

use super::request::{Request, Target};
use super::server::{Credentials, Door, Outcome};
use super::{
    Act, Answer, Key, ProjectAction, Refusal, StoreEffect, Watch, act, answer, exec, fault, tls,
};
use crate::lab::StagedFault;
use crate::lab::core::{Core, now};
use crate::lab::k3s::{self, Change, Changed, Cluster, ClusterEffect, ids};

impl Core {
    /// Answers a request, and how much later. What the answer changes is in the log before.
    pub(in crate::lab) fn kubernetes(
        &mut self,
        door: &Door,
        request: &Request,
        credentials: &Credentials,
    ) -> (Outcome, Duration) {
        let mut delay = Duration::ZERO;
        let outcome = self.respond(door, request, credentials, &mut delay);
        (outcome.unwrap_or(Outcome::Cut), delay)
    }

    /// What a watch has to tell; `None` when it ends.
    pub(in crate::lab) fn watched(
        &mut self,
        door: &Door,
        watch: &mut Watch,
    ) -> Option<Vec<serde_json::Value>> {
        if self.broken || self.settle().is_err() {
            return None;
        }
        let cluster = open(self.hosts.clusters.get(&door.cluster), door, now())?;
        Some(watch.events(cluster, now()))
    }

    /// The server that answers at an address, as seen from a host; `None` where none does.
    pub(in crate::lab) fn door(&self, from: &str, address: &str) -> Option<Door> {
        let node = self.hosts.api_host(from, address)?;
        let (id, cluster) = self.hosts.clusters.all.iter().find(|(_, cluster)| {
            cluster.servers_up().any(|server| server.host == node) && cluster.answers(now())
        })?;
        let server = cluster.servers_up().find(|server| server.host == node)?;
        Some(Door { cluster: id.clone(), node: server.name.clone() })
    }

    /// Any server of the newest cluster that answers.
    pub(in crate::lab) fn any_door(&self) -> Option<Door> {
        let answering =
            self.hosts.clusters.all.iter().filter(|(_, cluster)| cluster.answers(now()));
        let (id, cluster) = answering.max_by_key(|(_, cluster)| cluster.born_ms())?;
        let node = cluster.servers_up().next()?.name.clone();
        Some(Door { cluster: id.clone(), node })
    }

    /// `None` when the connection is to be cut.
    fn respond(
        &mut self,
        door: &Door,
        request: &Request,
        credentials: &Credentials,
        delay: &mut Duration,
    ) -> Option<Outcome> {
        if self.broken || self.settle().is_err() {
            return None;
        }
        let now = now();
        let cluster = open(self.hosts.clusters.get(&door.cluster), door, now)?;
        if let Some(answer) = self.supervisor(cluster, request, &credentials.header, now) {
            return self.finish(door, answer, false);
        }
        let hits = self.api.count(request);
        let cluster = self.hosts.clusters.get(&door.cluster)?;
        if !is_known(cluster, credentials, now) {
            return Some(refused(Refusal::unauthorized()));
        }
        for hit in &hits {
            match hit {
                StagedFault::DropBefore => return None,
                StagedFault::Hang => return Some(Outcome::Hangs),
                StagedFault::SlowTask { ms } => *delay = Duration::from_millis(*ms),
                other => {
                    if let Some(refusal) = fault::refusal(other) {
                        return Some(refused(refusal));
                    }
                }
            }
        }
        if hits.contains(&StagedFault::ConcurrentWrite) {
            self.touch(door, request)?;
        }
        if exec::is_asked(request) {
            let cluster = self.hosts.clusters.get(&door.cluster)?;
            return Some(match exec::exec(cluster, &self.desk.world, request) {
                Ok(executed) => Outcome::Executed(Box::new(executed)),
                Err(refusal) => refused(refusal),
            });
        }
        let request = small(request, &hits);
        let answer = answer(self.hosts.clusters.get(&door.cluster)?, &request, now);
        if !answer.effects.is_empty() {
            self.api.wrote(&request);
        }
        self.finish(door, answer, hits.contains(&StagedFault::DropAfter))
    }

    /// Keeps what an answer changes, and lets the rest of the world follow.
    fn finish(&mut self, door: &Door, mut answer: Answer, cut: bool) -> Option<Outcome> {
        let effects = std::mem::take(&mut answer.effects);
        if !effects.is_empty() {
            let record = self.hosts.keep_clusters(effects);
            self.keep_hosts(vec![record]).ok()?;
            self.settle().ok()?;
        }
        tracing::trace!(cluster = door.cluster, status = answer.status, "lab Kubernetes");
        (!cut).then(|| Outcome::Answered(Box::new(answer)))
    }

    /// Does something in a project's own admin UI; the inner error says why not.
    pub(in crate::lab) fn project(
        &mut self,
        namespace: &str,
        action: &ProjectAction,
    ) -> io::Result<Result<(), String>> {
        self.settle()?;
        let mut clusters = self.hosts.clusters.all.values();
        let has = |one: &&Cluster| one.answers(now()) && one.store.namespace(namespace).count() > 0;
        let Some(cluster) = clusters.find(has) else {
            return Ok(Err(format!("no cluster that answers has a namespace {namespace}")));
        };
        match act(cluster, &self.desk.world, namespace, action) {
            Err(why) => return Ok(Err(why)),
            Ok(Act::Volumes(entries)) => {
                entries.iter().for_each(|entry| self.desk.world.apply(entry));
                self.keep(entries)?;
            }
            Ok(Act::Images(requests)) => {
                let id = cluster.id.clone();
                for request in &requests {
                    if let Err(why) = self.send(&id, request)? {
                        return Ok(Err(why));
                    }
                }
                self.settle()?;
                return self.project(namespace, &ProjectAction::Abort);
            }
        }
        self.settle()?;
        Ok(Ok(()))
    }

    /// Carries out a request of somebody inside of a cluster; the inner error is the refusal.
    fn send(&mut self, cluster: &str, request: &Request) -> io::Result<Result<(), String>> {
        let Some(cluster) = self.hosts.clusters.get(cluster) else { return Ok(Ok(())) };
        let answer = answer(cluster, request, now());
        if answer.status >= 300 {
            return Ok(Err(String::from_utf8_lossy(&answer.body).into_owned()));
        }
        if !answer.effects.is_empty() {
            self.api.wrote(request);
            let record = self.hosts.keep_clusters(answer.effects);
            self.keep_hosts(vec![record])?;
        }
        Ok(Ok(()))
    }

    /// Writes the object of a request as somebody else would, changing nothing but its version.
    fn touch(&mut self, door: &Door, request: &Request) -> Option<()> {
        let target = Target::read(&request.path).and_then(Result::ok)?;
        let key = Key::new(&target.group, &target.plural, &target.namespace, &target.name);
        let cluster = self.hosts.clusters.get(&door.cluster)?;
        if let Some(object) = cluster.store.get(&key).cloned() {
            let change = Change(Changed::Object(StoreEffect::Put(key, object)));
            let effect = ClusterEffect::In { cluster: door.cluster.clone(), change };
            let record = self.hosts.keep_clusters(vec![effect]);
            self.keep_hosts(vec![record]).ok()?;
        }
        Some(())
    }

    /// What k3s itself answers at the same port.
    fn supervisor(
        &self,
        cluster: &Cluster,
        request: &Request,
        authorization: &str,
        now: u64,
    ) -> Option<Answer> {
        let path = request.path.as_str();
        if !["/ping", "/cacerts"].contains(&path) && !path.starts_with("/v1-k3s/") {
            return None;
        }
        let pair = basic(authorization);
        let pair = pair.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
        let clusters = &self.hosts.clusters;
        if request.method == "PUT" && path == "/v1-k3s/token" {
            let body = String::from_utf8_lossy(&request.body);
            let (status, text, effects) = k3s::put_token(clusters, &cluster.id, pair, &body, now);
            return Some(Answer::text(status, &text).with(effects));
        }
        let (status, text) = k3s::https(clusters, &cluster.id, path, pair, now);
        Some(Answer::text(status, &text))
    }
}

/// The cluster, while the server behind a door runs and its API answers.
fn open<'a>(cluster: Option<&'a Cluster>, door: &Door, now: u64) -> Option<&'a Cluster> {
    let runs = |cluster: &&Cluster| {
        cluster.answers(now) && cluster.servers_up().any(|server| server.name == door.node)
    };
    cluster.filter(runs)
}

fn refused(refusal: Refusal) -> Outcome {
    Outcome::Answered(Box::new(Answer::from(refusal)))
}

/// Whether the API knows somebody: by certificate, or by the token of a service account.
fn is_known(cluster: &Cluster, credentials: &Credentials, now: u64) -> bool {
    if tls::knows(cluster, &credentials.chain, now) {
        return true;
    }
    let Some(token) = credentials.header.strip_prefix("Bearer ") else { return false };
    let token = ids::base64(token.trim().as_bytes());
    let mut secrets = cluster.store.list("", "secrets");
    secrets.any(|(_, secret)| {
        secret["type"] == "kubernetes.io/service-account-token"
            && secret["data"]["token"] == token.as_str()
    })
}

/// User and password of HTTP's basic authentication.
fn basic(header: &str) -> Option<(String, String)> {
    let text = decoded(header.strip_prefix("Basic ")?.trim())?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Text from standard base 64.
fn decoded(text: &str) -> Option<String> {
    let digit = |letter: u8| match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::new();
    let (mut held, mut count) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        held = (held << 6 | u32::from(digit(letter)?)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(held >> count & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The request with the largest page that a staged fault allows.
fn small(request: &Request, hits: &[StagedFault]) -> Request {
    let size = hits.iter().find_map(|hit| match hit {
        StagedFault::SmallPages { size } => Some(*size),
        _ => None,
    });
    let mut request = request.clone();
    if let Some(size) = size {
        request.query = format!("{}&limit={size}", request.query);
    }
    request
}
