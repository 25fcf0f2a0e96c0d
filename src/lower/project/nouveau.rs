//! Nouveau, CouchDB's search since CHT 5.0: a container beside it, on the same volume.
//!
//! Up to 5.2 only the first node has one, and all ask it; from 5.3 on each node has its own
//! (cht-core#11125).

use serde_json::{Value as Json, json};

use super::container::Container;
use super::environment::text;
use super::form::Form;
use super::member::Member;
use crate::spec::Component;

/// Its port.
pub const PORT: u16 = 5987;

/// The Service of the only one.
pub const SERVICE: &str = "nouveau";

/// The container, on the volume of CouchDB's node.
pub fn container(form: &Form<'_>, volume: &str) -> Container {
    Container {
        component: Component::Nouveau,
        name: "cht-couchdb-nouveau".into(),
        image: form.image("couchdb-nouveau"),
        variables: Vec::new(),
        port: Some(PORT),
        mounts: vec![json!({ "name": volume, "mountPath": "/data/nouveau", "subPath": "data" })],
    }
}

/// What tells a node of several where its own Nouveau is.
pub fn variable(member: &Member) -> Json {
    text("NOUVEAU_URL", format!("http://{}:{PORT}", member.nouveau()))
}
