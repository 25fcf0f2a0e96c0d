//! From objects of a cluster to addresses and attributes.

use serde_json::Value as Json;

use crate::lab::Drifted;
use crate::plan::Desired;
use crate::render::json::LabDriftedJson;

/// What somebody changed in the cluster. `None` for what is none of the resources.
pub fn translate(desired: &Desired, one: &Drifted) -> Option<LabDriftedJson> {
    let mut words = one.name.splitn(3, ' ');
    let (api, kind, place) = (words.next()?, words.next()?, words.next()?);
    let (namespace, name) = match place.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, place),
    };
    let is = |place: &Json| {
        let has = |key: &str, value: Option<&str>| place[key].as_str() == value;
        has("api", Some(api))
            && has("kind", Some(kind))
            && has("namespace", namespace)
            && has("name", Some(name))
    };
    let resource = desired.resources.values().find(|resource| is(&resource.place.tree()))?;
    Some(LabDriftedJson {
        address: resource.address.to_string(),
        attribute: attribute(kind, &one.property).to_owned(),
        before: one.before.clone(),
        after: one.after.clone(),
    })
}

/// Labels and annotations stand at the top of a resource, and so do a node's taints.
fn attribute<'a>(kind: &str, property: &'a str) -> &'a str {
    let taints = property.strip_prefix("spec.").filter(|_| kind == "Node");
    property.strip_prefix("metadata.").or(taints).unwrap_or(property)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_in_the_form_of_the_resource() {
        for (kind, property, expected) in [
            ("Node", "spec.taints.a/b", "taints.a/b"),
            ("Node", "metadata.labels.a/b", "labels.a/b"),
            ("Deployment", "spec.replicas", "spec.replicas"),
            ("ConfigMap", "data.vsphere.conf", "data.vsphere.conf"),
            ("Service", "exists", "exists"),
        ] {
            assert_eq!(attribute(kind, property), expected);
        }
    }
}
