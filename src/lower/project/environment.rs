//! Variables of containers.

use serde_json::{Value as Json, json};

use super::{config, credentials};

/// A variable with a value.
pub fn text(name: &str, value: impl Into<String>) -> Json {
    json!({ "name": name, "value": value.into() })
}

/// A variable of the project's Secret, under its own name.
pub fn secret(name: &str) -> Json {
    let from = json!({ "name": credentials::NAME, "key": name });
    json!({ "name": name, "valueFrom": { "secretKeyRef": from } })
}

/// A variable of the project's ConfigMap, under its own name.
pub fn config(name: &str) -> Json {
    let from = json!({ "name": config::NAME, "key": name });
    json!({ "name": name, "valueFrom": { "configMapKeyRef": from } })
}

/// A variable with what the pod itself says. The version is the one the API would fill in: the
/// whole value has one owner, so it must be told as it is stored.
pub fn field(name: &str, path: &str) -> Json {
    let from = json!({ "apiVersion": "v1", "fieldPath": path });
    json!({ "name": name, "valueFrom": { "fieldRef": from } })
}
