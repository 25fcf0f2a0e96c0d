//! `/etc/rancher/k3s/registries.yaml`: where containerd asks for images, and as whom (k3s docs,
//! `installation/private-registry.md`). k3s reads it at each start.

use serde_json::{Map, Value as Json, json};

use crate::provider::host::{Content, RootFile};

/// The file.
pub const REGISTRIES: &str = "/etc/rancher/k3s/registries.yaml";
/// The probe's item with its text.
pub const ITEM: &str = "registries";

/// How boma's file begins; the registries and logins that boma set follow. Others in the file are
/// somebody's own.
const HEADER: &str = "# written by boma:";

const MIRRORS: &str = "mirrors";
const CONFIGS: &str = "configs";

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registries {
    tree: Map<String, Json>,
    /// `mirrors/HOST` and `configs/HOST` that are boma's.
    own: Vec<String>,
}

impl Registries {
    /// Reads the file; none is as good as an empty one.
    ///
    /// # Errors
    /// It is no YAML map, with the reader's words, which show nothing of the file.
    pub fn of(text: Option<&str>) -> Result<Self, String> {
        let Some(text) = text else { return Ok(Self::default()) };
        let header = text.lines().next().and_then(|line| line.strip_prefix(HEADER));
        let own = header.into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect();
        let options = serde_saphyr::options! { with_snippet: false };
        match serde_saphyr::from_str_with_options(text, options) {
            Ok(Json::Object(tree)) => Ok(Self { tree, own }),
            Ok(Json::Null) => Ok(Self { tree: Map::new(), own }),
            _ => Err(format!("{REGISTRIES} is no YAML that boma reads")),
        }
    }

    /// The attribute `mirrors`: registry to the address that is asked in its place.
    pub fn mirrors(&self) -> Map<String, Json> {
        let mirrors = self.part(MIRRORS).filter_map(|(registry, mirror)| {
            let endpoints = mirror["endpoint"].as_array()?.iter().filter_map(Json::as_str);
            let endpoints: Vec<&str> = endpoints.collect();
            Some((registry.clone(), endpoints.join(", ").into()))
        });
        mirrors.collect()
    }

    /// The attribute `logins`: registry to `username` and `password`. Secret.
    pub fn logins(&self) -> Map<String, Json> {
        let logins = self.part(CONFIGS).filter_map(|(registry, config)| {
            let auth = config["auth"].as_object()?;
            let text = |key: &str| auth.get(key).cloned().unwrap_or(Json::Null);
            let login = json!({"username": text("username"), "password": text("password")});
            Some((registry.clone(), login))
        });
        logins.collect()
    }

    /// Puts mirrors and logins in place of those that boma set before; `None` leaves them. Whatever
    /// else stands in the file stays.
    pub fn overlay(
        &mut self,
        mirrors: Option<&Map<String, Json>>,
        logins: Option<&Map<String, Json>>,
    ) {
        if let Some(mirrors) = mirrors {
            let mirrors = mirrors.iter().map(|(registry, url)| (registry, json!([url])));
            self.put(MIRRORS, "endpoint", mirrors.collect());
        }
        if let Some(logins) = logins {
            let logins = logins.iter().map(|(registry, login)| (registry, login.clone()));
            self.put(CONFIGS, "auth", logins.collect());
        }
    }

    /// The file. `None` where nothing is left to say.
    pub fn file(&self) -> Option<RootFile> {
        if self.tree.is_empty() {
            return None;
        }
        let mut text = format!("{HEADER} {}\n", self.own.join(" "));
        block(&self.tree, 0, &mut text);
        let content = Content::Secret(text.into());
        Some(RootFile { path: REGISTRIES.into(), mode: 0o600, content })
    }

    fn part(&self, part: &str) -> impl Iterator<Item = (&String, &Json)> {
        self.tree.get(part).and_then(Json::as_object).into_iter().flatten()
    }

