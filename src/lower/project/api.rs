//! api: what phones and browsers talk to.

use serde_json::{Value as Json, json};

use super::container::Container;
use super::environment::{secret, text};
use super::form::Form;
use super::workload::{Strategy, Workload};
use crate::resource::{Address, Resource};
use crate::spec::Component;

/// Its Service.
pub const SERVICE: &str = "api";

/// Its port.
pub const PORT: u16 = 5988;

const NAME: &str = "cht-api";

/// Where releases are found (cht-core, `api/src/services/setup`).
const BUILDS: &str = "https://staging.dev.medicmobile.org/_couch/builds_4";

/// Lowers its Deployment.
pub fn api(form: &Form<'_>, after: &[Address]) -> Resource {
    let container = Container {
        component: Component::Api,
        name: NAME.into(),
        image: form.image("api"),
        variables: variables(form),
        port: Some(PORT),
        mounts: Vec::new(),
    };
    let mut workload = Workload::new(form, NAME, SERVICE, vec![container.manifest(form)]);
    if form.project.is_five() {
        workload.pod.insert("terminationGracePeriodSeconds".into(), json!(0));
    } else {
        workload.strategy = Strategy::OneAtATime;
    }
    workload.resource(form, after)
}

/// How api and sentinel run, where their release wants to be told.
pub fn mode(form: &Form<'_>) -> Vec<Json> {
    match form.is_told() {
        true => {
            vec![text("NODE_ENV", "production"), text("LOG_LEVEL", form.project.log_level.as_str())]
        }
        false => Vec::new(),
    }
}

fn variables(form: &Form<'_>) -> Vec<Json> {
    let mut variables = mode(form);
    variables.extend([text("BUILDS_URL", BUILDS), secret("COUCH_URL")]);
    if form.project.has_upgrade_service() {
        let url = format!("http://{}:5008", form.host("upgrade-service"));
        variables.push(text("UPGRADE_SERVICE_URL", url));
    }
    variables.push(text("API_PORT", PORT.to_string()));
    variables
}
