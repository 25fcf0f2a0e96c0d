//! The k3s binary and the files around it.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde_json::Value as Json;

use super::arguments::Disk;
use super::config::{AGENT_TOKEN, CONFIG, Config, TOKEN};
use super::unit::{self, Role};
use super::{reading, settings, token};
use crate::provider::host::{
    Content, Failure, LONG, Probe, Remote, RootFile, command, machine, mark,
};
use crate::resource::{Digest, Mark};

/// Where releases come from unless a mirror or a directory is given.
const RELEASES: &str = "https://github.com/k3s-io/k3s/releases/download";

const BINARY: &str = "/usr/local/bin/k3s";
/// Filled and checked before it takes the place of [`BINARY`].
const NEW: &str = "/usr/local/bin/.k3s.boma-new";
const IMAGES: &str = "/var/lib/rancher/k3s/agent/images";

/// What is to be done on one host.
pub struct Install<'a> {
    /// The host.
    pub remote: Remote<'a>,
    /// As what.
    pub role: Role,
    /// What was read just before.
    pub probe: &'a Probe,
    /// What to write.
    pub attributes: &'a Json,
}

impl Install<'_> {
    /// Puts everything in place but starts nothing. The mark comes first, so that whoever finds
    /// half of it knows whose it is.
    ///
    /// # Errors
    /// Any [`Failure`]; what is there already stays, and doing it again goes on.
    pub async fn create(&self, mark: Option<&Mark>) -> Result<(), Failure> {
        if let Some(mark) = mark {
            self.remote.write(&mark::file(self.role.kind(), mark)).await?;
        }
        self.write(mark).await?;
        self.remote.root(&["systemctl", "enable", self.role.unit()]).await.map(drop)
    }

    /// Writes what the attributes have; nothing restarts.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub async fn write(&self, mark: Option<&Mark>) -> Result<(), Failure> {
        let disk = Disk::of(self.probe).map_err(|problem| {
            Failure::refused(problem, "write it in a form that boma reads, then plan again")
        })?;
        let marker = format!("mark/{}", mark::file_name(self.role.kind()));
        if let Some(mark) = mark.filter(|_| self.probe.text(&marker).is_none()) {
            self.remote.write(&mark::file(self.role.kind(), mark)).await?;
        }
        self.files(&disk).await?;
        if let Some(version) = self.attributes["version"].as_str() {
            self.binary(version).await?;
        }
        self.unit(&disk).await
    }

    /// config.yaml and the token files.
    ///
    /// # Errors
    /// A drop-in or a token file of somebody else's would win.
    async fn files(&self, disk: &Disk) -> Result<(), Failure> {
        let mut config = Config::of(disk.settings.clone());
        config.overlay(self.attributes);
        self.check_drop_ins(disk, &config)?;
        for (key, item, path) in
            [("token", "token", TOKEN), ("agent_token", "agent-token", AGENT_TOKEN)]
        {
            let given = self.attributes[key].as_str();
            // What stands in the unit moves into its file together with the rest.
            let in_unit = || disk.settings.get(item).and_then(Json::as_str);
            let elsewhere = disk.settings.get(&format!("{item}-file")).and_then(Json::as_str);
            match (given.or_else(in_unit), elsewhere.filter(|file| *file != path)) {
                (Some(secret), _) => self.token(path, self.probe.word(item), secret).await?,
                (None, Some(file)) => {
                    return Err(Failure::refused(
                        format!("k3s on this host reads a token from {file}"),
                        format!("copy it to {path} with mode 0600 and let {item}-file name that"),
                    ));
                }
                (None, None) => {}
            }
        }
        self.remote.write(&config.file()).await
    }

    /// A drop-in of somebody else wins over config.yaml, so that writing it would change nothing.
    fn check_drop_ins(&self, disk: &Disk, config: &Config) -> Result<(), Failure> {
        let effective = config.effective();
        let differs = |key: &String| effective.get(key) != disk.settings.get(key);
        match disk.dropped_in.iter().find(|(key, _)| differs(key)) {
            Some((key, file)) => Err(Failure::refused(
                format!("{file} sets {key} and wins over {CONFIG}"),
                format!("remove {file} from the host, then plan again"),
            )),
            None => Ok(()),
        }
    }

    /// Writes a token; one that is bound to the CA stays bound.
    async fn token(&self, path: &str, before: Option<&str>, secret: &str) -> Result<(), Failure> {
        let user = if self.role == Role::Server { "server" } else { "node" };
        let text = match before.and_then(token::ca_hash) {
            Some(hash) if path == TOKEN => token::bound(hash, user, secret),
            _ => secret.to_owned(),
        };
        let content = Content::Secret(SecretString::from(format!("{text}\n")));
        self.remote.write(&RootFile { path: path.into(), mode: 0o600, content }).await
    }

    /// The unit without arguments, and its environment without settings: config.yaml has them.
    async fn unit(&self, disk: &Disk) -> Result<(), Failure> {
        let (name, text) = (self.role.unit(), unit::render(self.role));
        let path = format!("/etc/systemd/system/{name}.service");
        let is_right = self.probe.text("unit-text") == Some(&text);
        let moved = !disk.in_unit.is_empty();
        if is_right || !(moved || disk.role.is_none()) {
            return Ok(());
        }
        self.join_file(disk).await?;
        for (item, path) in [
            ("unit-env", format!("{path}.env")),
            ("unit-default", format!("/etc/default/{name}")),
            ("unit-sysconfig", format!("/etc/sysconfig/{name}")),
        ] {
            if let Some(text) = self.probe.text(item).filter(|_| moved) {
                self.environment(path, text).await?;
            }
        }
        let content = Content::Plain(text.into_bytes());
        self.remote.write(&RootFile { path, mode: 0o644, content }).await?;
        self.remote.root(&["systemctl", "daemon-reload"]).await.map(drop)
    }

    /// What an adopted machine joined with moves out of its unit, too.
    async fn join_file(&self, disk: &Disk) -> Result<(), Failure> {
        let Some(server) = disk.in_unit.get("server").and_then(Json::as_str) else { return Ok(()) };
        self.remote.write(&super::join::file(server)).await
    }

    async fn environment(&self, path: String, text: &str) -> Result<(), Failure> {
        let is_setting = |line: &&str| {
            line.trim().split_once('=').is_some_and(|(name, _)| settings::is_variable(name))
        };
        let kept: String =
            text.lines().filter(|line| !is_setting(line)).map(|line| format!("{line}\n")).collect();
        let content = Content::Secret(SecretString::from(kept));
        self.remote.write(&RootFile { path, mode: 0o600, content }).await
    }

    /// Installs a version, unless exactly that file is there.
    async fn binary(&self, version: &str) -> Result<(), Failure> {
        let source = Source::of(&self.attributes["source"], version, self.probe)?;
        let right = source.checksum(&self.remote).await?;
        if self.hash(BINARY).await? != Some(right.clone()) {
            source.fetch(&self.remote, &right).await?;
            self.swap(version, &right).await?;
        }
        source.images(self).await?;
        for name in ["kubectl", "crictl"] {
            self.remote.root(&["ln", "-sfn", "k3s", &format!("/usr/local/bin/{name}")]).await?;
        }
        Ok(())
    }

    /// Checks the new binary by its hash and by running it, then lets it take the old one's place.
    async fn swap(&self, version: &str, right: &str) -> Result<(), Failure> {
        let found = self.hash(NEW).await?.unwrap_or_default();
        if found != right {
            self.remote.root(&["rm", "-f", NEW]).await?;
            return Err(Failure::refused(
                format!("the k3s binary of {version} has the SHA-256 {found}, not {right}"),
                "somebody changed it on the way, or the mirror is incomplete: check its files",
            ));
        }
        self.remote.root(&["chmod", "0755", NEW]).await?;
        let answer = self.remote.root(&[NEW, "--version"]).await?;
        if reading::version(&Probe::of_item("k3s-version", &answer)) != Some(version) {
            self.remote.root(&["rm", "-f", NEW]).await?;
            let line = answer.lines().next().unwrap_or_default();
            return Err(Failure::refused(
                format!("the k3s binary says it is {line:?}, not {version}"),
                "the mirror or directory holds another version under that name",
            ));
        }
        self.remote.root(&["mv", "-fT", NEW, BINARY]).await.map(drop)
    }

    /// The SHA-256 of a file on the host. `None` where it is not there.
    async fn hash(&self, path: &str) -> Result<Option<String>, Failure> {
        let output = self.remote.ask(&command(&["sha256sum", path]).root()).await?;
        let text = output.text();
        Ok(text.split_whitespace().next().filter(|_| output.success()).map(str::to_owned))
    }
}