    fn put(&mut self, part: &str, key: &str, wanted: Vec<(&String, Json)>) {
        let before: Vec<String> = self
            .own
            .iter()
            .filter_map(|own| own.strip_prefix(part)?.strip_prefix('/'))
            .map(str::to_owned)
            .collect();
        let mut all: Map<String, Json> =
            self.part(part).map(|(name, value)| (name.clone(), value.clone())).collect();
        for name in before {
            all.remove(&name);
        }
        self.own.retain(|own| own.strip_prefix(part).is_none_or(|rest| !rest.starts_with('/')));
        for (name, value) in wanted {
            self.own.push(format!("{part}/{name}"));
            let slot = all.entry(name.clone()).or_insert_with(|| json!({}));
            if !slot.is_object() {
                *slot = json!({});
            }
            slot[key] = value;
        }
        match all.is_empty() {
            true => self.tree.remove(part),
            false => self.tree.insert(part.to_owned(), all.into()),
        };
    }
}

/// Writes a map; scalars, lists and keys as JSON, which YAML reads alike.
fn block(map: &Map<String, Json>, depth: usize, text: &mut String) {
    for (key, value) in map {
        let (pad, key) = ("  ".repeat(depth), Json::from(key.as_str()));
        match value {
            Json::Object(inner) if !inner.is_empty() => {
                *text += &format!("{pad}{key}:\n");
                block(inner, depth + 1, text);
            }
            value => *text += &format!("{pad}{key}: {value}\n"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn map(json: Json) -> Map<String, Json> {
        json.as_object().unwrap().clone()
    }

    fn text(registries: &Registries) -> Option<String> {
        let Content::Secret(text) = registries.file()?.content else { panic!("it is secret") };
        Some(text.expose_secret().to_owned())
    }

    #[test]
    fn what_is_written_is_read() {
        let mirrors = map(json!({"registry.k8s.io": "https://m.example.org:5000"}));
        let logins = map(json!({"m.example.org:5000": {"username": "u", "password": "a\"b: #c"}}));
        let mut file = Registries::default();
        file.overlay(Some(&mirrors), Some(&logins));
        let written = text(&file).unwrap();
        let expected = "# written by boma: mirrors/registry.k8s.io configs/m.example.org:5000\n\
            \"configs\":\n  \"m.example.org:5000\":\n    \"auth\":\n      \"password\": \"a\\\"b: #c\"\n\
            \x20     \"username\": \"u\"\n\"mirrors\":\n  \"registry.k8s.io\":\n\
            \x20   \"endpoint\": [\"https://m.example.org:5000\"]\n";
        assert_eq!(written, expected);
        let mut read = Registries::of(Some(&written)).unwrap();
        assert_eq!((read.mirrors(), read.logins()), (mirrors, logins));
        read.overlay(Some(&Map::new()), None);
        assert_eq!(read.mirrors(), Map::new());
        assert_eq!(read.logins().len(), 1);
        read.overlay(None, Some(&Map::new()));
        assert!(read.file().is_none());
    }

    #[test]
    fn what_others_wrote_stays() {
        let others = "mirrors:\n  docker.io:\n    endpoint:\n    - https://a\n    - https://b\n  \
            quay.io:\n    endpoint: [https://q]\nconfigs:\n  a:\n    tls:\n      ca_file: /ca.pem\n";
        let mut file = Registries::of(Some(others)).unwrap();
        let found = json!({"docker.io": "https://a, https://b", "quay.io": "https://q"});
        assert_eq!((Json::Object(file.mirrors()), file.logins()), (found, Map::new()));
        let login = map(json!({"a": {"username": "u", "password": "p"}}));
        file.overlay(Some(&map(json!({"docker.io": "https://m"}))), Some(&login));
        let mut read = Registries::of(text(&file).as_deref()).unwrap();
        assert_eq!(read, file);
        assert_eq!(read.tree["configs"]["a"]["tls"]["ca_file"], "/ca.pem");
        assert_eq!(read.mirrors()["docker.io"], "https://m");
        read.overlay(Some(&Map::new()), None);
        assert_eq!(Json::Object(read.mirrors()), json!({"quay.io": "https://q"}));
    }

    #[test]
    fn what_is_no_map_is_refused_without_a_word_of_it() {
        for text in ["secret", "a: [secret", "- secret"] {
            let problem = Registries::of(Some(text)).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
        assert_eq!(Registries::of(Some("# nothing\n")), Ok(Registries::default()));
    }
}
