//! The Secret with CouchDB's administrator.
//!
//! CouchDB takes it over at its first start and keeps it in its own volume, so another value here
//! later locks the project out of its own database (cht-core, `couchdb/docker-entrypoint.sh`).
//! What the spec does not give is made up once and lives in the cluster alone.

use serde_json::json;

use super::form::Form;
use crate::resource::{
    Address, Escape, Form as Text, Generated, Resource, SecretSource, TextPart, Value,
};
use crate::spec::Sp;

/// The Secret's name.
pub const NAME: &str = "cht-couchdb-credentials";

/// The database of the CHT, which its URL ends with.
const DATABASE: &str = "medic";

/// The Secret's address.
pub fn address(form: &Form<'_>) -> Address {
    form.address("Secret", NAME)
}

/// Lowers the Secret.
pub fn credentials(form: &Form<'_>) -> Resource {
    let given = &form.project.credentials;
    let password = source(form, given.password.as_ref(), "password", Text::Password);
    // All of a Secret is compared as a secret is: by what stands for it.
    let user = SecretSource::Text(vec![TextPart::Plain(given.user.to_string())]);
    let data = json!({
        "COUCHDB_USER": Value::Secret(user).encode(),
        "COUCHDB_PASSWORD": Value::Secret(password.clone()).encode(),
        "COUCHDB_SECRET": secret(form, given.secret.as_ref(), "secret", Text::Hex32),
        "COUCHDB_UUID": secret(form, given.uuid.as_ref(), "uuid", Text::Uuid),
        "COUCH_URL": Value::Secret(url(form, password)).encode(),
    });
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": form.metadata(NAME, None),
        "type": "Opaque",
        "data": data,
    });
    Form::of_kind(form.resource(manifest, &[]), "Credentials")
}

fn secret(
    form: &Form<'_>,
    given: Option<&Sp<SecretSource>>,
    name: &str,
    text: Text,
) -> serde_json::Value {
    Value::Secret(source(form, given, name, text)).encode()
}

/// What the spec gives, or what boma makes up under this name.
fn source(
    form: &Form<'_>,
    given: Option<&Sp<SecretSource>>,
    name: &str,
    text: Text,
) -> SecretSource {
    let generated = || {
        let name = format!("{}/{name}", *form.project.name);
        SecretSource::Generated(Generated { name, form: text })
    };
    given.map_or_else(generated, |given| given.value.clone())
}

/// Where api and sentinel find the database, the administrator included.
fn url(form: &Form<'_>, password: SecretSource) -> SecretSource {
    let user = Escape::Url.write(&form.project.credentials.user);
    let host = form.host("haproxy");
    SecretSource::Text(vec![
        TextPart::Plain(format!("http://{user}:")),
        TextPart::Secret(password, Escape::Url),
        TextPart::Plain(format!("@{host}:5984/{DATABASE}")),
    ])
}
