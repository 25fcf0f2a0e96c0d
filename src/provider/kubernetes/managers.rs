//! Who else owns what of an object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::fields::{MANAGER, item_keys};
use super::place::Place;
use super::shape::is_own;

/// The highest paths that are wholly others', with their names: `{"spec.replicas":
/// "kubectl-edit"}`. What boma owns too counts as theirs; what two of them own has both names.
/// Status is left out, and of the metadata all but labels and annotations.
pub fn others(place: &Place, live: &Json) -> Map<String, Json> {
    let mut claims = Claims::default();
    for entry in live["metadata"]["managedFields"].as_array().into_iter().flatten() {
        // `kubectl scale` writes a field of the object itself.
        let own = entry["subresource"].is_null() || entry["subresource"] == "scale";
        let manager = entry["manager"].as_str().filter(|_| own);
        for (name, fields) in lifted(place, &entry["fieldsV1"]) {
            if let Some(manager) = manager {
                claims.below.entry(name).or_default().add(fields, manager);
            }
        }
    }
    let mut found = Map::new();
    for (name, claims) in &claims.below {
        claims.tell(name, &mut found);
    }
    found
}

/// The program that says how many replicas a workload has, through the API's own way for that:
/// `kube-controller-manager`, or `k3s`, where a HorizontalPodAutoscaler does. `None` where none does;
/// `kubectl scale` goes the same way, and is a person.
pub fn scaler(live: &Json) -> Option<&str> {
    let mut entries = live["metadata"]["managedFields"].as_array()?.iter();
    let scales = |entry: &&Json| {
        entry["subresource"] == "scale" && entry["fieldsV1"]["f:spec"]["f:replicas"].is_object()
    };
    let managers = entries.by_ref().filter(scales).filter_map(|entry| entry["manager"].as_str());
    managers.into_iter().find(|manager| !manager.starts_with("kubectl"))
}

/// The fields that are attributes, by the attribute's name.
fn lifted<'a>(place: &Place, fields: &'a Json) -> Vec<(String, &'a Json)> {
    let mut lifted = Vec::new();
    for key in ["labels", "annotations"] {
        let fields = &fields["f:metadata"][format!("f:{key}")];
        lifted.extend(fields.is_object().then(|| (key.to_owned(), fields)));
    }
    if place.is_node() {
        let taints = &fields["f:spec"]["f:taints"];
        lifted.extend(taints.is_object().then(|| ("taints".to_owned(), taints)));
        return lifted;
    }
    for (name, fields) in fields.as_object().into_iter().flatten() {
        match name.strip_prefix("f:") {
            None | Some("apiVersion" | "kind" | "metadata" | "status") => {}
            Some(name) => lifted.push((name.to_owned(), fields)),
        }
    }
    lifted
}

/// A field, who owns it, and what is below it.
#[derive(Default)]
struct Claims<'a> {
    owners: BTreeSet<&'a str>,
    below: BTreeMap<String, Claims<'a>>,
}

impl<'a> Claims<'a> {
    fn add(&mut self, fields: &'a Json, manager: &'a str) {
        let below = fields.as_object().into_iter().flatten().filter(|(name, _)| *name != ".");
        if below.clone().next().is_none() {
            self.owners.insert(manager);
        }
        for (name, fields) in below {
            self.below.entry(segment(name)).or_default().add(fields, manager);
        }
    }

    /// Writes down the highest paths from here that are wholly others'.
    fn tell(&self, path: &str, found: &mut Map<String, Json>) {
        if let Some(owners) = self.common().filter(|owners| !owners.is_empty()) {
            let names: Vec<&str> = owners.into_iter().collect();
            found.insert(path.to_owned(), names.join(", ").into());
            return;
        }
        for (name, claims) in self.below.iter().filter(|(name, _)| !is_own(name)) {
            claims.tell(&format!("{path}.{name}"), found);
        }
    }

    /// The others that own everything from here on. `None` where that differs from field to field.
    fn common(&self) -> Option<BTreeSet<&'a str>> {
        let mut all = self.below.values().map(Self::common);
        let own = (!self.owners.is_empty() || self.below.is_empty()).then(|| self.others());
        let first = match own {
            Some(own) => own,
            None => all.next()??,
        };
        all.all(|other| other.as_ref() == Some(&first)).then_some(first)
    }

    fn others(&self) -> BTreeSet<&'a str> {
        self.owners.iter().copied().filter(|owner| *owner != MANAGER).collect()
    }
}

