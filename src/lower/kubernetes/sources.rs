//! Manifests that a spec names, as the command that lowers it has read them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use thiserror::Error;

use super::supplied::{definitions, named, normal, settle, unpacked};
use crate::plan::Unplanned;
use crate::resource::{Digest, Glob};
use crate::spec::{Manifest, Spec};

/// Objects by the manifest's origin. What is not here was not read: `validate`, `--offline`,
/// `--lab` and `show` fetch nothing.
#[derive(Clone, Debug, Default)]
pub struct Sources(BTreeMap<String, Vec<Json>>);

/// What is wrong with a manifest.
#[derive(Debug, Error)]
pub enum SourceError {
    /// It is another file than the one that somebody read and approved.
    #[error("{from} has the SHA-256 {found}, and the spec says {expected}")]
    Digest {
        /// Path or URL.
        from: String,
        /// As the spec has it.
        expected: String,
        /// Of what came.
        found: String,
    },
    /// It cannot be read as YAML.
    #[error("{from} is not YAML: {reason}")]
    Yaml {
        /// Path or URL.
        from: String,
        /// The reader's own words.
        reason: String,
    },
    /// It is YAML, and no manifest.
    #[error("document {number} of {from} {what}")]
    Shape {
        /// Path or URL.
        from: String,
        /// From 1.
        number: usize,
        /// What it has or lacks.
        what: String,
    },
}

impl SourceError {
    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Digest { found, .. } => format!(
                "read what changed in it; if that is wanted, write `sha256 = \"{found}\"` into the spec"
            ),
            Self::Yaml { .. } | Self::Shape { .. } => {
                "name the manifest as its project publishes it, or leave `manifest` out: boma then renders its own".into()
            }
        }
    }
}

/// What a manifest is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `[cloud_provider.manifest]`
    Cpi,
    /// `[csi.manifest]`
    Csi,
}

impl Part {
    /// For people.
    fn name(self) -> &'static str {
        match self {
            Self::Cpi => "the cloud provider",
            Self::Csi => "the storage driver",
        }
    }

    /// Everything that comes of it.
    fn addresses(self) -> Glob {
        match self {
            Self::Cpi => Glob::new("cluster/cpi/**"),
            Self::Csi => Glob::new("cluster/csi/**"),
        }
    }
}

/// Manifests that a spec names.
pub fn wanted(spec: &Spec) -> impl Iterator<Item = (Part, &Manifest)> {
    let cpi = spec.cloud_provider.manifest.as_ref().map(|manifest| (Part::Cpi, manifest));
    let csi = spec.csi.manifest.as_ref().map(|manifest| (Part::Csi, manifest));
    cpi.into_iter().chain(csi)
}

impl Sources {
    /// Takes a manifest's bytes in.
    ///
    /// # Errors
    /// They are not those that the spec names by their digest, or no manifest; see [`SourceError`].
    pub fn add(&mut self, manifest: &Manifest, bytes: &[u8]) -> Result<(), SourceError> {
        let (from, expected) = (manifest.from.value.clone(), manifest.sha256.value.clone());
        let found = Digest::of(bytes).to_string();
        if found != expected {
            return Err(SourceError::Digest { from, expected, found });
        }
        let objects = read(&from, bytes)?;
        self.0.insert(from, objects);
        Ok(())
    }

    /// The objects of a manifest. `None` where it was not read.
    pub fn objects(&self, manifest: &Manifest) -> Option<&[Json]> {
        self.0.get(&manifest.from.value).map(Vec::as_slice)
    }

    /// What a plan cannot show since its manifest was not read.
    pub fn unplanned(&self, spec: &Spec) -> Vec<Unplanned> {
        let name = |part: Part, from: &str| Unplanned {
            what: format!("{}, whose manifest {from} was not fetched", part.name()),
        };
        self.missing(spec).map(|(part, manifest)| name(part, &manifest.from)).collect()
    }

    /// Addresses of what would come of manifests that were not read.
    pub fn unknown(&self, spec: &Spec) -> Vec<Glob> {
        self.missing(spec).map(|(part, _)| part.addresses()).collect()
    }

    fn missing<'a>(&self, spec: &'a Spec) -> impl Iterator<Item = (Part, &'a Manifest)> {
        wanted(spec).filter(|(_, manifest)| self.objects(manifest).is_none())
    }
}

