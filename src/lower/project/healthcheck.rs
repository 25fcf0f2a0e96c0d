//! The check that haproxy asks whether a node of CouchDB is fit: it says no to all of them while
//! one is missing (cht-core, `haproxy-healthcheck/check.py`).

use super::container::Container;
use super::environment::{config, secret};
use super::form::Form;
use super::workload::Workload;
use crate::resource::{Address, Resource};
use crate::spec::Component;

const NAME: &str = "cht-haproxy-healthcheck";

/// Lowers its Deployment.
pub fn healthcheck(form: &Form<'_>, after: &[Address]) -> Resource {
    let container = Container {
        component: Component::Healthcheck,
        name: NAME.into(),
        image: form.image("haproxy-healthcheck"),
        variables: vec![
            secret("COUCHDB_PASSWORD"),
            config("COUCHDB_SERVERS"),
            secret("COUCHDB_USER"),
        ],
        port: Some(5555),
        mounts: Vec::new(),
    };
    let containers = vec![container.manifest(form)];
    Workload::new(form, NAME, "healthcheck", containers).resource(form, after)
}