/// A part of a path: an item of a list is named by the value of its first key.
fn segment(name: &str) -> String {
    let key = item_keys(name).and_then(|keys| keys.into_iter().next());
    match (key, name.split_once(':')) {
        (Some((_, value)), _) => text(&value),
        (None, Some(("v", value))) => {
            serde_json::from_str(value).map_or_else(|_| value.to_owned(), |value| text(&value))
        }
        (None, Some((_, rest))) => rest.to_owned(),
        (None, None) => name.to_owned(),
    }
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::kubernetes::testing::place;

    fn check(entries: &[(&str, Json)], expected: Json) {
        let entry =
            |(manager, fields): &(&str, Json)| json!({"manager": manager, "fieldsV1": fields});
        let entries: Vec<Json> = entries.iter().map(entry).collect();
        let live = json!({"metadata": {"managedFields": entries}});
        assert_eq!(Json::Object(others(&place("Deployment", "x"), &live)), expected);
    }

    fn containers(image: Json) -> Json {
        json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"x\"}": image}}}}})
    }

    #[test]
    fn the_highest_path_that_is_wholly_anothers_is_told() {
        let boma = json!({"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:paused": {}}});
        check(
            &[("boma", boma), ("kubectl-edit", json!({"f:spec": {"f:replicas": {}}}))],
            json!({"spec.replicas": "kubectl-edit"}),
        );
        check(
            &[
                ("boma", containers(json!({".": {}, "f:name": {}, "f:env": {}}))),
                ("upgrade", containers(json!({"f:image": {}}))),
            ],
            json!({"spec.template.spec.containers.x.image": "upgrade"}),
        );
        check(
            &[(
                "helm",
                json!({"f:spec": {"f:replicas": {}, "f:paused": {}}, "f:status": {"f:x": {}}}),
            )],
            json!({"spec": "helm"}),
        );
    }

    #[test]
    fn what_is_boma_s_too_is_still_anothers() {
        let both = json!({"f:spec": {"f:replicas": {}}});
        check(&[("boma", both.clone()), ("helm", both.clone())], json!({"spec": "helm"}));
        check(&[("helm", both.clone()), ("kubectl", both)], json!({"spec": "helm, kubectl"}));
    }

    #[test]
    fn who_scales_is_told_and_who_writes_the_status_is_not() {
        let entry = |subresource: &str, fields: Json| json!({"manager": "kubectl", "subresource": subresource, "fieldsV1": fields});
        let entries = [
            entry("scale", json!({"f:spec": {"f:replicas": {}}})),
            entry("status", json!({"f:spec": {"f:paused": {}}})),
        ];
        let live = json!({"metadata": {"managedFields": entries}});
        let found = Json::Object(others(&place("Deployment", "x"), &live));
        assert_eq!(found, json!({"spec": "kubectl"}));
    }

    #[test]
    fn items_are_told_by_their_key() {
        let ports = json!({"f:spec": {"f:ports": {
            "k:{\"port\":80,\"protocol\":\"TCP\"}": {"f:name": {}}}}});
        let other = json!({"f:spec": {"f:ports": {
            "k:{\"port\":81,\"protocol\":\"TCP\"}": {"f:name": {}}}}});
        check(&[("a", ports), ("boma", other)], json!({"spec.ports.80": "a"}));
    }

    #[test]
    fn bookkeeping_is_nobodys_claim_but_keeps_the_rest_apart() {
        let annotations = |names: &[&str]| {
            let names = names.iter().map(|name| (format!("f:{name}"), json!({})));
            json!({"f:metadata": {"f:annotations": Json::Object(names.collect())}})
        };
        let kubectl = annotations(&["kubectl.kubernetes.io/last-applied-configuration", "team"]);
        let boma = annotations(&["boma.dev/lineage"]);
        check(&[("kubectl", kubectl), ("boma", boma)], json!({"annotations.team": "kubectl"}));
    }
}
