//! The k3s binary and the files around it.

use secrecy::SecretString;
use serde_json::{Map, Value as Json};

use super::arguments::{Disk, JOIN_FILE};
use super::config::{AGENT_TOKEN, CONFIG, Config, TOKEN};
use super::registries::{self, REGISTRIES, Registries};
use super::release::{NEW, Release, hash};
use super::unit::{self, Role};
use super::{join, reading, settings, token};
use crate::provider::host::{Content, Failure, Probe, Remote, RootFile, mark};
use crate::resource::Mark;

const BINARY: &str = "/usr/local/bin/k3s";

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
    /// The fields that a change is about: one that the attributes lack goes.
    pub fields: &'a [String],
}

impl Install<'_> {
    /// Writes what the attributes have; nothing starts or restarts. The mark comes first where it
    /// is missing, so that whoever finds half of it knows whose it is.
    ///
    /// The unit is not enabled: after a reboot, a server that does not know yet whom to join would
    /// found a cluster of its own.
    ///
    /// # Errors
    /// Any [`Failure`]; what is there already stays, and doing it again goes on.
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
        self.unit(&disk).await?;
        match self.probe.word("joined") {
            Some("yes") => join::forget_init(self.remote, self.probe).await,
            _ => Ok(()),
        }
    }

    /// config.yaml and the token files.
    ///
    /// # Errors
    /// A drop-in or a token file of somebody else's would win.
    async fn files(&self, disk: &Disk) -> Result<(), Failure> {
        let mut config = Config::of(disk.settings.clone()).owned_in(self.probe.text("config"));
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
        self.join_file(disk).await?;
        self.registries().await?;
        self.remote.write(&config.file()).await
    }

    /// registries.yaml, where mirrors or logins are given or go.
    ///
    /// # Errors
    /// Somebody wrote it in a form that would be lost.
    async fn registries(&self) -> Result<(), Failure> {
        let none = Map::new();
        let wanted = |key: &str| {
            let goes = self.fields.iter().any(|field| field == key);
            self.attributes[key].as_object().or_else(|| goes.then_some(&none))
        };
        let (mirrors, logins) = (wanted("mirrors"), wanted("logins"));
        if mirrors.is_none() && logins.is_none() {
            return Ok(());
        }
        let mut file = Registries::of(self.probe.text(registries::ITEM)).map_err(|problem| {
            Failure::refused(
                problem,
                "move what it says into `mirrors` and `credentials` of [images], remove the file \
                 from the host, and plan again",
            )
        })?;
        file.overlay(mirrors, logins);
        if reading::service(self.probe) == "active" {
            self.remote.write(&token::unused()).await?;
        }
        match file.file() {
            Some(file) => self.remote.write(&file).await,
            None => self.remote.root(&["rm", "-f", REGISTRIES]).await.map(drop),
        }
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
        // Before the token, so that whoever finds one that no process has taken yet knows it.
        if before.is_some() && reading::service(self.probe) == "active" {
            self.remote.write(&token::unused()).await?;
        }
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
        self.check_unit_drop_ins(&path)?;
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

    /// A drop-in of the unit would go on to win over config.yaml.
    fn check_unit_drop_ins(&self, unit: &str) -> Result<(), Failure> {
        let sets = |text: &str| {
            let variables = unit::environment(text);
            unit::exec_start(text).is_some()
                || variables.iter().any(|(name, _)| settings::is_variable(name))
        };
        match self.probe.under("unit-d/").find(|(_, text)| sets(text)) {
            Some((name, _)) => Err(Failure::refused(
                format!("{unit}.d/{name} gives k3s settings and wins over {CONFIG}"),
                "remove it from the host, then plan again",
            )),
            None => Ok(()),
        }
    }

    /// What an adopted machine joined with moves into its own file, from wherever it stands.
    async fn join_file(&self, disk: &Disk) -> Result<(), Failure> {
        let is_there = self.probe.text(&format!("config-d/{JOIN_FILE}")).is_some();
        let server = disk.settings.get("server").and_then(Json::as_str);
        match server.filter(|_| !is_there) {
            Some(server) => self.remote.write(&join::file(server)).await,
            None => Ok(()),
        }
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
        let source = Release::of(&self.attributes["source"], version, self.probe)?;
        source.images(&self.remote).await?;
        let right = source.checksum(&self.remote).await?;
        if hash(&self.remote, BINARY).await? != Some(right.clone()) {
            source.fetch(&self.remote, &right).await?;
            self.swap(version, &right).await?;
        }
        for name in ["kubectl", "crictl"] {
            self.remote.root(&["ln", "-sfn", "k3s", &format!("/usr/local/bin/{name}")]).await?;
        }
        Ok(())
    }

    /// Checks the new binary by its hash and by running it, then lets it take the old one's place.
    async fn swap(&self, version: &str, right: &str) -> Result<(), Failure> {
        let found = hash(&self.remote, NEW).await?.unwrap_or_default();
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
}