fn read(from: &str, bytes: &[u8]) -> Result<Vec<Json>, SourceError> {
    let yaml = |reason: String| SourceError::Yaml { from: from.to_owned(), reason };
    let text = std::str::from_utf8(bytes).map_err(|error| yaml(error.to_string()))?;
    // As kubectl reads it: a mode of 0644 is octal.
    let options = serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false };
    let documents: Vec<Json> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| yaml(reason(&error)))?;
    let mut objects = Vec::new();
    for (at, document) in documents.into_iter().enumerate() {
        let shape = |what| SourceError::Shape { from: from.to_owned(), number: at + 1, what };
        for object in unpacked(document) {
            objects.push((at, normal(object).map_err(shape)?));
        }
    }
    let definitions = definitions(objects.iter().map(|(_, object)| object));
    let mut names = BTreeSet::new();
    for (at, object) in &mut objects {
        settle(&definitions, object);
        let name = named(object);
        if !names.insert(name.clone()) {
            let what = format!("is {name} once more");
            return Err(SourceError::Shape { from: from.to_owned(), number: *at + 1, what });
        }
    }
    Ok(objects.into_iter().map(|(_, object)| object).collect())
}

/// The reader's words, without those for a programmer.
fn reason(error: &serde_saphyr::Error) -> String {
    error.to_string().replace(", set DuplicateKeyPolicy in Options if acceptable", "")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    const SOUND: &str = "---\n# head\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |\n    y: 1\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: b, namespace: n}, mode: 0644}\n";

    fn named(digest: &str) -> Spec {
        let manifest = format!(
            "[cloud_provider.manifest]\nfrom = \"cpi.yaml\"\nsha256 = \"{digest}\"\n[storage]"
        );
        spec(&[("[storage]", &manifest)])
    }

    fn add(text: &str) -> Result<Sources, String> {
        let spec = named(&Digest::of(text.as_bytes()).to_string());
        let mut sources = Sources::default();
        let (_, manifest) = wanted(&spec).next().unwrap();
        let added = sources.add(manifest, text.as_bytes());
        added.map(|()| sources).map_err(|error| error.to_string())
    }

    fn check(text: &str, expected: &str) {
        let error = add(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn every_object_of_every_document_is_there() {
        let sources = add(SOUND).unwrap();
        let spec = named(&"0".repeat(64));
        let (_, manifest) = wanted(&spec).next().unwrap();
        let objects = sources.objects(manifest).unwrap();
        assert_eq!(objects[0]["data"]["x"], "y: 1\n");
        assert_eq!((objects.len(), &objects[1]["mode"]), (2, &serde_json::json!(420)));
        assert!(sources.unplanned(&spec).is_empty());
        let missing = Sources::default().unplanned(&spec);
        let expected = "the cloud provider, whose manifest cpi.yaml was not fetched";
        assert_eq!(missing[0].what, expected);
    }

    #[test]
    fn another_file_than_the_spec_names_is_refused_with_both_digests() {
        let (spec, mut sources) = (named(&"0".repeat(64)), Sources::default());
        let (_, manifest) = wanted(&spec).next().unwrap();
        let error = sources.add(manifest, SOUND.as_bytes()).unwrap_err();
        let found = Digest::of(SOUND.as_bytes()).to_string();
        let expected =
            format!("cpi.yaml has the SHA-256 {found}, and the spec says {}", "0".repeat(64));
        assert_eq!(error.to_string(), expected);
        assert!(error.help().contains(&found));
        assert!(sources.objects(manifest).is_none());
    }

    #[test]
    fn what_is_no_manifest_is_refused_by_its_place() {
        check("a: [1", "cpi.yaml is not YAML");
        check("kind: Pod", "document 1 of cpi.yaml has no apiVersion");
        check("- 1", "document 1 of cpi.yaml is no object");
        check("apiVersion: v1\nkind: Pod", "has no metadata.name");
        let twice = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}";
        check(
            &format!("{twice}\n---\n{twice}"),
            "document 2 of cpi.yaml is Pod default/a once more",
        );
        check(
            &format!(
                "{twice}\n---\n{}",
                twice.replace("{name: a}", "{name: a, namespace: default}")
            ),
            "document 2 of cpi.yaml is Pod default/a once more",
        );
        check("a: 1\na: 2", "duplicate mapping key: a at line 2");
    }
}
