//! What the server says instead of an object: `Status`.

use serde_json::{Value as Json, json};

use super::key::Key;

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::lab) struct Refusal {
    pub code: u16,
    /// Empty where the server gives none.
    pub reason: &'static str,
    pub message: String,
    pub details: Json,
    /// Seconds until the client may come again.
    pub retry_after: Option<u64>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub field: String,
    kind: &'static str,
    text: String,
}

impl Problem {
    pub(super) fn required(field: impl Into<String>) -> Self {
        Self::new(field, "FieldValueRequired", "Required value".to_owned())
    }

    pub(super) fn invalid(field: impl Into<String>, value: &Json, why: &str) -> Self {
        Self::new(field, "FieldValueInvalid", format!("Invalid value: {}: {why}", shown(value)))
    }

    pub(super) fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self::new(field, "FieldValueForbidden", format!("Forbidden: {why}"))
    }

    pub(super) fn duplicate(field: impl Into<String>, value: &Json) -> Self {
        Self::new(field, "FieldValueDuplicate", format!("Duplicate value: {}", shown(value)))
    }

    pub(super) fn unsupported(field: impl Into<String>, value: &Json, known: &[&str]) -> Self {
        let known: Vec<String> = known.iter().map(|one| format!("\"{one}\"")).collect();
        let text =
            format!("Unsupported value: {}: supported values: {}", shown(value), known.join(", "));
        Self::new(field, "FieldValueNotSupported", text)
    }

    pub(super) fn not_found(field: impl Into<String>, value: &Json) -> Self {
        Self::new(field, "FieldValueNotFound", format!("Not found: {}", shown(value)))
    }

    fn new(field: impl Into<String>, kind: &'static str, text: String) -> Self {
        Self { field: field.into(), kind, text }
    }

    fn line(&self) -> String {
        format!("{}: {}", self.field, self.text)
    }
}

fn shown(value: &Json) -> String {
    value.to_string()
}

impl Refusal {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: json!({}), retry_after: None }
    }

    fn of(key: &Key, code: u16, reason: &'static str, message: String) -> Self {
        let mut details = json!({"name": key.name, "kind": key.plural});
        if !key.group.is_empty() {
            details["group"] = json!(key.group);
        }
        Self { details, ..Self::new(code, reason, message) }
    }

    pub(super) fn not_found(key: &Key) -> Self {
        let message = format!("{} \"{}\" not found", key.resource(), key.name);
        Self::of(key, 404, "NotFound", message)
    }

    /// No such path.
    pub(super) fn no_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    pub(super) fn already_exists(key: &Key) -> Self {
        let message = format!("{} \"{}\" already exists", key.resource(), key.name);
        Self::of(key, 409, "AlreadyExists", message)
    }

    pub(super) fn conflict(key: &Key, why: &str) -> Self {
        let message =
            format!("Operation cannot be fulfilled on {} \"{}\": {why}", key.resource(), key.name);
        Self::of(key, 409, "Conflict", message)
    }

    /// Somebody else has written the object since it was read.
    pub(super) fn modified(key: &Key) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(key, why)
    }

    pub(super) fn forbidden(key: &Key, why: &str) -> Self {
        let message = format!("{} \"{}\" is forbidden: {why}", key.resource(), key.name);
        Self::of(key, 403, "Forbidden", message)
    }

    /// Validation's objections.
    pub(super) fn invalid(group: &str, kind: &str, name: &str, problems: &[Problem]) -> Self {
        let lines: Vec<String> = problems.iter().map(Problem::line).collect();
        let said = if let [one] = lines.as_slice() {
            one.clone()
        } else {
            format!("[{}]", lines.join(", "))
        };
        let subject = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let causes: Vec<Json> = problems
            .iter()
            .map(|one| json!({"reason": one.kind, "message": one.text, "field": one.field}))
            .collect();
        let details = json!({"name": name, "group": group, "kind": kind, "causes": causes});
        let message = format!("{subject} \"{name}\" is invalid: {said}");
        Self { details, ..Self::new(422, "Invalid", message) }
    }

    pub(super) fn bad_request(why: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", why)
    }

    pub(in crate::lab) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(super) fn no_method() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message)
    }

    pub(super) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// The answer to the token of a list whose revision is no longer known.
    pub(super) fn old_token() -> Self {
        Self::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.",
        )
    }

    pub(super) fn media_type(found: &str) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: application/json, application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml; found {found}"
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// Come again in some seconds.
    pub(in crate::lab) fn too_many(seconds: u64) -> Self {
        let message =
            "the server has received too many requests and has asked us to try again later";
        let details = json!({"retryAfterSeconds": seconds});
        let refusal = Self::new(429, "TooManyRequests", message);
        Self { details, retry_after: Some(seconds), ..refusal }
    }

    /// The object, as it goes over the wire.
    pub(in crate::lab) fn to_json(&self) -> Json {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if self.details.as_object().is_some_and(|details| !details.is_empty()) {
            status["details"] = self.details.clone();
        }
        status
    }
}
