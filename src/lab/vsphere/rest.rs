//! The REST calls of the guide: a session, machines, datacenters, clusters, storage policies.
//!
//! Both forms that vCenter 7 has: `/rest`, whose answers stand in `value`, and `/api`, whose do
//! not.

use serde_json::{Value, json};

use crate::lab::StagedFault;

use super::dispatch::{Desk, Reply};
use super::machine::{Machine, decode};
use super::permission::holds;
use super::policy;
use super::rest_machine;
use super::session;
use super::world::{Effect, Entity, ROOT, Session, World};

/// What counts of a REST request.
pub(in crate::lab) struct RestRequest<'a> {
    pub method: &'a str,
    /// With `/api` or `/rest` in front.
    pub path: &'a str,
    /// What follows `?`.
    pub query: &'a str,
    /// The header of that name.
    pub authorization: Option<&'a str>,
    /// The header `vmware-api-session-id`.
    pub session: Option<&'a str>,
    pub agent: &'a str,
}

/// Which of the two forms a request has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Rest,
    Api,
}

/// HTTP status, body, effects.
type Outcome = (u16, Value, Vec<Effect>);

impl Desk {
    /// Answers one REST request. Its sessions are the same as those of SOAP.
    pub(in crate::lab) fn rest(&mut self, request: &RestRequest<'_>, now: u64) -> Reply {
        let reply = Reply { entries: self.settle(now), ..Reply::default() };
        let form = if request.path.starts_with("/api/") { Form::Api } else { Form::Rest };
        let (hits, mut reply) = match self.count(&name(request, form), reply) {
            Ok(counted) => counted,
            Err(reply) => return reply,
        };
        if hits.has(&StagedFault::ExpireSession) {
            let expired = self.session(request.session).map(|session| session.key.clone());
            if let Some(key) = expired {
                self.forget(&key);
                self.keep(vec![Effect::Logout(key)], &mut reply.entries);
            }
        }
        let Some((status, body, effects)) = self.route(request, form, now) else {
            return reply.unavailable();
        };
        self.keep(effects, &mut reply.entries);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Reply { status, body, cut: hits.has(&StagedFault::DropAfter), ..reply }
    }

    /// `None` when there are too many sessions.
    fn route(&mut self, request: &RestRequest<'_>, form: Form, now: u64) -> Option<Outcome> {
        let path = resource(request.path);
        let login = path == form.session_path();
        if login && request.method == "POST" {
            return self.log_in(request, form, now);
        }
        let Some(session) = self.session(request.session).cloned() else {
            return Some(form.unauthenticated());
        };
        self.active.insert(session.key.clone(), now);
        Some(match (request.method, path) {
            ("DELETE", _) if login => {
                self.forget(&session.key);
                let status = if form == Form::Api { 204 } else { 200 };
                (status, Value::Null, vec![Effect::Logout(session.key)])
            }
            ("GET", "/vcenter/storage/policies") => {
                let own = policy::listed(&self.world, &self.policies);
                policies(&self.world, &session, form, own)
            }
            ("GET", path) => get(&self.world, &session, form, path, request.query),
            _ => form.failure(404, "not_found", "The requested resource could not be found."),
        })
    }

    fn log_in(&mut self, request: &RestRequest<'_>, form: Form, now: u64) -> Option<Outcome> {
        let credentials = request.authorization.and_then(|header| header.strip_prefix("Basic "));
        let credentials = credentials.and_then(decode).unwrap_or_default();
        let Some((user, password)) = credentials.split_once(':') else {
            return Some(form.unauthenticated());
        };
        match self.open(user, password, request.agent, now) {
            Ok(session) => {
                let id = json!(session.cookie);
                let status = if form == Form::Api { 201 } else { 200 };
                Some((status, form.value(id), vec![Effect::Login(session)]))
            }
            Err(fault) if fault.kind == session::TOO_MANY => None,
            Err(_) => Some(form.unauthenticated()),
        }
    }
}

