//! Upgrades that are begun in CHT's own admin UI, and the upgrade-service that ends them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::super::json::{list, text};
use super::super::pod;
use super::couchdb;
use super::image;
use super::scene::Scene;
use crate::lab::k3s::Cluster;
use crate::lab::kubernetes::{Key, Request};
use crate::lab::vsphere::{Entry, World};

/// What somebody does in a project's own admin UI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectAction {
    /// An upgrade to a release begins: it stages and indexes until it is ended.
    Stage {
        /// `4.22.0`
        release: String,
    },
    /// The upgrade is given up.
    Abort,
    /// The upgrade-service sets the images of a release: the last step of an upgrade.
    Complete {
        /// `4.22.0`
        release: String,
    },
}

/// What an action does.
pub(in crate::lab) enum Act {
    Volumes(Vec<Entry>),
    /// Images to set, by Deployment; then the upgrade is over.
    Images(Vec<Request>),
}

/// Container names that the upgrade-service knows, up to a number (facts C5).
const KNOWN: [&str; 5] =
    ["cht-api", "cht-sentinel", "cht-haproxy", "cht-haproxy-healthcheck", "cht-couchdb"];

/// Does something in the project of a namespace. Nothing has happened yet.
///
/// # Errors
/// What the program says.
pub(in crate::lab) fn act(
    cluster: &Cluster,
    world: &World,
    namespace: &str,
    action: &ProjectAction,
) -> Result<Act, String> {
    let scene = Scene::new(cluster, world);
    match action {
        ProjectAction::Stage { release } => set(&scene, namespace, Some(release)),
        ProjectAction::Abort => set(&scene, namespace, None),
        ProjectAction::Complete { release } => images(cluster, namespace, release),
    }
}

fn set(scene: &Scene<'_>, namespace: &str, upgrade: Option<&String>) -> Result<Act, String> {
    let mut nodes = couchdb::nodes(scene, namespace);
    if nodes.is_empty() {
        return Err(format!("no CouchDB runs in {namespace}"));
    }
    nodes.iter_mut().for_each(|node| node.database.upgrade = upgrade.cloned());
    Ok(Act::Volumes(nodes.iter().filter_map(|node| couchdb::keep(scene, node)).collect()))
}

/// PUTs of whole Deployments, as the upgrade-service makes them: without a field manager, so that
/// its program's name stands for one.
fn images(cluster: &Cluster, namespace: &str, release: &str) -> Result<Act, String> {
    let pods = || cluster.store.list_in("", "pods", namespace).map(|(_, pod)| pod);
    if pods().any(|pod| !pod::is_ready(pod)) {
        return Err("Can't upgrade right now. One or more pods are not running.".to_owned());
    }
    let deployments = cluster.store.list_in("apps", "deployments", namespace);
    let requests: Vec<Request> = deployments
        .filter_map(|(key, object)| {
            let mut object = (**object).clone();
            renewed(&mut object, release).then(|| put(key, &object))
        })
        .collect();
    if requests.is_empty() {
        Err("Upgrade version not found".to_owned())
    } else {
        Ok(Act::Images(requests))
    }
}

/// Sets the images of the containers that the upgrade-service knows. Whether there are any.
fn renewed(deployment: &mut Json, release: &str) -> bool {
    let mut any = false;
    let containers = deployment.pointer_mut("/spec/template/spec/containers");
    for container in containers.and_then(Json::as_array_mut).into_iter().flatten() {
        let name = text(container, "/name").to_owned();
        let own = text(container, "/image").to_owned();
        let known = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let known = if known == name { known } else { known.trim_end_matches('-') };
        if KNOWN.contains(&known) && image::tag(&own) != release {
            let tag = image::tag(&own).len();
            let base = own.get(..own.len() - tag).unwrap_or_default().trim_end_matches(':');
            container["image"] = json!(format!("{base}:{release}"));
            any = true;
        }
    }
    any
}

fn put(key: &Key, object: &Json) -> Request {
    Request {
        method: "PUT".to_owned(),
        path: format!("/apis/apps/v1/namespaces/{}/deployments/{}", key.namespace, key.name),
        content_type: "application/json".to_owned(),
        accept: "application/json".to_owned(),
        user_agent: "upgrade-service".to_owned(),
        body: object.to_string().into_bytes(),
        ..Request::default()
    }
}

/// The upgrade-service's own Deployment, as the chart calls it.
pub(in crate::lab::kubernetes::controllers) const UPGRADE_SERVICE: &str = "upgrade-service";

/// Namespaces in which the upgrade-service sets images.
pub(in crate::lab::kubernetes::controllers) fn upgrading(cluster: &Cluster) -> BTreeSet<String> {
    let own = |deployment: &Json| {
        let containers = list(deployment, "/spec/template/spec/containers");
        containers.iter().any(|one| image::service(text(one, "/image")) == Some(UPGRADE_SERVICE))
    };
    let all = cluster.store.list("apps", "deployments");
    all.filter(|(_, object)| own(object)).map(|(key, _)| key.namespace.clone()).collect()
}
