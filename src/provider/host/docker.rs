//! `host/docker`: Docker Engine in a pinned version, from Docker's own packages.

use serde_json::{Value as Json, json};

use super::probe::Probe;
use super::remote::{LONG, Remote, command};
use super::{Command, Content, Failure, RootFile, machine, mark};
use crate::resource::{Attributes, Object, Reading};

/// The kind's name.
pub const DOCKER: &str = "host/docker";

/// Where Docker's packages come from unless a mirror is given.
const OFFICIAL: &str = "https://download.docker.com/linux";

const KEY: &str = "/etc/apt/keyrings/boma-docker.asc";
const LIST: &str = "/etc/apt/sources.list.d/boma-docker.list";

/// Reads the kind. Absent where no Docker is installed.
pub fn read(probe: &Probe) -> Reading {
    let marker = probe.text(&format!("mark/{}", mark::file_name(DOCKER)));
    let version = machine::docker_version(probe);
    if version.is_none() && marker.is_none() {
        return Reading::Absent;
    }
    let service = probe.word("docker-active").unwrap_or("inactive");
    let mut tree = json!({ "service": service });
    if let Some(version) = version {
        tree["version"] = version.into();
    }
    Reading::Present(Object {
        id: machine::id(probe),
        attributes: Attributes::new(&tree),
        mark: marker.and_then(mark::parse),
    })
}

/// Installs the version asked for, and starts the service where that is asked for. Doing it again
/// changes nothing.
///
/// # Errors
/// Any [`Failure`].
pub async fn install(remote: Remote<'_>, probe: &Probe, attributes: &Json) -> Result<(), Failure> {
    if let Some(version) = attributes["version"].as_str()
        && machine::docker_version(probe) != Some(version)
    {
        let base = attributes["source"]["url"].as_str().unwrap_or(OFFICIAL);
        packages(remote, probe, version, base).await?;
    }
    if attributes["service"] == "active" {
        remote.root(&["systemctl", "enable", "docker.service"]).await?;
        remote.root(&["systemctl", "start", "docker.service"]).await?;
    }
    Ok(())
}

/// Starts or restarts the service.
///
/// # Errors
/// Any [`Failure`].
pub async fn service(remote: Remote<'_>, verb: &str) -> Result<(), Failure> {
    remote.root(&["systemctl", verb, "docker.service"]).await.map(drop)
}

/// Removes the packages that boma installed; images and volumes of Docker stay on the disk.
///
/// # Errors
/// Any [`Failure`]; Docker was there before boma.
pub async fn remove(remote: Remote<'_>, probe: &Probe) -> Result<(), Failure> {
    let ours = probe.text(&format!("mark/{}", mark::file_name(DOCKER)));
    if ours.and_then(mark::parse).is_none() {
        return Err(Failure::refused(
            "Docker was not installed by boma",
            "remove it by hand if nothing needs it, or keep it in the spec",
        ));
    }
    if machine::docker_version(probe).is_some() {
        let names = ["docker-ce", "docker-ce-cli", "containerd.io"];
        remote.run(&apt(&["unhold"], &names, "apt-mark")).await?;
        remote.run(&apt(&["-y", "remove"], &names, "apt-get")).await?;
    }
    remote.root(&["rm", "-f", LIST, KEY, &mark::path(DOCKER)]).await.map(drop)
}

async fn packages(
    remote: Remote<'_>,
    probe: &Probe,
    version: &str,
    base: &str,
) -> Result<(), Failure> {
    let system = System::of(probe)?;
    let base = format!("{}/{}", base.trim_end_matches('/'), system.id);
    remote.root(&["mkdir", "-p", "/etc/apt/keyrings"]).await?;
    let key = ["curl", "-fsSL", "--proto", "=https", "--retry", "3", "-o", KEY];
    remote.run(&command(&key).arg(format!("{base}/gpg")).root()).await?;
    remote.root(&["chmod", "0644", KEY]).await?;
    let list = format!(
        "deb [arch={} signed-by={KEY}] {base} {} stable\n",
        system.architecture, system.codename
    );
    let list = RootFile { path: LIST.into(), mode: 0o644, content: Content::Plain(list.into()) };
    remote.write(&list).await?;
    remote.run(&apt(&["-q"], &["update"], "apt-get")).await?;
    // The engine's and the client's package versions have an epoch and a distribution around them.
    let (engine, client) =
        (format!("docker-ce=5:{version}*"), format!("docker-ce-cli=5:{version}*"));
    let options = ["-y", "-q", "--allow-downgrades", "--allow-change-held-packages", "install"];
    remote.run(&apt(&options, &[&engine, &client, "containerd.io"], "apt-get")).await?;
    remote.run(&apt(&["hold"], &["docker-ce", "docker-ce-cli"], "apt-mark")).await.map(drop)
}

/// A command of apt's that asks nobody anything.
fn apt(options: &[&str], names: &[&str], program: &str) -> Command {
    let command = command(&["env", "DEBIAN_FRONTEND=noninteractive", program]);
    let command = command.args(options.iter().copied()).args(names.iter().copied());
    command.root().timeout(LONG)
}

/// What Docker's repositories call a host's system.
struct System<'a> {
    id: &'a str,
    codename: &'a str,
    architecture: &'static str,
}

impl<'a> System<'a> {
    fn of(probe: &'a Probe) -> Result<Self, Failure> {
        let id = probe.setting("os-release", "ID").unwrap_or_default();
        let codename = probe.setting("os-release", "VERSION_CODENAME").unwrap_or_default();
        let architecture = match machine::architecture(probe) {
            Some("x86_64") => "amd64",
            Some("aarch64") => "arm64",
            _ => "",
        };
        let plain =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
        if !matches!(id, "ubuntu" | "debian") || !plain(codename) || architecture.is_empty() {
            return Err(Failure::refused(
                format!(
                    "boma installs Docker on Ubuntu and Debian; this host says it is {id:?} {codename:?}"
                ),
                "install Docker on it by hand, or use [k3s] runtime = \"containerd\"",
            ));
        }
        Ok(Self { id, codename, architecture })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn docker_is_there_or_not() {
        assert_eq!(read(&Probe::default()), Reading::Absent);
        let version = ("docker-version", "Docker version 24.0.9, build fca702d\n");
        let probe = Probe::with(&[version, ("docker-active", "active\n")]);
        let object = read(&probe).object().cloned().unwrap();
        let expected = json!({"version": "24.0.9", "service": "active"});
        assert_eq!((object.attributes.tree(), object.mark), (expected, None));
    }

    #[test]
    fn only_known_systems_get_packages() {
        let system = |release: &str| {
            let probe = Probe::with(&[("os-release", release), ("kernel", "5.15 x86_64")]);
            System::of(&probe).map(|system| system.codename.to_owned()).ok()
        };
        assert_eq!(system("ID=ubuntu\nVERSION_CODENAME=jammy\n").as_deref(), Some("jammy"));
        assert_eq!(system("ID=\"rocky\"\nVERSION_ID=9\n"), None);
        assert_eq!(system("ID=ubuntu\nVERSION_CODENAME=\"x y\"\n"), None);
    }
}
