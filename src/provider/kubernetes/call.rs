//! One request and its answer.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WARNING};
use hyper::{Request, StatusCode};
use kube::api::{AttachParams, DeleteParams, GetParams, ListParams, Patch, PatchParams};
use kube::client::Connection;
use kube::core::{Status, request};
use serde_json::Value as Json;

use super::failure::Failure;
use super::place::Place;
use super::text::encode;

/// A request, which can be sent again. Its body may hold secrets, so it has no `Debug`.
#[derive(Clone)]
pub struct Call {
    /// Relative to the server.
    pub request: Request<Bytes>,
    /// It is answered by a WebSocket, in which a command speaks.
    pub is_command: bool,
}

impl Call {
    /// Reads an object.
    ///
    /// # Errors
    /// For this and the others: the place has no name, or what is sent cannot be written as JSON.
    pub fn get(place: &Place) -> Result<Self, Failure> {
        Self::new(of(place).get(&encode(&place.name), &GetParams::default()))
    }

    /// Reads objects of a collection, which is given by its path.
    pub fn list(collection: &str, params: &ListParams) -> Result<Self, Failure> {
        Self::new(kube::core::Request::new(collection).list(params))
    }

    /// Changes an object.
    pub fn patch(
        place: &Place,
        params: &PatchParams,
        patch: &Patch<&Json>,
    ) -> Result<Self, Failure> {
        Self::new(of(place).patch(&encode(&place.name), params, patch))
    }

    /// Changes an object by a JSON patch (RFC 6902), which the library knows as values of a further
    /// crate only.
    pub fn json_patch(place: &Place, operations: &Json) -> Result<Self, Failure> {
        let mut call = Self::patch(place, &PatchParams::default(), &Patch::Merge(operations))?;
        let json_patch = HeaderValue::from_static("application/json-patch+json");
        call.request.headers_mut().insert(CONTENT_TYPE, json_patch);
        Ok(call)
    }

    /// Deletes an object.
    pub fn delete(place: &Place, params: &DeleteParams) -> Result<Self, Failure> {
        Self::new(of(place).delete(&encode(&place.name), params))
    }

    /// Runs a command in a container of a pod.
    pub fn exec(pod: &Place, container: &str, words: &[&str]) -> Result<Self, Failure> {
        let params = AttachParams::default().container(container);
        let words = words.iter().copied();
        let call = Self::new(of(pod).exec(&encode(&pod.name), words, &params))?;
        Ok(Self { is_command: true, ..call })
    }

    fn new(built: Result<Request<Vec<u8>>, request::Error>) -> Result<Self, Failure> {
        let request = built.map_err(|error| Failure::refused(error.to_string(), "plan again"))?;
        Ok(Self { request: request.map(Bytes::from), is_command: false })
    }
}

fn of(place: &Place) -> kube::core::Request {
    kube::core::Request::new(place.siblings())
}

/// What came back, whatever its status. Its body may hold secrets, so it has no `Debug`.
pub struct Answer {
    pub status: StatusCode,
    /// The server's remarks on what it accepted.
    pub warnings: Vec<String>,
    /// How long to wait before asking again.
    pub retry_after: Option<Duration>,
    /// Whether the body is said to be JSON.
    pub is_json: bool,
    pub body: Bytes,
    /// What was opened by a command.
    pub socket: Option<Connection>,
}

impl Answer {
    /// Takes head and body together.
    pub fn new(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Self {
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let warnings = headers.get_all(WARNING).iter().filter_map(|value| warning(&text(value)));
        let seconds = headers.get(RETRY_AFTER).and_then(|value| text(value).parse().ok());
        let content_type = headers.get(CONTENT_TYPE).map(text).unwrap_or_default();
        Self {
            status,
            warnings: warnings.collect(),
            retry_after: seconds.map(Duration::from_secs),
            is_json: content_type.starts_with("application/json"),
            body,
            socket: None,
        }
    }

    /// The server goes on in a WebSocket.
    pub fn opened(socket: Connection) -> Self {
        let answer = Self::new(StatusCode::SWITCHING_PROTOCOLS, &HeaderMap::new(), Bytes::new());
        Self { socket: Some(socket), ..answer }
    }

    /// A refusal that the library has read.
    pub fn refused(status: &Status) -> Self {
        let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        let retry_after = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
        let body = serde_json::to_vec(status).unwrap_or_default().into();
        let answer = Self::new(code, &HeaderMap::new(), body);
        Self { retry_after, is_json: true, ..answer }
    }

    /// The body as JSON; null where it is something else.
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The text of `299 - "text"`, in which backslashes escape.
fn warning(header: &str) -> Option<String> {
    let quoted = header.strip_prefix("299 ")?.split_once('"')?.1;
    let mut text = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Some(text),
            '\\' => text.extend(letters.next()),
            letter => text.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::warning;

    #[test]
    fn warnings_are_unquoted() {
        let check = |header: &str, expected: Option<&str>| {
            assert_eq!(warning(header).as_deref(), expected, "{header}");
        };
        check(r#"299 - "policy/v1beta1 is deprecated""#, Some("policy/v1beta1 is deprecated"));
        check(r#"299 - "unknown field \"spec.x\"" "date""#, Some(r#"unknown field "spec.x""#));
        check(r#"299 - "cut"#, None);
        check("199 - \"other\"", None);
    }
}
