//! A release of k3s: on GitHub, on a mirror of it, or in a directory on boma's own machine.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::provider::host::{Content, Failure, LONG, Probe, Remote, RootFile, command, machine};
use crate::resource::Digest;

/// Where releases come from unless a mirror or a directory is given.
const RELEASES: &str = "https://github.com/k3s-io/k3s/releases/download";

/// The new binary, until it takes the old one's place.
pub const NEW: &str = "/usr/local/bin/.k3s.boma-new";

const IMAGES: &str = "/var/lib/rancher/k3s/agent/images";

/// Where a version's files come from.
pub struct Release {
    /// The base of the release's addresses, or a directory on boma's own machine.
    place: Place,
    /// What the binary is called there: by architecture.
    binary: &'static str,
    /// `amd64`, in the names of the other files.
    architecture: &'static str,
}

enum Place {
    Url(String),
    Directory(PathBuf),
}

impl Release {
    /// The release of a version, for the architecture of a host.
    ///
    /// # Errors
    /// k3s has none for it.
    pub fn of(source: &Json, version: &str, probe: &Probe) -> Result<Self, Failure> {
        let (binary, architecture) = match machine::architecture(probe) {
            Some("aarch64") => ("k3s-arm64", "arm64"),
            Some("x86_64") | None => ("k3s", "amd64"),
            Some(other) => {
                return Err(Failure::refused(
                    format!("k3s has no release for {other}"),
                    "use machines with x86_64 or aarch64 processors",
                ));
            }
        };
        let place = match (source["directory"].as_str(), source["url"].as_str()) {
            (Some(directory), _) => {
                let directory = Path::new(directory);
                let of_version = directory.join(version);
                Place::Directory(if of_version.is_dir() { of_version } else { directory.into() })
            }
            (None, url) => {
                let base = url.unwrap_or(RELEASES).trim_end_matches('/');
                Place::Url(format!("{base}/{}", version.replace('+', "%2B")))
            }
        };
        Ok(Self { place, binary, architecture })
    }

    /// The binary's SHA-256 as the release's own list says.
    ///
    /// # Errors
    /// Any [`Failure`]; the list has none.
    pub async fn checksum(&self, remote: &Remote<'_>) -> Result<String, Failure> {
        let list = self.list();
        let (text, place) = match &self.place {
            Place::Url(base) => {
                let url = format!("{base}/{list}");
                let words = ["curl", "-fsSL", "--proto", "=https", &url];
                (remote.run(&command(&words).root()).await?, url)
            }
            Place::Directory(directory) => {
                let path = directory.join(&list);
                let bytes = load(&path).await?;
                (String::from_utf8_lossy(&bytes).into_owned(), path.display().to_string())
            }
        };
        listed(&text, self.binary).ok_or_else(|| {
            Failure::refused(
                format!("{place} lists no SHA-256 of {}", self.binary),
                "check that the version exists and that the mirror or directory has its files",
            )
        })
    }

    /// Brings the binary to the host, to [`NEW`].
    ///
    /// # Errors
    /// Any [`Failure`].
    pub async fn fetch(&self, remote: &Remote<'_>, right: &str) -> Result<(), Failure> {
        match &self.place {
            Place::Url(base) => {
                let url = format!("{base}/{}", self.binary);
                let words = ["curl", "-fsSL", "--proto", "=https", "--retry", "3", "-o", NEW, &url];
                remote.run(&command(&words).root().timeout(LONG)).await.map(drop)
            }
            Place::Directory(directory) => {
                let path = directory.join(self.binary);
                let bytes = load(&path).await?;
                let found = Digest::of(&bytes).to_string();
                if found != right {
                    return Err(differs(&path, &found, right));
                }
                upload(remote, NEW, 0o755, bytes).await
            }
        }
    }

    /// The release's list of checksums.
    fn list(&self) -> String {
        format!("sha256sum-{}.txt", self.architecture)
    }

    /// Brings the images of an air gap directory to the host, where it has them; k3s's own
    /// containerd reads them. An archive that somebody packed is in no list.
    ///
    /// # Errors
    /// Any [`Failure`]; they are not those of the release's list.
    pub async fn images(&self, remote: &Remote<'_>) -> Result<(), Failure> {
        let Place::Directory(directory) = &self.place else { return Ok(()) };
        let name = format!("k3s-airgap-images-{}.tar.zst", self.architecture);
        let path = directory.join(&name);
        if !tokio::fs::try_exists(&path).await.unwrap_or(false) {
            return Ok(());
        }
        let bytes = load(&path).await?;
        let found = Digest::of(&bytes).to_string();
        let list = load(&directory.join(self.list())).await?;
        let right = listed(&String::from_utf8_lossy(&list), &name);
        if let Some(right) = right.filter(|right| *right != found) {
            return Err(differs(&path, &found, &right));
        }
        let target = format!("{IMAGES}/{name}");
        if hash(remote, &target).await? == Some(found) {
            return Ok(());
        }
        upload(remote, &target, 0o644, bytes).await
    }
}

fn differs(path: &Path, found: &str, right: &str) -> Failure {
    let message = format!("{} has the SHA-256 {found}, not {right}", path.display());
    Failure::refused(message, "download it again")
}

/// The SHA-256 of a file on the host. `None` where it is not there.
///
/// # Errors
/// The connection.
pub async fn hash(remote: &Remote<'_>, path: &str) -> Result<Option<String>, Failure> {
    let output = remote.ask(&command(&["sha256sum", path]).root()).await?;
    let text = output.text();
    Ok(text.split_whitespace().next().filter(|_| output.success()).map(str::to_owned))
}

/// The hash of a file in a list of `<hash>  <name>` lines.
fn listed(list: &str, name: &str) -> Option<String> {
    let mut lines = list.lines().filter_map(|line| line.split_once(char::is_whitespace));
    let (hash, _) = lines.find(|(_, file)| file.trim_start().trim_start_matches('*') == name)?;
    Digest::parse(hash).map(|digest| digest.to_string())
}

async fn load(path: &Path) -> Result<Vec<u8>, Failure> {
    tokio::fs::read(path).await.map_err(|error| {
        Failure::refused(
            format!("{} cannot be read: {error}", path.display()),
            "put the release's files there ([k3s] directory), or take the key out of the spec",
        )
    })
}

async fn upload(remote: &Remote<'_>, path: &str, mode: u32, bytes: Vec<u8>) -> Result<(), Failure> {
    remote.write(&RootFile { path: path.into(), mode, content: Content::Plain(bytes) }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_its_files_exactly() {
        let hash = "0".repeat(64);
        let list = format!("{hash}  k3s-airgap-images-amd64.tar\n{}  k3s\n", "a".repeat(64));
        assert_eq!(listed(&list, "k3s"), Some("a".repeat(64)));
        assert_eq!(listed("<html>not found</html> k3s\n", "k3s"), None);
        assert_eq!(listed(&list, "k3s-arm64"), None);
    }
}
