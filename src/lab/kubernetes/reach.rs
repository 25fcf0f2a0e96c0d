//! How far a change of an object reaches.

use serde_json::Value as Json;

use super::controllers::is_central;
use super::key::Key;
use super::store::{Store, StoreEffect};
use crate::lab::k3s::Reach;

/// Namespaces whose programs serve the whole cluster.
const CENTRAL: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "default"];

/// What has to be looked at again because of a change that has not happened yet.
pub(in crate::lab) fn reach(store: &Store, effect: &StoreEffect) -> Reach {
    let (key, after) = match effect {
        StoreEffect::Put(key, object) => (key, Some(&**object)),
        StoreEffect::Gone(key) => (key, None),
    };
    let before = store.get(key).map(|object| &**object);
    if !key.namespace.is_empty() {
        let central = CENTRAL.contains(&key.namespace.as_str())
            || key.plural == "pods" && [before, after].iter().flatten().any(|pod| is_central(pod));
        return if central { Reach::Everywhere } else { Reach::Namespace(key.namespace.clone()) };
    }
    let place = match (key.group.as_str(), key.plural.as_str()) {
        ("", "namespaces") if !CENTRAL.contains(&key.name.as_str()) => Some(key.name.as_str()),
        ("", "persistentvolumes") => after.or(before).and_then(claimant),
        ("storage.k8s.io", "volumeattachments") => after.or(before).and_then(|attachment| {
            let name = attachment.pointer("/spec/source/persistentVolumeName")?.as_str()?;
            claimant(store.get(&Key::new("", "persistentvolumes", "", name))?)
        }),
        _ => None,
    };
    place.map_or(Reach::Everywhere, |name| Reach::Namespace(name.to_owned()))
}

/// The namespace of the claim that a volume belongs to.
fn claimant(volume: &Json) -> Option<&str> {
    volume.pointer("/spec/claimRef/namespace")?.as_str()
}
