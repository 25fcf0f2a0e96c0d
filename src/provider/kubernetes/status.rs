//! What the API says when it refuses, and what that means.

use kube::core::Status;
use kube::core::response::StatusCause;

use super::call::Answer;
use super::text::plain;

/// Reads an answer. A body that is no `Status` is the message itself.
pub fn of(answer: &Answer) -> Status {
    let status = answer.is_json.then(|| serde_json::from_slice(&answer.body).ok()).flatten();
    let mut status: Status = status.unwrap_or_default();
    if status.message.is_empty() {
        status.message = String::from_utf8_lossy(&answer.body).into_owned();
    }
    let causes = status.details.iter_mut().flat_map(|details| &mut details.causes);
    let texts = causes.flat_map(|one| [&mut one.reason, &mut one.message, &mut one.field]);
    for text in texts.chain([&mut status.reason, &mut status.message]) {
        *text = plain(text);
    }
    status.with_code(answer.status.as_u16())
}

/// What is wrong with what was sent, in the server's order.
pub fn causes(status: &Status) -> &[StatusCause] {
    status.details.as_ref().map_or(&[], |details| &details.causes)
}

/// The message, with what causes add to it.
pub fn told(status: &Status) -> String {
    let mut text = match status.message.is_empty() {
        true => format!("the API server answered {}", status.code),
        false => status.message.clone(),
    };
    for cause in causes(status).iter().filter(|cause| !status.message.contains(&cause.message)) {
        text = format!("{text}; {}: {}", cause.field, cause.message);
    }
    text
}

/// Whether other managers hold fields that were sent with other values.
pub fn is_field_conflict(status: &Status) -> bool {
    let causes = causes(status);
    let is_conflict = |cause: &StatusCause| cause.reason == "FieldManagerConflict";
    status.code == 409 && !causes.is_empty() && causes.iter().all(is_conflict)
}

/// Whether somebody else wrote the object since it was read.
pub fn is_race(status: &Status) -> bool {
    status.code == 409 && !is_field_conflict(status) && !is_other_object(status)
}

/// Whether the object that was meant is not the one that stands there.
pub fn is_other_object(status: &Status) -> bool {
    match status.code {
        409 => status.message.to_ascii_lowercase().contains("uid"),
        422 => causes(status).iter().any(|cause| cause.field == "metadata.uid"),
        _ => false,
    }
}

/// Whether what was sent has no place in the server's schema, which some releases tell as a fault
/// of their own.
pub fn is_malformed(status: &Status) -> bool {
    matches!(status.code, 400 | 422)
        || status.message.starts_with("failed to create typed patch object")
}

/// Whether the namespace of what was sent is being deleted.
pub fn is_terminating(status: &Status) -> bool {
    let is_terminating = |cause: &StatusCause| cause.reason == "NamespaceTerminating";
    status.code == 403 && causes(status).iter().any(is_terminating)
}
