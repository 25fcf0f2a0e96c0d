//! The upgrade-service of 4.x: on a word from the project's administrators it writes another image
//! into every other Deployment of its namespace. Its own image is boma's.

use serde_json::json;

use super::access;
use super::container::Container;
use super::environment::{field, text};
use super::form::Form;
use super::workload::{Strategy, Workload};
use crate::lower::kubernetes::images;
use crate::resource::{Address, Resource};
use crate::spec::Component;
use crate::spec::releases::UPGRADE_SERVICE;

const NAME: &str = "upgrade-service";

/// Lowers its Deployment. `None` where the project does not upgrade itself.
pub fn upgrade_service(form: &Form<'_>, after: &[Address]) -> Option<Resource> {
    if !form.project.has_upgrade_service() {
        return None;
    }
    let mut before = after.to_vec();
    before.push(access::address(form));
    let (image, tag) = UPGRADE_SERVICE;
    let container = Container {
        component: Component::UpgradeService,
        name: NAME.into(),
        image: images::name(form.spec, image, tag),
        variables: vec![
            field("CHT_NAMESPACE", "metadata.namespace"),
            field("CHT_DEPLOYMENT_NAME", "metadata.labels['cht.service']"),
            text("UPGRADE_SERVICE_PORT", "5008"),
        ],
        port: Some(5008),
        mounts: Vec::new(),
    };
    let mut workload = Workload::new(form, NAME, NAME, vec![container.manifest(form)]);
    workload.strategy = Strategy::OneAtATime;
    workload.upgrades_itself = false;
    workload.pod.insert("serviceAccountName".into(), json!(access::ACCOUNT));
    Some(workload.resource(form, &before))
}
