//! One request and its answer.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, WARNING};
use hyper::upgrade::Upgraded;
use hyper::{Method, StatusCode};
use serde_json::Value as Json;

/// A request, which can be sent again. Its body may hold secrets, so it has no `Debug`.
#[derive(Clone)]
pub struct Call {
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Its type and its bytes. `None` where there is none.
    pub body: Option<(&'static str, Bytes)>,
    /// Besides those that every request has.
    pub headers: HeaderMap,
}

impl Call {
    /// Reads something.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, headers: HeaderMap::new() }
    }

    /// Server-side apply.
    pub fn apply(path: impl Into<String>, manifest: &Json) -> Self {
        Self::patch(path.into(), "application/apply-patch+yaml", manifest)
    }

    /// A merge patch.
    pub fn merge(path: impl Into<String>, patch: &Json) -> Self {
        Self::patch(path.into(), "application/merge-patch+json", patch)
    }

    /// A JSON patch (RFC 6902).
    pub fn json_patch(path: impl Into<String>, operations: &Json) -> Self {
        Self::patch(path.into(), "application/json-patch+json", operations)
    }

    /// Deletes something, with options.
    pub fn delete(path: impl Into<String>, options: &Json) -> Self {
        let body = Some(("application/json", options.to_string().into()));
        Self { method: Method::DELETE, path: path.into(), body, headers: HeaderMap::new() }
    }

    fn patch(path: String, content_type: &'static str, body: &Json) -> Self {
        let body = Some((content_type, body.to_string().into()));
        Self { method: Method::PATCH, path, body, headers: HeaderMap::new() }
    }
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
    /// The connection, where the server goes on in the protocol that was asked for.
    pub switched: Option<Switched>,
}

/// A connection that HTTP has been left on.
pub struct Switched {
    /// What the server said about it.
    pub headers: HeaderMap,
    pub stream: Upgraded,
}

impl Answer {
    /// Takes head and body together.
    pub fn new(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Self {
        let text =
            |value: &hyper::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let warnings = headers.get_all(WARNING).iter().filter_map(|value| warning(&text(value)));
        let seconds = headers.get(RETRY_AFTER).and_then(|value| text(value).parse().ok());
        let content_type = headers.get(CONTENT_TYPE).map(text).unwrap_or_default();
        Self {
            status,
            warnings: warnings.collect(),
            retry_after: seconds.map(Duration::from_secs),
            is_json: content_type.starts_with("application/json"),
            body,
            switched: None,
        }
    }

    /// The server goes on in another protocol.
    pub fn switched(headers: HeaderMap, stream: Upgraded) -> Self {
        let answer = Self::new(StatusCode::SWITCHING_PROTOCOLS, &headers, Bytes::new());
        Self { switched: Some(Switched { headers, stream }), ..answer }
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
