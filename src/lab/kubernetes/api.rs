//! One request to one cluster.

use super::call::{Answer, Call};
use super::refusal::Refusal;
use super::request::{Request, Target};
use super::{delete, discovery, read, resource, scale, write};
use crate::lab::k3s::Cluster;

/// Answers a request of somebody who may do everything. Nothing has happened yet: the caller
/// carries the answer's effects out before it sends the answer.
pub(in crate::lab) fn answer(cluster: &Cluster, request: &Request, now_ms: u64) -> Answer {
    respond(cluster, request, now_ms).unwrap_or_else(Answer::from)
}

fn respond(cluster: &Cluster, request: &Request, now_ms: u64) -> Result<Answer, Refusal> {
    if let Some(answer) = discovery::answer(cluster, request) {
        return answer;
    }
    let target = Target::read(&request.path).ok_or_else(Refusal::no_resource)??;
    let resource = resource::find(&cluster.store, &target.group, &target.version, &target.plural)
        .ok_or_else(Refusal::no_resource)?;
    if !target.subresource.is_empty() && !resource.has(&target.subresource)
        || !resource.namespaced && !target.namespace.is_empty()
    {
        return Err(Refusal::no_resource());
    }
    let nowhere = resource.namespaced && target.namespace.is_empty();
    let verb = request.verb(&target);
    let call = Call::new(cluster, request, target, resource, now_ms);
    match (call.target.subresource.as_str(), verb) {
        ("scale", "get" | "update" | "patch") => scale::answer(&call),
        ("eviction", "create") => delete::evict(&call),
        ("", "list") => read::list(&call),
        ("", "watch") => read::watch(&call),
        (_, "get") if !nowhere => read::get(&call),
        ("", "create") if call.target.name.is_empty() && !nowhere => write::create(&call),
        ("" | "status" | "finalize", "update") if !nowhere => write::update(&call),
        ("" | "status", "patch") if !nowhere && !call.target.name.is_empty() => write::patch(&call),
        ("", "delete") if !nowhere => delete::delete(&call),
        ("", "deletecollection") if !nowhere => delete::collection(&call),
        _ => Err(Refusal::no_method()),
    }
}
