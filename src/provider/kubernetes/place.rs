//! Where an object stands in the API.

use serde_json::Value as Json;

use super::text::encode;
use crate::resource::Attributes;

/// The natural key of an object, as lowering writes it and the state keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Group and version: `v1`, `apps/v1`.
    pub api: String,
    /// `Deployment`.
    pub kind: String,
    /// `deployments`.
    pub plural: String,
    /// `None` where the kind has none.
    pub namespace: Option<String>,
    /// The object's name; `*` at its end stands for all names that begin so, of the kind or in the
    /// namespace.
    pub name: String,
}

impl Place {
    /// Reads it. `None` where a part is missing.
    pub fn of(place: &Attributes) -> Option<Self> {
        let tree = place.tree();
        let text = |key: &str| tree.get(key).and_then(Json::as_str).map(str::to_owned);
        Some(Self {
            api: text("api")?,
            kind: text("kind")?,
            plural: text("plural")?,
            namespace: text("namespace"),
            name: text("name")?,
        })
    }

    /// The path of all objects of the kind, in all namespaces.
    pub fn collection(&self) -> String {
        format!("{}/{}", api_path(&self.api), encode(&self.plural))
    }

    /// The path of the object.
    pub fn path(&self) -> String {
        let (plural, name) = (encode(&self.plural), encode(&self.name));
        match &self.namespace {
            Some(namespace) => {
                let namespace = encode(namespace);
                format!("{}/namespaces/{namespace}/{plural}/{name}", api_path(&self.api))
            }
            None => format!("{}/{plural}/{name}", api_path(&self.api)),
        }
    }

    /// Whether it stands for many objects.
    pub fn is_many(&self) -> bool {
        self.name.ends_with('*')
    }

    /// Whether it means the object of that namespace and name.
    pub fn covers(&self, namespace: Option<&str>, name: &str) -> bool {
        let own = self.namespace.as_deref();
        match self.name.strip_suffix('*') {
            Some(start) => (own.is_none() || own == namespace) && name.starts_with(start),
            None => own == namespace && self.name == name,
        }
    }

    /// Whether it is of this kind of the API's own groups.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group() == group
    }

    /// Whether it is a Node.
    pub fn is_node(&self) -> bool {
        self.is("", "Node")
    }

    /// Whether it is a Secret.
    pub fn is_secret(&self) -> bool {
        self.is("", "Secret")
    }

    /// The part of `api` before the version; empty for the core group.
    pub fn group(&self) -> &str {
        self.api.split_once('/').map_or("", |(group, _)| group)
    }
}

fn api_path(api: &str) -> String {
    match api.split_once('/') {
        Some((group, version)) => format!("/apis/{}/{}", encode(group), encode(version)),
        None => format!("/api/{}", encode(api)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(place: Json, collection: &str, path: &str) {
        let place = Place::of(&Attributes::new(&place)).unwrap();
        assert_eq!((place.collection().as_str(), place.path().as_str()), (collection, path));
    }

    #[test]
    fn paths_follow_group_and_namespace() {
        check(
            json!({"api": "apps/v1", "kind": "Deployment", "plural": "deployments",
                "namespace": "kube-system", "name": "x"}),
            "/apis/apps/v1/deployments",
            "/apis/apps/v1/namespaces/kube-system/deployments/x",
        );
        check(
            json!({"api": "v1", "kind": "Node", "plural": "nodes", "name": "server-1"}),
            "/api/v1/nodes",
            "/api/v1/nodes/server-1",
        );
        assert_eq!(Place::of(&Attributes::new(&json!({"api": "v1", "name": "x"}))), None);
    }
}
