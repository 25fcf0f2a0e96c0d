//! Where an object stands in the API.

use kube::Resource;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
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

    /// The place of an object of a kind that the API brings along.
    pub fn known<K: Resource<DynamicType = ()>>(namespace: Option<&str>, name: &str) -> Self {
        Self {
            api: K::api_version(&()).into_owned(),
            kind: K::kind(&()).into_owned(),
            plural: K::plural(&()).into_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// The path of all objects of the kind, in all namespaces.
    pub fn collection(&self) -> String {
        DynamicObject::url_path(&self.resource(), None)
    }

    /// The path of all objects of the kind beside this one.
    pub fn siblings(&self) -> String {
        let namespace = self.namespace.as_deref().map(encode);
        DynamicObject::url_path(&self.resource(), namespace.as_deref())
    }

    /// What the library makes paths of, and puts into them as it is.
    fn resource(&self) -> ApiResource {
        let version = self.api.rsplit('/').next().unwrap_or_default();
        let [group, version, plural] = [self.group(), version, &self.plural].map(encode);
        let kind = GroupVersionKind::gvk(&group, &version, &self.kind);
        ApiResource::from_gvk_with_plural(&kind, &plural)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::kubernetes::call::Call;

    fn check(place: Json, collection: &str, path: &str) {
        let place = Place::of(&Attributes::new(&place)).unwrap();
        assert_eq!(place.collection(), collection);
        assert_eq!(Call::get(&place).ok().unwrap().request.uri().to_string(), path);
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
