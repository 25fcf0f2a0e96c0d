//! The variables of a container, with what they are taken from.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::json::{list, text};
use super::super::mounts;
use super::scene::Scene;
use crate::lab::kubernetes::Key;

/// Values by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment(pub BTreeMap<String, String>);

impl Environment {
    /// As a container has them that starts now. What cannot be had is left out.
    pub(super) fn of(scene: &Scene<'_>, pod: &Json, container: &Json) -> Self {
        let mut all = Self::default();
        let namespace = text(pod, "/metadata/namespace");
        for from in list(container, "/envFrom") {
            for (field, plural) in [("configMapRef", "configmaps"), ("secretRef", "secrets")] {
                let Some(reference) = from.get(field) else { continue };
                let key = Key::new("", plural, namespace, text(reference, "/name"));
                let Some(object) = scene.store.get(&key) else { continue };
                let names = object["data"].as_object().into_iter().flatten();
                all.0
                    .extend(names.filter_map(|(name, _)| {
                        Some((name.clone(), mounts::value(object, name)?))
                    }));
            }
        }
        for variable in list(container, "/env") {
            if let Some(value) = value(scene, pod, variable) {
                all.0.insert(text(variable, "/name").to_owned(), value);
            }
        }
        all
    }

    /// Empty where it is not set.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

fn value(scene: &Scene<'_>, pod: &Json, variable: &Json) -> Option<String> {
    let Some(from) = variable.get("valueFrom") else {
        return Some(text(variable, "/value").to_owned());
    };
    if let Some(path) = from.pointer("/fieldRef/fieldPath").and_then(Json::as_str) {
        return Some(text(pod, &format!("/{}", path.replace('.', "/"))).to_owned());
    }
    let namespace = text(pod, "/metadata/namespace");
    [("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")].iter().find_map(
        |(field, plural)| {
            let reference = from.get(field)?;
            let key = Key::new("", plural, namespace, text(reference, "/name"));
            mounts::value(scene.store.get(&key)?, text(reference, "/key"))
        },
    )
}
