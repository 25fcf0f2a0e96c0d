//! ResourceQuotas.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::key::Key;
use super::store::Store;
use super::syntax::quantity;
use super::template::items;

/// Whether the quotas of its namespace have room for a new object.
///
/// # Errors
/// The server's words.
pub(super) fn room(store: &Store, key: &Key, object: &Json) -> Result<(), String> {
    let quotas = store.list_in("", "resourcequotas", &key.namespace);
    for (name, quota) in quotas {
        let scoped =
            quota["spec"].get("scopes").is_some() || quota["spec"].get("scopeSelector").is_some();
        let Some(hard) = quota["spec"]["hard"].as_object().filter(|_| !scoped) else { continue };
        let asked = usage(key, object);
        let missing: Vec<&str> = hard
            .keys()
            .map(String::as_str)
            .filter(|one| needs(key, one) && !asked.contains_key(*one))
            .collect();
        if !missing.is_empty() {
            let missing: Vec<String> =
                missing.iter().map(|one| format!("{one} for: {}", names(object))).collect();
            let why = format!("failed quota: {}: must specify {}", name.name, missing.join("; "));
            return Err(why);
        }
        let used = used(store, key);
        let over = |one: &&String| {
            let (Some(asked), Some(most)) = (asked.get(*one), quantity(&hard[*one])) else {
                return false;
            };
            used.get(*one).copied().unwrap_or(0) + asked > most
        };
        let over: Vec<&String> = hard.keys().filter(over).collect();
        if !over.is_empty() {
            let list = |value: &dyn Fn(&str) -> String| {
                over.iter().map(|one| format!("{one}={}", value(one))).collect::<Vec<_>>().join(",")
            };
            let why = format!(
                "exceeded quota: {}, requested: {}, used: {}, limited: {}",
                name.name,
                list(&|one| amount(one, asked.get(one).copied().unwrap_or(0))),
                list(&|one| amount(one, used.get(one).copied().unwrap_or(0))),
                list(&|one| text(&hard[one])),
            );
            return Err(why);
        }
    }
    Ok(())
}

/// What a quota holds its namespace to, and what is taken of that. Scopes are not looked at.
pub(super) fn status(store: &Store, quota: &Key, object: &Json) -> Json {
    let mut taken: BTreeMap<String, i128> = BTreeMap::new();
    for (key, object) in store.namespace(&quota.namespace).filter(|(_, object)| counts(object)) {
        for (name, amount) in usage(key, object) {
            *taken.entry(name).or_insert(0) += amount;
        }
    }
    let hard = object["spec"]["hard"].as_object().cloned().unwrap_or_default();
    let used = |name: &String| {
        let amount = amount(name, taken.get(name).copied().unwrap_or(0));
        (name.clone(), Json::from(amount))
    };
    let used: Map<String, Json> = hard.keys().map(used).collect();
    json!({"hard": hard, "used": used})
}

/// What an object takes from quotas, by the names that quotas use.
fn usage(key: &Key, object: &Json) -> BTreeMap<String, i128> {
    let mut taken = BTreeMap::new();
    let mut take = |name: String, amount: i128| *taken.entry(name).or_insert(0) += amount;
    take(format!("count/{}", key.resource()), 1_000);
    if key.group.is_empty() {
        take(key.plural.clone(), 1_000);
    }
    match (key.group.as_str(), key.plural.as_str()) {
        ("", "pods") => {
            for container in items(&object["spec"]["containers"]) {
                for part in ["requests", "limits"] {
                    let amounts = container["resources"][part].as_object().into_iter().flatten();
                    for (name, amount) in amounts {
                        let amount = quantity(amount).unwrap_or(0);
                        take(format!("{part}.{name}"), amount);
                        if part == "requests" {
                            take(name.clone(), amount);
                        }
                    }
                }
            }
        }
        ("", "persistentvolumeclaims") => {
            let storage =
                quantity(&object["spec"]["resources"]["requests"]["storage"]).unwrap_or(0);
            take("requests.storage".to_owned(), storage);
            if let Some(class) = object["spec"]["storageClassName"].as_str() {
                let prefix = format!("{class}.storageclass.storage.k8s.io");
                take(format!("{prefix}/requests.storage"), storage);
                take(format!("{prefix}/persistentvolumeclaims"), 1_000);
            }
        }
        ("", "services") => {
            if let Some(kind @ ("LoadBalancer" | "NodePort")) = object["spec"]["type"].as_str() {
                take(format!("services.{}s", kind.to_lowercase()), 1_000);
            }
        }
        _ => {}
    }
    taken
}

/// Whether a pod counts: one that has ended does not.
fn counts(object: &Json) -> bool {
    !matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// Whether pods must say what they take, because a quota counts it.
fn needs(key: &Key, name: &str) -> bool {
    key.plural == "pods"
        && ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]
            .contains(&name)
}

fn names(object: &Json) -> String {
    let names: Vec<&str> =
        items(&object["spec"]["containers"]).filter_map(|one| one["name"].as_str()).collect();
    names.join(",")
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An amount as messages write it.
fn amount(name: &str, thousandths: i128) -> String {
    let bytes = name.ends_with("memory") || name.ends_with("storage");
    let whole = thousandths / 1_000;
    if bytes {
        for (suffix, shift) in [("Gi", 30), ("Mi", 20), ("Ki", 10)] {
            if whole > 0 && whole % (1_i128 << shift) == 0 {
                return format!("{}{suffix}", whole >> shift);
            }
        }
    }
    if thousandths % 1_000 == 0 { whole.to_string() } else { format!("{thousandths}m") }
}

/// What the objects of a key's kind and namespace take together.
fn used(store: &Store, key: &Key) -> BTreeMap<String, i128> {
    let mut sum = BTreeMap::new();
    let objects = store.list_in(&key.group, &key.plural, &key.namespace);
    for (key, object) in objects.filter(|(_, object)| counts(object)) {
        for (name, taken) in usage(key, object) {
            *sum.entry(name).or_insert(0) += taken;
        }
    }
    sum
}
