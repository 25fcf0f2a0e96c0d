//! sentinel: what works on new data in the background.

use super::container::Container;
use super::environment::{secret, text};
use super::form::Form;
use super::workload::Workload;
use super::{api, api::PORT};
use crate::resource::{Address, Resource};
use crate::spec::Component;

const NAME: &str = "cht-sentinel";

/// Lowers its Deployment.
pub fn sentinel(form: &Form<'_>, after: &[Address]) -> Resource {
    let mut variables = api::mode(form);
    variables.extend([
        text("API_HOST", form.host(api::SERVICE)),
        secret("COUCH_URL"),
        text("API_PORT", PORT.to_string()),
    ]);
    let container = Container {
        component: Component::Sentinel,
        name: NAME.into(),
        image: form.image("sentinel"),
        variables,
        port: None,
        mounts: Vec::new(),
    };
    let containers = vec![container.manifest(form)];
    Workload::new(form, NAME, "sentinel", containers).resource(form, after)
}
