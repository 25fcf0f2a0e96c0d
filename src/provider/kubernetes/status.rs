//! What the API says when it refuses.

use std::fmt;

use serde_json::Value as Json;

use super::call::Answer;
use super::text::plain;

/// One thing that is wrong with what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldManagerConflict`, `FieldValueInvalid`.
    pub reason: String,
    /// In the server's words.
    pub message: String,
    /// `.spec.replicas`; empty where it is about none.
    pub field: String,
}

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The HTTP status.
    pub code: u16,
    /// `Conflict`, `Invalid`; empty where the server gave none.
    pub reason: String,
    /// In the server's words.
    pub message: String,
    /// In the server's order.
    pub causes: Vec<Cause>,
}

impl Status {
    /// Reads an answer. A body that is no `Status` is the message itself.
    pub fn of(answer: &Answer) -> Self {
        let body = if answer.is_json { answer.json() } else { Json::Null };
        let text = |value: &Json| value.as_str().map(plain).unwrap_or_default();
        let causes = body["details"]["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let cause = |cause: &Json| Cause {
            reason: text(&cause["reason"]),
            message: text(&cause["message"]),
            field: text(&cause["field"]),
        };
        let message = match body["message"].as_str() {
            Some(message) => plain(message),
            None => plain(&String::from_utf8_lossy(&answer.body)),
        };
        Self {
            code: answer.status.as_u16(),
            reason: text(&body["reason"]),
            message,
            causes: causes.iter().map(cause).collect(),
        }
    }

    /// Whether other managers hold fields that were sent with other values.
    pub fn is_field_conflict(&self) -> bool {
        let is_conflict = |cause: &Cause| cause.reason == "FieldManagerConflict";
        self.code == 409 && !self.causes.is_empty() && self.causes.iter().all(is_conflict)
    }

    /// Whether somebody else wrote the object since it was read.
    pub fn is_race(&self) -> bool {
        self.code == 409 && !self.is_field_conflict() && !self.is_other_object()
    }

    /// Whether the object that was meant is not the one that stands there.
    pub fn is_other_object(&self) -> bool {
        let names_uid = self.causes.iter().any(|cause| cause.field == "metadata.uid");
        match self.code {
            409 => self.message.to_ascii_lowercase().contains("uid"),
            422 => names_uid,
            _ => false,
        }
    }

    /// Whether what was sent has no place in the server's schema, which some releases tell as a
    /// fault of their own.
    pub fn is_malformed(&self) -> bool {
        matches!(self.code, 400 | 422)
            || self.message.starts_with("failed to create typed patch object")
    }

    /// Whether the namespace of what was sent is being deleted.
    pub fn is_terminating(&self) -> bool {
        self.code == 403 && self.causes.iter().any(|cause| cause.reason == "NamespaceTerminating")
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.is_empty() {
            true => write!(f, "the API server answered {}", self.code)?,
            false => f.write_str(&self.message)?,
        }
        let untold = |cause: &&Cause| !self.message.contains(&cause.message);
        for cause in self.causes.iter().filter(untold) {
            write!(f, "; {}: {}", cause.field, cause.message)?;
        }
        Ok(())
    }
}
