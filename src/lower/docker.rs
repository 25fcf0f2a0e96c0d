//! Docker Engine, where it runs the containers.

use std::collections::BTreeMap;

use serde_json::json;

use super::host::OnHost;
use crate::resource::{Address, Kind, Resource, Value};
use crate::spec::{Machine, Spec};

/// The address of a machine's Docker. `None` where k3s' own containerd runs the containers.
pub fn address(spec: &Spec, machine: &Machine) -> Option<Address> {
    spec.docker.as_ref().map(|_| Address::of("host/docker", &machine.name))
}

/// Lowers Docker on every machine, where the spec asks for it.
pub fn dockers(spec: &Spec) -> Vec<Resource> {
    let (Some(kind), Some(docker)) = (Kind::named("host/docker"), &spec.docker) else {
        return Vec::new();
    };
    let mut attributes =
        vec![("version", docker.version.value.clone().into()), ("service", "active".into())];
    let mut origins = BTreeMap::from([("version".to_owned(), docker.version.place.clone())]);
    if let Some(mirror) = &docker.mirror {
        attributes.push(("source", json!({ "url": mirror.as_str() }).into()));
        origins.insert("source".into(), mirror.place.clone());
    }
    let attributes: Value = Value::map(attributes);
    spec.all_machines()
        .map(|machine| {
            OnHost {
                kind,
                machine,
                attributes: attributes.clone(),
                after: Vec::new(),
                origin: &docker.place,
                origins: origins.clone(),
            }
            .resource()
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    #[test]
    fn docker_is_wanted_on_all_machines_or_none() {
        assert!(dockers(&spec(&[])).is_empty());
        let edit = "[docker]\nmirror = \"https://m.example.org\"\n[k3s]\nruntime = \"docker\"";
        let dockers = dockers(&spec(&[("[k3s]", edit)]));
        assert_eq!(dockers.len(), 5);
        let expected = json!({
            "version": "24.0.9",
            "service": "active",
            "source": { "url": "https://m.example.org" },
        });
        for docker in dockers {
            let tree = docker.attributes.tree();
            for (key, value) in expected.as_object().unwrap() {
                assert_eq!(&tree[key], value);
            }
        }
    }
}
