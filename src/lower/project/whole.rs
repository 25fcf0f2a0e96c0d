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

/// Each comes after all that came before, and not only after the last: of what is changed later
/// some may stay as it is, and the rest keeps its order.
fn workloads(form: &Form<'_>) -> Vec<Resource> {
    let mut workloads = couchdb::couchdb(form, &foundations(form));
    let mut before = vec![credentials::address(form), config::address(form)];
    before.extend(limits::address(form));
    let begun = |workloads: &[Resource]| {
        let after = workloads.iter().map(|workload| workload.address.clone());
        before.iter().cloned().chain(after).collect::<Vec<_>>()
    };
    workloads.push(healthcheck::healthcheck(form, &begun(&workloads)));
    workloads.push(haproxy::haproxy(form, &begun(&workloads)));
    workloads.push(api::api(form, &begun(&workloads)));
    workloads.push(sentinel::sentinel(form, &begun(&workloads)));
    workloads.extend(upgrade_service::upgrade_service(form, &begun(&workloads)));
    let last = workloads.last().map(|last| last.address.clone());
    workloads.push(ingress::ingress(form, last.as_slice()));
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
