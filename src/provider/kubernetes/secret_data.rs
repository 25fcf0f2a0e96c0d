//! The values of one Secret, for whoever is to keep them: a reading of a plan has digests only.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use secrecy::SecretString;
use serde_json::Value as Json;

use super::failure::Failure;
use super::place::Place;
use super::provider::Kubernetes;
use super::read::get;
use crate::provider::ProviderError;
use crate::resource::Attributes;

impl Kubernetes {
    /// What a Secret holds, by key, decoded. `None` where there is no such Secret.
    ///
    /// # Errors
    /// The API does not answer or refuses; a value is no text.
    pub async fn secret_data(
        &self,
        place: &Attributes,
    ) -> Result<Option<BTreeMap<String, SecretString>>, ProviderError> {
        let read = async {
            let place = Place::of(place).ok_or_else(|| {
                Failure::refused("its place in the API is not known", "plan again")
            })?;
            get(self.client(), &place).await
        };
        let decoded = read.await.and_then(|live| live.map(|live| decode(&live)).transpose());
        decoded.map_err(|failure| failure.explain("read a Secret"))
    }
}

fn decode(live: &Json) -> Result<BTreeMap<String, SecretString>, Failure> {
    let values = live["data"].as_object().into_iter().flatten();
    let decoded = values.map(|(key, value)| match text(value) {
        Some(text) => Ok((key.clone(), text.into())),
        None => Err(Failure::refused(format!("{key} is no text"), "see who wrote it")),
    });
    decoded.collect()
}

fn text(base64: &Json) -> Option<String> {
    let bytes: ByteString = serde_json::from_value(base64.clone()).ok()?;
    String::from_utf8(bytes.0).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_texts_again() {
        let live = json!({"data": {"A": "aMO8", "B": ""}});
        let decoded = decode(&live).ok().unwrap();
        let shown: Vec<(&str, &str)> =
            decoded.iter().map(|(key, value)| (key.as_str(), value.expose_secret())).collect();
        assert_eq!(shown, [("A", "hü"), ("B", "")]);
        assert!(decode(&json!({})).ok().unwrap().is_empty());
    }

    #[test]
    fn bytes_are_not_taken_for_text() {
        let failure = decode(&json!({"data": {"A": "/w=="}})).err().unwrap();
        assert!(failure.to_string().contains("A is no text"), "{failure}");
    }
}
