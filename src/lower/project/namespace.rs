//! The project's namespace. It holds data: what is in it goes with it.

use serde_json::json;

use super::form::Form;
use crate::resource::Resource;

/// Lowers the namespace.
pub fn namespace(form: &Form<'_>) -> Resource {
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": *form.project.namespace },
    });
    Form::of_kind(form.resource(manifest, &[]), "ProjectNamespace")
}
