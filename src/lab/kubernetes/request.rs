//! Requests: what they are about.

use std::collections::BTreeMap;

use super::refusal::Refusal;

/// One request, without its sockets.
#[derive(Clone, Debug, Default)]
pub(in crate::lab) struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub query: String,
    pub content_type: String,
    pub accept: String,
    pub user_agent: String,
    pub body: Vec<u8>,
    /// The protocols that a WebSocket is asked for with, the best first; `None` for plain HTTP.
    pub protocols: Option<Vec<String>>,
}

/// Query parameters by name; of one that stands twice, the last.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(BTreeMap<String, String>);

/// A path below `/api` or `/apis`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::lab) struct Target {
    pub group: String,
    pub version: String,
    /// Empty for all namespaces, or for what lives in none.
    pub namespace: String,
    /// Empty where the path ends at the version.
    pub plural: String,
    /// Empty for all objects.
    pub name: String,
    pub subresource: String,
}

impl Query {
    pub(super) fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        });
        Self(pairs.collect())
    }

    /// The value, or nothing.
    pub(super) fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), "true" | "1")
    }
}

impl Request {
    pub(super) fn query(&self) -> Query {
        Query::read(&self.query)
    }

    /// All values of a query parameter that stands more than once.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value)).collect()
    }

    /// The verb as audit logs name it: `get`, `list`, `watch`, `create`, `update`, `patch`,
    /// `delete`, `deletecollection`.
    pub(in crate::lab) fn verb(&self, target: &Target) -> &'static str {
        let all = target.name.is_empty();
        match self.method.as_str() {
            "GET" if all && self.query().flag("watch") => "watch",
            "GET" if all => "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" if all => "deletecollection",
            "DELETE" => "delete",
            _ => "get",
        }
    }

    /// Who owns what the request writes: the field manager that it names, or its program.
    pub(super) fn manager(&self) -> String {
        let name = self.user_agent.split('/').next().unwrap_or_default();
        match self.query().get("fieldManager") {
            "" if name.is_empty() => "unknown".to_owned(),
            "" => name.to_owned(),
            given => given.to_owned(),
        }
    }
}

impl Target {
    /// Reads a path; `None` for one that is not below `/api` or `/apis`.
    ///
    /// # Errors
    /// 404 for a path with too many steps.
    pub(in crate::lab) fn read(path: &str) -> Option<Result<Self, Refusal>> {
        let steps: Vec<String> =
            path.split('/').filter(|step| !step.is_empty()).map(decoded).collect();
        let mut steps = steps.into_iter();
        let mut next = || steps.next().unwrap_or_default();
        let mut target = match next().as_str() {
            "api" => Self { version: next(), ..Self::default() },
            "apis" => Self { group: next(), version: next(), ..Self::default() },
            _ => return None,
        };
        let (first, second, third) = (next(), next(), next());
        let own = ["status", "finalize"].contains(&third.as_str());
        if first == "namespaces" && !third.is_empty() && !own {
            target.namespace = second;
            target.plural = third;
            (target.name, target.subresource) = (next(), next());
        } else {
            (target.plural, target.name, target.subresource) = (first, second, third);
        }
        let more = next();
        Some(if more.is_empty() { Ok(target) } else { Err(Refusal::no_resource()) })
    }
}

/// A text without its percent signs and pluses.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        let pair = text.get(index + 1..index + 3).filter(|_| *byte == b'%');
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                index += 3;
            }
            None => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &[&str; 6]) {
        let found = Target::read(path).unwrap().unwrap();
        let found = [
            &found.group,
            &found.version,
            &found.namespace,
            &found.plural,
            &found.name,
            &found.subresource,
        ];
        assert_eq!(found.map(String::as_str), *expected, "{path}");
    }

    #[test]
    fn paths_name_objects() {
        check("/api/v1/namespaces/x", &["", "v1", "", "namespaces", "x", ""]);
        check("/api/v1/namespaces/x/status", &["", "v1", "", "namespaces", "x", "status"]);
        check("/api/v1/namespaces/x/pods", &["", "v1", "x", "pods", "", ""]);
        check("/apis/apps/v1/deployments", &["apps", "v1", "", "deployments", "", ""]);
        check(
            "/apis/apps/v1/namespaces/x/deployments/y/scale",
            &["apps", "v1", "x", "deployments", "y", "scale"],
        );
        check("/apis/apps/v1", &["apps", "v1", "", "", "", ""]);
        assert!(Target::read("/version").is_none());
    }

    #[test]
    fn queries_are_decoded() {
        let query =
            Query::read("fieldSelector=metadata.name%3Dx&force=true&labelSelector=a+in+%28b%29");
        assert_eq!(query.get("fieldSelector"), "metadata.name=x");
        assert_eq!(query.get("labelSelector"), "a in (b)");
        assert!(query.flag("force") && !query.flag("watch"));
    }
}
