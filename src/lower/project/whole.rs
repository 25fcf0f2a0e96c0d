//! All projects.

use super::form::Form;
use super::{
    access, api, claim, config, couchdb, credentials, haproxy, healthcheck, ingress, limits,
    namespace, network_policy, sentinel, service, upgrade_service,
};
use crate::resource::{Address, Resource};
use crate::spec::Spec;

/// Lowers every project of the spec.
pub fn projects(spec: &Spec) -> Vec<Resource> {
    spec.projects.iter().flat_map(|project| objects(&Form::of(spec, project))).collect()
}

/// The objects of one project. Edges are the order in which a project comes up: what all pods
/// need, CouchDB's first node, the others, and then each part after the one it talks to.
fn objects(form: &Form<'_>) -> Vec<Resource> {
    let mut objects = vec![namespace::namespace(form), credentials::credentials(form)];
    objects.push(config::config(form));
    objects.extend(access::access(form));
    objects.extend(claim::claims(form));
    objects.extend(service::services(form));
    objects.extend(limits::limits(form));
    objects.extend(network_policy::network_policy(form));
    objects.extend(workloads(form));
    objects
}

fn workloads(form: &Form<'_>) -> Vec<Resource> {
    let mut workloads = couchdb::couchdb(form, &foundations(form));
    workloads.push(healthcheck::healthcheck(form, &last_members(form)));
    workloads.push(haproxy::haproxy(form, &[healthcheck::address(form)]));
    workloads.push(api::api(form, &[haproxy::address(form)]));
    workloads.push(sentinel::sentinel(form, &[api::address(form)]));
    let before = [sentinel::address(form), access::address(form)];
    let upgrades = upgrade_service::upgrade_service(form, &before);
    let last = match &upgrades {
        Some(_) => upgrade_service::address(form),
        None => sentinel::address(form),
    };
    workloads.extend(upgrades);
    workloads.push(ingress::ingress(form, &[last]));
    workloads
}

/// What stands before the first pod.
fn foundations(form: &Form<'_>) -> Vec<Address> {
    let mut foundations = vec![credentials::address(form), config::address(form)];
    foundations.extend(service::addresses(form));
    foundations.extend(limits::address(form));
    foundations.extend(network_policy::address(form));
    foundations
}

/// The nodes that complete CouchDB.
fn last_members(form: &Form<'_>) -> Vec<Address> {
    let members = form.members();
    let alone = members.len() == 1;
    let others = members.iter().filter(|member| alone || !member.is_first());
    others.map(|member| couchdb::address(form, member)).collect()
}