impl Form {
    fn session_path(self) -> &'static str {
        match self {
            Self::Rest => "/com/vmware/cis/session",
            Self::Api => "/session",
        }
    }

    fn value(self, value: Value) -> Value {
        match self {
            Self::Rest => json!({ "value": value }),
            Self::Api => value,
        }
    }

    fn unauthenticated(self) -> Outcome {
        self.failure(401, "unauthenticated", "Authentication required.")
    }

    /// An error as each form writes it.
    fn failure(self, status: u16, kind: &str, message: &str) -> Outcome {
        let messages = json!([{
            "args": [],
            "default_message": message,
            "id": format!("com.vmware.vapi.std.errors.{kind}"),
        }]);
        let body = match self {
            Self::Rest => json!({
                "type": format!("com.vmware.vapi.std.errors.{kind}"),
                "value": { "messages": messages },
            }),
            Self::Api => json!({ "error_type": kind.to_uppercase(), "messages": messages }),
        };
        (status, body, Vec::new())
    }
}

/// The request's name for counting: `GET /api/vcenter/vm/{vm}`.
fn name(request: &RestRequest<'_>, form: Form) -> String {
    let path = resource(request.path);
    let path = if path.starts_with("/vcenter/vm/") { "/vcenter/vm/{vm}" } else { path };
    let prefix = if form == Form::Api { "/api" } else { "/rest" };
    format!("{} {prefix}{path}", request.method)
}

/// The path without its form.
fn resource(path: &str) -> &str {
    path.strip_prefix("/api").or_else(|| path.strip_prefix("/rest")).unwrap_or(path)
}

fn policies(world: &World, session: &Session, form: Form, all: Value) -> Outcome {
    if !holds(world, &session.principal, ROOT, policy::PRIVILEGE) {
        let message = "Permission to perform this operation was denied.";
        return form.failure(403, "unauthorized", message);
    }
    (200, form.value(all), Vec::new())
}

fn get(world: &World, session: &Session, form: Form, path: &str, query: &str) -> Outcome {
    let found = |value: Value| (200, form.value(value), Vec::new());
    let readable = |entity: &&Entity| holds(world, &session.principal, &entity.id, "System.Read");
    let listed = |class: &str, one: fn(&Entity) -> Value| {
        let entities = world.of_class(class).filter(readable);
        found(Value::Array(entities.map(one).collect()))
    };
    match path {
        "/vcenter/datacenter" => {
            listed("Datacenter", |entity| json!({ "datacenter": entity.id, "name": entity.name }))
        }
        "/vcenter/cluster" => listed(
            "ClusterComputeResource",
            |entity| json!({ "cluster": entity.id, "name": entity.name, "ha_enabled": true, "drs_enabled": true }),
        ),
        "/vcenter/vm" => {
            let wanted = names(query);
            let machines = world.of_class("VirtualMachine").filter(readable);
            let machines =
                machines.filter(|entity| wanted.is_empty() || wanted.contains(&entity.name));
            let machines: Vec<Value> = machines.filter_map(rest_machine::summary).collect();
            if machines.len() > LISTED_MAX {
                let message = "More than 4000 virtual machines match the filter.";
                return form.failure(500, "unable_to_allocate_resource", message);
            }
            found(Value::Array(machines))
        }
        _ => match path.strip_prefix("/vcenter/vm/") {
            Some(id) => one(world, session, form, id),
            None => form.failure(404, "not_found", "The requested resource could not be found."),
        },
    }
}

/// The most machines in one answer; vCenter's own limit.
const LISTED_MAX: usize = 4000;

fn one(world: &World, session: &Session, form: Form, id: &str) -> Outcome {
    let entity = world.get(id).filter(|entity| entity.machine().is_some());
    let machine: Option<(&Entity, &Machine)> =
        entity.and_then(|entity| Some((entity, entity.machine()?)));
    let Some((entity, machine)) = machine else {
        let message = format!("Virtual machine with identifier '{id}' does not exist.");
        return form.failure(404, "not_found", &message);
    };
    if !holds(world, &session.principal, id, "System.Read") {
        let message = "Permission to perform this operation was denied.";
        return form.failure(403, "unauthorized", message);
    }
    let lists = form == Form::Rest;
    (200, form.value(rest_machine::info(entity, machine, lists)), Vec::new())
}

/// The names that a query filters by: `names=a&names=b`, or `filter.names=…` of the older form.
fn names(query: &str) -> Vec<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let wanted =
        pairs.filter(|(key, _)| matches!(key.trim_end_matches(".1"), "names" | "filter.names"));
    wanted.map(|(_, value)| unescape(value)).collect()
}

/// `%20` and `+` as a query writes them.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let hex = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
