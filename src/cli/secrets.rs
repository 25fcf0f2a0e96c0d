//! The secrets of one run.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use k8s_openapi::ByteString;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;

use super::error::{CliError, chain};
use super::load::Loaded;
use crate::plan::Desired;
use crate::resource::{Digest, Sealer, SecretSource, secrets};
use crate::secret;

/// What is shorter is found in too many words to be told by.
const SHORTEST: usize = 4;

/// Resolved secrets, by where they come from.
#[derive(Default)]
pub struct Secrets(BTreeMap<SecretSource, SecretString>);

impl Secrets {
    /// Resolves every secret that a resource refers to.
    ///
    /// # Errors
    /// One cannot be had.
    pub fn of(desired: &Desired, loaded: &Loaded) -> Result<Self, CliError> {
        let (mut found, mut singles) = (BTreeMap::new(), BTreeMap::new());
        // A command may ask somebody for a password: it runs once, whatever its secret is in.
        let mut single = |source: &SecretSource| match singles.entry(source.clone()) {
            Entry::Occupied(known) => Ok(SecretString::clone(known.get())),
            Entry::Vacant(place) => one(source, loaded).map(|value| place.insert(value).clone()),
        };
        for resource in desired.resources.values() {
            for source in secrets(&resource.attributes.tree()) {
                if let Entry::Vacant(place) = found.entry(source) {
                    let value = secret::compose(place.key(), &mut single)?;
                    place.insert(value);
                }
            }
        }
        Ok(Self(found))
    }

    /// What a spec's secrets are in its lab: texts drawn from its name and from where each would
    /// come from, so that nothing must be set first and none is resolved.
    pub fn of_lab(desired: &Desired, name: &str) -> Self {
        let sources =
            desired.resources.values().flat_map(|resource| secrets(&resource.attributes.tree()));
        let drawn = |source: SecretSource| {
            let text = of_lab(name, &source);
            (source, SecretString::from(text))
        };
        Self(sources.map(drawn).collect())
    }

    /// The secret as a value to write.
    pub fn value(&self, source: &SecretSource) -> Option<Json> {
        self.0.get(source).map(|secret| secret.expose_secret().into())
    }

    /// A text of somebody else's without any of the secrets in it, plain or in base64.
    pub fn struck_out(&self, text: &str) -> String {
        let mut values: Vec<String> = Vec::new();
        for secret in self.0.values() {
            let plain = secret.expose_secret();
            values.push(plain.to_owned());
            if let Ok(Json::String(encoded)) = serde_json::to_value(ByteString(plain.into())) {
                values.push(encoded);
            }
            // Texts are quoted as they stand in Go and in JSON.
            values.push(format!("{plain:?}").trim_matches('"').to_owned());
        }
        values.retain(|value| value.len() >= SHORTEST);
        // A text that is made of other secrets goes first.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.iter().fold(text.to_owned(), |text, value| text.replace(value, "(secret)"))
    }

    /// The digests that stand for all of them, but for what is made up by whoever writes it first:
    /// nobody can say that an object has another one.
    pub fn sealed(&self, sealer: &Sealer) -> BTreeMap<SecretSource, Json> {
        let chosen = self.0.iter().filter(|(source, _)| !source.is_generated());
        let seal = |secret: &SecretString| sealer.seal(&secret.expose_secret().into());
        chosen.map(|(source, secret)| (source.clone(), seal(secret))).collect()
    }
}

/// What a secret of a spec is in that spec's lab.
pub fn of_lab(name: &str, source: &SecretSource) -> String {
    if let SecretSource::Text(parts) = source
        && let Some(text) = SecretSource::join(parts, &|part| Some(of_lab(name, part)))
    {
        return text;
    }
    let digest = Digest::of(format!("lab/{name}/{source:?}").as_bytes());
    match source {
        SecretSource::Generated(generated) => generated.form.write(digest.bytes()),
        _ => digest.to_string(),
    }
}

/// Resolves one secret.
///
/// # Errors
/// It cannot be had.
pub fn one(source: &SecretSource, loaded: &Loaded) -> Result<SecretString, CliError> {
    secret::resolve(source, &loaded.folder)
        .map_err(|error| CliError::new(chain(&error), error.help()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &str, text: &str, expected: &str) {
        let source = SecretSource::Env("X".into());
        let secrets = Secrets([(source, SecretString::from(secret))].into());
        assert_eq!(secrets.struck_out(text), expected);
    }

    #[test]
    fn a_quoted_secret_is_struck_out_however_it_is_written() {
        check(
            "hunter2",
            "Invalid value: \"hunter2\": too short",
            "Invalid value: \"(secret)\": too short",
        );
        check("hunter2", "data[p]: aHVudGVyMg==", "data[p]: (secret)");
        check("a\"b\nc", r#"Invalid value: "a\"b\nc""#, r#"Invalid value: "(secret)""#);
        check("hunter2", "spec.replicas: Invalid value: -1", "spec.replicas: Invalid value: -1");
        check("no", "not found", "not found");
    }
}