/// Where a version's files come from.
struct Source {
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

impl Source {
    fn of(source: &Json, version: &str, probe: &Probe) -> Result<Self, Failure> {
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
    async fn checksum(&self, remote: &Remote<'_>) -> Result<String, Failure> {
        let list = format!("sha256sum-{}.txt", self.architecture);
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

    /// Brings the binary to the host, beside the old one.
    async fn fetch(&self, remote: &Remote<'_>, right: &str) -> Result<(), Failure> {
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
                    return Err(Failure::refused(
                        format!("{} has the SHA-256 {found}, not {right}", path.display()),
                        "download it again",
                    ));
                }
                upload(remote, NEW, 0o755, bytes).await
            }
        }
    }

    /// The images of an air gap directory, where it has them and k3s's own containerd reads them.
    async fn images(&self, install: &Install<'_>) -> Result<(), Failure> {
        let Place::Directory(directory) = &self.place else { return Ok(()) };
        let name = format!("k3s-airgap-images-{}.tar.zst", self.architecture);
        let path = directory.join(&name);
        if !tokio::fs::try_exists(&path).await.unwrap_or(false) {
            return Ok(());
        }
        let bytes = load(&path).await?;
        let target = format!("{IMAGES}/{name}");
        if install.hash(&target).await? == Some(Digest::of(&bytes).to_string()) {
            return Ok(());
        }
        upload(&install.remote, &target, 0o644, bytes).await
    }
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
