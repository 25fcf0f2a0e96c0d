//! haproxy: what all of the project reaches CouchDB by.

use serde_json::json;

use super::container::Container;
use super::environment::{config, secret, text};
use super::form::Form;
use super::workload::Workload;
use crate::resource::{Address, Resource};
use crate::spec::Component;

const NAME: &str = "cht-haproxy";

/// Lowers its Deployment.
pub fn haproxy(form: &Form<'_>, after: &[Address]) -> Resource {
    let container = Container {
        component: Component::Haproxy,
        name: NAME.into(),
        image: form.image("haproxy"),
        variables: vec![
            secret("COUCHDB_PASSWORD"),
            config("COUCHDB_SERVERS"),
            secret("COUCHDB_USER"),
            text("HAPROXY_IP", "0.0.0.0"),
            text("HAPROXY_PORT", "5984"),
            text("HEALTHCHECK_ADDR", form.host("healthcheck")),
        ],
        port: Some(5984),
        mounts: Vec::new(),
    };
    let mut workload = Workload::new(form, NAME, "haproxy", vec![container.manifest(form)]);
    workload.pod.insert("hostname".into(), json!("haproxy"));
    if form.project.is_five() {
        workload.pod.insert("terminationGracePeriodSeconds".into(), json!(0));
    }
    workload.resource(form, after)
}
