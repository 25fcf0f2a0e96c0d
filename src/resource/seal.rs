//! Digests that stand for secrets in state, plans and comparisons.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use super::{Kind, hex, unhex};

const SEALED: &str = "$sealed";

/// Turns secrets into digests that only this state can make, so that a rotation shows as
/// "changed" and a guess cannot be checked against a stolen plan.
#[derive(Clone)]
pub struct Sealer(Vec<u8>);

impl Sealer {
    /// Takes the state's digest key, hexadecimal. A malformed key seals with an empty one, which
    /// shows every secret as changed rather than none.
    pub fn new(key: &str) -> Self {
        Self(unhex(key).unwrap_or_default())
    }

    /// The digest of one secret: `{"$sealed": "…"}`.
    pub fn seal(&self, secret: &Json) -> Json {
        let text = secret.as_str().map_or_else(|| secret.to_string(), str::to_owned);
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return Json::Null };
        mac.update(text.as_bytes());
        json!({ SEALED: hex(&mac.finalize().into_bytes()) })
    }

    /// Seals every sensitive field of an object's tree.
    pub fn seal_tree(&self, kind: Kind, tree: Json) -> Json {
        if kind.fields.iter().any(|field| field.sensitive) {
            self.seal_at(kind, "", tree)
        } else {
            tree
        }
    }

    fn seal_at(&self, kind: Kind, path: &str, tree: Json) -> Json {
        if !path.is_empty() && is_sensitive(kind, path) && !tree.is_object() {
            return self.seal(&tree);
        }
        match tree {
            Json::Object(map) if is_sealed_map(&map) => Json::Object(map),
            Json::Object(map) => Json::Object(
                map.into_iter()
                    .map(|(key, value)| {
                        let path =
                            if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                        let value = self.seal_at(kind, &path, value);
                        (key, value)
                    })
                    .collect(),
            ),
            other => other,
        }
    }
}

/// Whether a field is secret; what an object of Kubernetes shows of boma's own writes, under
/// `owned`, is as secret as the fields themselves.
fn is_sensitive(kind: Kind, path: &str) -> bool {
    let own = path.strip_prefix("owned.");
    kind.field(path).sensitive || own.is_some_and(|path| kind.field(path).sensitive)
}

fn is_sealed_map(map: &serde_json::Map<String, Json>) -> bool {
    map.len() == 1 && map.contains_key(SEALED)
}

/// Whether a value is a digest that stands for a secret.
pub fn is_sealed(value: &Json) -> bool {
    value.as_object().is_some_and(is_sealed_map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_secret_and_key_and_shows_neither() {
        let sealer = Sealer::new("00ff");
        let sealed = sealer.seal(&json!("hunter2"));
        assert!(is_sealed(&sealed));
        assert!(!sealed.to_string().contains("hunter2"));
        assert_eq!(sealed, sealer.seal(&json!("hunter2")));
        assert_ne!(sealed, sealer.seal(&json!("hunter3")));
        assert_ne!(sealed, Sealer::new("00fe").seal(&json!("hunter2")));
    }

    #[test]
    fn what_boma_wrote_is_as_secret_where_the_cluster_shows_it_again() {
        let Some(kind) = Kind::named("kubernetes/Secret") else { return };
        let data = json!({"data": {"password": "hunter2"}});
        let tree = json!({"type": "Opaque", "data": data["data"], "owned": data});
        let sealed = Sealer::new("00ff").seal_tree(kind, tree);
        assert!(!sealed.to_string().contains("hunter2"));
        assert_eq!(sealed["owned"]["data"], sealed["data"]);
    }
}
