//! Manifests that a spec names: read beside it, or fetched once and kept.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{CliError, Exit, chain};
use super::load::Loaded;
use super::world::runtime;
use crate::lower::{SourceError, Sources, wanted_sources};
use crate::resource::Address;
use crate::secret::expand;
use crate::spec::{Manifest, Spec};
use crate::state::State;

/// No manifest of a cluster add-on is a tenth as long.
const BYTES_MAX: usize = 8 << 20;

/// Reads what stands beside the spec. Nothing is fetched.
///
/// # Errors
/// A file is not there, or not the one that the spec means.
pub fn local(spec: &Spec, folder: &Path) -> Result<Sources, CliError> {
    let mut sources = Sources::default();
    for (_, manifest) in wanted_sources(spec).filter(|(_, manifest)| !is_url(manifest)) {
        let path = expand(&manifest.from, folder);
        let bytes = read(&path).map_err(|error| {
            let message = format!("failed to read the manifest {}: {error}", path.display());
            refused(message, "paths of manifests start from the spec's folder")
        })?;
        sources.add(manifest, &bytes).map_err(not_it)?;
    }
    Ok(sources)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = BYTES_MAX as u64 + 1;
    std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    match bytes.len() > BYTES_MAX {
        true => Err(std::io::Error::other(format!("it is longer than {BYTES_MAX} bytes"))),
        false => Ok(bytes),
    }
}

/// Adds what is named by URL: as kept in the folder of the state, or, where `online`, fetched
/// and kept. What is kept is checked each time, so nothing is lost with it.
///
/// # Errors
/// It cannot be fetched, or is not the file that the spec means.
pub fn complete(loaded: &mut Loaded, state: &Path, online: bool) -> Result<(), CliError> {
    let named: Vec<Manifest> = wanted_sources(&loaded.spec)
        .filter(|(_, manifest)| is_url(manifest))
        .map(|(_, manifest)| manifest.clone())
        .collect();
    for manifest in &named {
        let path = kept(state, manifest);
        let known =
            std::fs::read(&path).is_ok_and(|bytes| loaded.sources.add(manifest, &bytes).is_ok());
        if !known && online {
            let bytes = fetch(&manifest.from)?;
            loaded.sources.add(manifest, &bytes).map_err(not_it)?;
            keep(&path, &bytes);
        }
    }
    Ok(())
}

/// Refuses to go on without a manifest that is named by URL: a lab fetches nothing, and without the
/// part of the cluster that it makes the rest would wait for ever.
///
/// # Errors
/// One is not kept in the folder of the state.
pub fn demand(loaded: &Loaded, state: &Path) -> Result<(), CliError> {
    if loaded.sources.unplanned(&loaded.spec).is_empty() {
        return Ok(());
    }
    let named = wanted_sources(&loaded.spec).filter(|(_, manifest)| is_url(manifest));
    let Some((_, manifest)) = named.min_by_key(|(_, one)| kept(state, one).is_file()) else {
        return Ok(());
    };
    let (from, path): (&str, _) = (&manifest.from, kept(state, manifest));
    Err(refused(
        format!("the manifest {from} is not at hand, and a lab fetches nothing"),
        &format!(
            "put the file at {} (its SHA-256 is checked), or beside the spec and name its path in \
             `from`",
            path.display()
        ),
    ))
}

/// Takes out of a state what comes of manifests that were not read: a plan that does not know them
/// must not delete it.
pub fn leave_alone(loaded: &Loaded, state: &mut State) {
    let unknown = loaded.sources.unknown(&loaded.spec);
    let stays = |address: &Address| !unknown.iter().any(|glob| glob.matches(address));
    state.resources.retain(|address, _| stays(address));
}

fn is_url(manifest: &Manifest) -> bool {
    manifest.from.contains("://")
}

fn kept(state: &Path, manifest: &Manifest) -> PathBuf {
    state.join("manifests").join(format!("{}.yaml", *manifest.sha256))
}

/// A copy that cannot be kept is fetched again the next time.
fn keep(path: &Path, bytes: &[u8]) {
    if let Some(folder) = path.parent()
        && std::fs::create_dir_all(folder).is_ok()
    {
        let _ = std::fs::write(path, bytes);
    }
}

fn fetch(url: &str) -> Result<Vec<u8>, CliError> {
    let failed = |why: String| {
        CliError::new(
            format!("failed to fetch the manifest {url}: {why}"),
            "fetch it by hand, put it beside the spec and name its path in `from`",
        )
    };
    runtime()?.block_on(async {
        // Fails where the process has a TLS provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .https_only(true)
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(60))
            .user_agent(concat!("boma/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed(chain(&error)))?;
        let response = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
        let mut response = response.map_err(|error| failed(chain(&error)))?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(chain(&error)))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > BYTES_MAX {
                return Err(failed(format!("it is longer than {BYTES_MAX} bytes")));
            }
        }
        Ok(bytes)
    })
}

fn not_it(error: SourceError) -> CliError {
    refused(error.to_string(), &error.help())
}

fn refused(message: String, help: &str) -> CliError {
    CliError::new(message, help).exit(Exit::Refused)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::cli::load;
    use crate::resource::Digest;

    const SMALL: &str = include_str!("../../tests/fixtures/small.toml");
    const MANIFEST: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";

    struct Bench {
        folder: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap() }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn load(&self, from: &str, sha256: &str) -> Result<Loaded, CliError> {
            let manifest = format!("[csi.manifest]\nfrom = \"{from}\"\nsha256 = \"{sha256}\"\n");
            let text = SMALL.replace("[storage]", &format!("{manifest}\n[storage]"));
            std::fs::write(self.path("spec.toml"), text).unwrap();
            load::check(&self.path("spec.toml")).map(|checked| checked.loaded.unwrap())
        }
    }

    fn digest() -> String {
        Digest::of(MANIFEST.as_bytes()).to_string()
    }

    fn has(loaded: &Loaded) -> bool {
        loaded.sources.unplanned(&loaded.spec).is_empty()
    }

    #[test]
    fn a_file_beside_the_spec_is_read_with_it() {
        let bench = Bench::new();
        std::fs::write(bench.path("csi.yaml"), MANIFEST).unwrap();
        assert!(has(&bench.load("csi.yaml", &digest()).unwrap()));
        let error = bench.load("csi.yaml", &"0".repeat(64)).err().unwrap();
        assert!(error.message.contains(&digest()) && error.exit == Exit::Refused, "{error}");
        let error = bench.load("other.yaml", &digest()).err().unwrap();
        assert!(error.message.contains("other.yaml"), "{error}");
    }

    #[test]
    fn what_was_fetched_is_kept_and_checked() {
        let (bench, url) = (Bench::new(), "https://127.0.0.1:1/csi.yaml");
        let mut loaded = bench.load(url, &digest()).unwrap();
        let state = bench.path("state");
        complete(&mut loaded, &state, false).unwrap();
        assert!(!has(&loaded));
        let error = complete(&mut loaded, &state, true).unwrap_err();
        assert!(error.message.contains(url), "{error}");
        let path = state.join("manifests").join(format!("{}.yaml", digest()));
        keep(&path, b"something else");
        complete(&mut loaded, &state, false).unwrap();
        assert!(!has(&loaded));
        let error = demand(&loaded, &state).unwrap_err();
        assert!(error.message.contains(url) && error.exit == Exit::Refused, "{error}");
        keep(&path, MANIFEST.as_bytes());
        complete(&mut loaded, &state, true).unwrap();
        assert!(has(&loaded));
        demand(&loaded, &state).unwrap();
    }
}
