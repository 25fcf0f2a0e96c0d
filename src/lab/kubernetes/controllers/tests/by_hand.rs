//! What can be changed by hand, and that it is what was told.

use serde_json::{Value as Json, json};

use super::super::by_hand::{Edit, edits};
use super::rig::{Rig, encoded};
use crate::lab::kubernetes::{Key, Request, answer};

impl Rig {
    /// Asks the API; gives the status.
    #[track_caller]
    fn ask(&mut self, request: &Request) -> u16 {
        let answer = answer(self.cluster(), request, self.now_ms);
        answer.effects.iter().for_each(|effect| self.clusters.apply(effect));
        self.settle();
        answer.status
    }

    /// Applies an object as boma does, with its mark.
    #[track_caller]
    fn apply(&mut self, path: &str, mut object: Json) {
        object["metadata"]["annotations"]["boma.dev/address"] = json!("cluster/x");
        let request = Request {
            method: "PATCH".to_owned(),
            path: path.to_owned(),
            query: "fieldManager=boma&force=true&fieldValidation=Strict".to_owned(),
            content_type: "application/apply-patch+yaml".to_owned(),
            user_agent: "boma".to_owned(),
            body: object.to_string().into_bytes(),
            ..Request::default()
        };
        let told = answer(self.cluster(), &request, self.now_ms);
        assert!(told.status < 300, "{}", String::from_utf8_lossy(&told.body));
        told.effects.iter().for_each(|effect| self.clusters.apply(effect));
        self.settle();
    }
}

fn standing() -> Rig {
    let mut rig = Rig::new(false);
    rig.apply(
        "/api/v1/namespaces/default/configmaps/conf",
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"},
            "data": {"a.conf": "x: 1\n", "flag": "true"}}),
    );
    rig.apply(
        "/api/v1/namespaces/default/secrets/secret",
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "secret"},
            "type": "Opaque", "data": {"password": encoded("x")}}),
    );
    rig.apply(
        "/apis/apps/v1/namespaces/default/deployments/shop",
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "shop", "labels": {"app": "shop"}},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "shop"}},
            "template": {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{
                "name": "main", "image": "example.org/main:v1.2.3",
                "env": [{"name": "LEVEL", "value": "5"}],
            }]}},
        }}),
    );
    rig.apply(
        "/apis/storage.k8s.io/v1/storageclasses/fast",
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": "fast",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "csi.vsphere.vmware.com"}),
    );
    rig.apply(
        "/api/v1/nodes/agent-1",
        json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "agent-1", "labels": {"disk": "fast"}}}),
    );
    rig.apply(
        "/apis/networking.k8s.io/v1/namespaces/default/ingresses/entry",
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "entry", "annotations": {"example.org/way": "long"}},
            "spec": {"rules": [{"host": "shop.example.org"}]}}),
    );
    rig
}

/// What stands at a path of a change, as it was told.
fn at(rig: &Rig, edit: &Edit) -> Option<Json> {
    let object = super::super::super::view::object(rig.cluster(), &edit.key, rig.now_ms)?;
    let mut value = (*object).clone();
    let mut rest = edit.told.property.as_str();
    while !rest.is_empty() {
        value = match &value {
            Json::Array(items) => {
                let named = |item: &&Json| {
                    let name = item["name"].as_str().or(item["key"].as_str());
                    name.is_some_and(|name| rest == name || rest.starts_with(&format!("{name}.")))
                };
                let item = items.iter().find(named)?.clone();
                let name = item["name"].as_str().or(item["key"].as_str())?;
                rest = rest[name.len()..].trim_start_matches('.');
                item
            }
            Json::Object(map) => {
                let leads = |key: &&String| rest == *key || rest.starts_with(&format!("{key}."));
                let key = map.keys().filter(leads).max_by_key(|key| key.len())?;
                rest = rest[key.len()..].trim_start_matches('.');
                map[key].clone()
            }
            _ => return None,
        };
    }
    Some(value)
}

#[test]
fn every_change_is_the_one_that_is_told() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let mut rig = standing();
        let all = edits(rig.cluster(), seed, rig.now_ms);
        assert_eq!(all.len(), 6, "one of each that boma has made");
        let edit = all[0].clone();
        let secret = edit.key.plural == "secrets" && edit.told.property.starts_with("data");
        let before = at(&rig, &edit);
        let status = rig.ask(&edit.request);
        assert_eq!(status, 200, "{:?}", edit.told);
        let after = at(&rig, &edit);
        if edit.told.property == "exists" {
            assert!(!rig.has(&edit.key));
        } else if !secret {
            let told = |value: &Json| (!value.is_null()).then(|| value.clone());
            assert_eq!(before, told(&edit.told.before), "{:?}", edit.told);
            assert_eq!(after, told(&edit.told.after), "{:?}", edit.told);
        }
        seen.insert(format!("{} {}", edit.key.plural, edit.told.property));
    }
    assert!(seen.len() > 8, "{seen:?}");
    assert!(seen.contains("ingresses metadata.annotations.example.org/way"), "{seen:?}");
}

#[test]
fn the_same_seed_changes_the_same_things() {
    let told = |seed| -> Vec<_> {
        let rig = standing();
        edits(rig.cluster(), seed, rig.now_ms).into_iter().map(|edit| edit.told).collect()
    };
    assert_eq!(told(3), told(3));
    assert!((0..5).any(|seed| told(seed) != told(3)));
}

#[test]
fn what_others_made_is_left_alone() {
    let rig = Rig::new(false);
    assert!(edits(rig.cluster(), 1, rig.now_ms).is_empty());
    let mut rig = standing();
    let key = Key::new("", "configmaps", "default", "conf");
    rig.edit(&key, |map| map["data"]["other"] = json!("x"));
    for seed in 0..20 {
        let all = edits(rig.cluster(), seed, rig.now_ms);
        assert!(all.iter().all(|edit| edit.told.property != "data.other"));
    }
}
