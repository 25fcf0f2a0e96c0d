//! Desired values, which may point at what does not exist yet, and resources made of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{Address, Attributes, Endpoint, Kind, Place, pointer_word};

/// A computed attribute of another resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Its owner.
    pub address: Address,
    /// The attribute's path, dots between keys.
    pub path: String,
}

/// Where a secret comes from. Never the secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// A variable of boma's environment.
    Env(String),
    /// A file's content without the last line break.
    File(String),
    /// What a command prints, without the last line break.
    Command(Vec<String>),
    /// Text with secrets in it, which is a secret itself: the parts one after the other.
    Text(Vec<TextPart>),
    /// Made up once, by the apply that writes it first, and kept only in the object it is written
    /// to: nobody can tell it from anything else.
    Generated(Generated),
}

/// A secret that nobody chose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generated {
    /// Which one: the same name is the same text throughout an apply.
    pub name: String,
    /// What it looks like.
    pub form: Form,
}

/// What a generated secret looks like. Each has at least 122 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// 32 letters and digits.
    Password,
    /// 32 hexadecimal digits.
    Hex32,
    /// A UUID of version 4 (RFC 9562).
    Uuid,
}

impl Form {
    /// Writes entropy in this form.
    pub fn write(self, entropy: [u8; 32]) -> String {
        const LETTERS: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        match self {
            // 62 does not divide 256, which costs a password less than a bit in all.
            Self::Password => entropy
                .iter()
                .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
                .collect(),
            Self::Hex32 => super::hex(&entropy[..16]),
            Self::Uuid => {
                let mut bytes = entropy;
                bytes[6] = bytes[6] & 0x0f | 0x40;
                bytes[8] = bytes[8] & 0x3f | 0x80;
                let hex = super::hex(&bytes[..16]);
                let groups = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
                groups.join("-")
            }
        }
    }
}

/// A part of a text that has secrets in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextPart {
    /// Text that anybody may see.
    Plain(String),
    /// A secret, written as the text around it wants it.
    Secret(SecretSource, Escape),
}

/// How a value is written inside another text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Escape {
    /// As it is.
    None,
    /// Inside the double quotes of a git-style configuration file, as vSphere CSI reads it.
    Gcfg,
    /// As a double-quoted scalar of YAML, the quotes included.
    Yaml,
    /// As a part of a URL.
    Url,
}

impl Escape {
    /// Writes a value.
    pub fn write(self, value: &str) -> String {
        match self {
            Self::None => value.to_owned(),
            Self::Gcfg => value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"),
            Self::Yaml => Json::from(value).to_string().chars().map(yaml_char).collect(),
            Self::Url => value.bytes().map(url_byte).collect(),
        }
    }
}

/// A string of JSON is a scalar of YAML, but for what YAML does not take as printable and the line
/// separators that its 1.1 folds (yaml.org/spec/1.1, 5.1 and 5.4).
fn yaml_char(one: char) -> String {
    match one {
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
            format!("\\u{:04x}", u32::from(one))
        }
        one => one.to_string(),
    }
}

/// RFC 3986: everything but unreserved characters is written by its number.
fn url_byte(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

impl SecretSource {
    /// Whether any of it is generated.
    pub fn is_generated(&self) -> bool {
        match self {
            Self::Generated(_) => true,
            Self::Text(parts) => parts
                .iter()
                .any(|part| matches!(part, TextPart::Secret(source, _) if source.is_generated())),
            Self::Env(_) | Self::File(_) | Self::Command(_) => false,
        }
    }

    /// The text that parts make, given what each secret is. `None` where one is not known.
    pub fn join(
        parts: &[TextPart],
        secret: &dyn Fn(&SecretSource) -> Option<String>,
    ) -> Option<String> {
        let part = |part: &TextPart| match part {
            TextPart::Plain(text) => Some(text.clone()),
            TextPart::Secret(source, escape) => Some(escape.write(&secret(source)?)),
        };
        parts.iter().map(part).collect()
    }
}

/// Names the source, not the secret: `env VCENTER_PASSWORD`.
impl std::fmt::Display for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env {name}"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Command(words) => write!(f, "command {}", words.join(" ")),
            Self::Text(parts) => {
                let sources = parts.iter().filter_map(|part| match part {
                    TextPart::Plain(_) => None,
                    TextPart::Secret(source, _) => Some(source.to_string()),
                });
                write!(f, "text with {}", sources.collect::<Vec<_>>().join(", "))
            }
            Self::Generated(generated) => write!(f, "generated {}", generated.name),
        }
    }
}

/// One desired value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Known from the spec.
    Literal(Json),
    /// Known when the other resource is.
    Reference(Reference),
    /// Text with references in it, joined without separators.
    Template(Vec<Value>),
    /// Known only to the run.
    Secret(SecretSource),
    /// Several values.
    List(Vec<Value>),
    /// Named values.
    Map(BTreeMap<String, Value>),
}

const REFERENCE: &str = "$reference";
const TEMPLATE: &str = "$template";
const SECRET: &str = "$secret";

impl Value {
    /// Points at another resource's attribute.
    pub fn reference(address: &Address, path: &str) -> Self {
        Self::Reference(Reference { address: address.clone(), path: path.into() })
    }

    /// Builds a map.
    pub fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The tree with what is not literal as one-key maps: `{"$reference": …}`,
    /// `{"$template": […]}`, `{"$secret": …}`. No kind has attributes whose name begins with `$`.
    pub fn encode(&self) -> Json {
        match self {
            Self::Literal(json) => json.clone(),
            Self::Reference(reference) => tagged(REFERENCE, serde_json::json!(reference)),
            Self::Template(parts) => {
                tagged(TEMPLATE, parts.iter().map(Self::encode).collect::<Vec<_>>().into())
            }
            Self::Secret(source) => tagged(SECRET, serde_json::json!(source)),
            Self::List(items) => items.iter().map(Self::encode).collect::<Vec<_>>().into(),
            Self::Map(pairs) => Json::Object(
                pairs.iter().map(|(key, value)| (key.clone(), value.encode())).collect(),
            ),
        }
    }
}

impl<T: Into<Json>> From<T> for Value {
    fn from(literal: T) -> Self {
        Self::Literal(literal.into())
    }
}

fn tagged(tag: &str, content: Json) -> Json {
    Json::Object(Map::from_iter([(tag.to_owned(), content)]))
}

fn tag(json: &Json) -> Option<(&str, &Json)> {
    let map = json.as_object()?;
    let (key, content) = map.iter().next()?;
    (map.len() == 1 && key.starts_with('$')).then_some((key.as_str(), content))
}

/// The reference that an encoded value is, if it is one.
pub fn as_reference(json: &Json) -> Option<Reference> {
    match tag(json)? {
        (REFERENCE, content) => serde_json::from_value(content.clone()).ok(),
        _ => None,
    }
}

/// The secret source that an encoded value is, if it is one.
pub fn as_secret(json: &Json) -> Option<SecretSource> {
    match tag(json)? {
        (SECRET, content) => serde_json::from_value(content.clone()).ok(),
        _ => None,
    }
}

/// Every reference in an encoded tree, in tree order.
pub fn references(json: &Json) -> Vec<Reference> {
    if let Some(reference) = as_reference(json) {
        return vec![reference];
    }
    match json {
        Json::Array(items) => items.iter().flat_map(references).collect(),
        Json::Object(map) => map.values().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Every secret source in an encoded tree, in tree order.
pub fn secrets(json: &Json) -> Vec<SecretSource> {
    if let Some(source) = as_secret(json) {
        return vec![source];
    }
    match json {
        Json::Array(items) => items.iter().flat_map(secrets).collect(),
        Json::Object(map) => map.values().flat_map(secrets).collect(),
        _ => Vec::new(),
    }
}

/// Where in an encoded tree generated secrets stand: JSON pointers (RFC 6901), in tree order.
pub fn generated(json: &Json) -> Vec<String> {
    let below = |key: String, value: &Json| {
        let word = pointer_word(&key);
        generated(value).into_iter().map(move |rest| format!("/{word}{rest}")).collect::<Vec<_>>()
    };
    match (as_secret(json), json) {
        (Some(source), _) if source.is_generated() => vec![String::new()],
        (Some(_), _) => Vec::new(),
        (None, Json::Array(items)) => {
            items.iter().enumerate().flat_map(|(at, item)| below(at.to_string(), item)).collect()
        }
        (None, Json::Object(map)) => {
            map.iter().flat_map(|(key, value)| below(key.clone(), value)).collect()
        }
        _ => Vec::new(),
    }
}

/// Puts known values in the place of what points at them; what `known` and `secret` do not
/// know stays encoded. A template becomes text once all its parts are known.
pub fn resolve(
    json: &Json,
    known: &dyn Fn(&Reference) -> Option<Json>,
    secret: &dyn Fn(&SecretSource) -> Option<Json>,
) -> Json {
    match tag(json) {
        Some((REFERENCE, _)) => {
            return as_reference(json)
                .and_then(|reference| known(&reference))
                .unwrap_or_else(|| json.clone());
        }
        Some((SECRET, _)) => {
            return as_secret(json)
                .and_then(|source| secret(&source))
                .unwrap_or_else(|| json.clone());
        }
        Some((TEMPLATE, Json::Array(parts))) => {
            let parts: Vec<Json> = parts.iter().map(|part| resolve(part, known, secret)).collect();
            return join(&parts).unwrap_or_else(|| tagged(TEMPLATE, parts.into()));
        }
        _ => {}
    }
    match json {
        Json::Array(items) => {
            items.iter().map(|item| resolve(item, known, secret)).collect::<Vec<_>>().into()
        }
        Json::Object(map) => Json::Object(
            map.iter().map(|(key, value)| (key.clone(), resolve(value, known, secret))).collect(),
        ),
        scalar => scalar.clone(),
    }
}

fn join(parts: &[Json]) -> Option<Json> {
    let mut text = String::new();
    for part in parts {
        match part {
            Json::String(part) => text.push_str(part),
            Json::Number(_) | Json::Bool(_) => text.push_str(&part.to_string()),
            _ => return None,
        }
    }
    Some(text.into())
}

/// Why one resource must come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// Needs a value of it.
    Refers,
    /// Order only.
    After,
    /// Is gone when it is gone: a permission in its VM, an object in its namespace.
    LivesIn,
}

/// One dependency of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// Why.
    pub kind: EdgeKind,
    /// What must be there first.
    pub to: Address,
}

/// One declared thing, lowered from the spec.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its identity.
    pub address: Address,
    /// Its kind.
    pub kind: Kind,
    /// What answers for it.
    pub endpoint: Endpoint,
    /// Desired attributes, encoded (see [`Value::encode`]).
    pub attributes: Attributes,
    /// Where its object is found when no id is recorded; see [`super::Locator::place`].
    pub place: Attributes,
    /// What must come first, sorted; the owners of references are among them (see
    /// [`Resource::with_references`]).
    pub edges: Vec<Edge>,
    /// The spec line that asks for it.
    pub origin: Place,
    /// The spec line of single attributes, by top-level key. What is missing is `origin`'s.
    pub origins: BTreeMap<String, Place>,
    /// An object that stands unmarked at its place is taken over.
    pub adopt: bool,
    /// Never deleted, only forgotten.
    pub protected: bool,
}

impl Resource {
    /// Adds an edge for each reference in the attributes.
    pub fn with_references(mut self) -> Self {
        let referred = references(&self.attributes.tree());
        self.edges.extend(
            referred.into_iter().map(|found| Edge { kind: EdgeKind::Refers, to: found.address }),
        );
        self.edges.sort();
        self.edges.dedup();
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_written_as_the_text_around_it_wants_it() {
        let check = |escape: Escape, value: &str, expected: &str| {
            assert_eq!(escape.write(value), expected, "{escape:?} {value}");
        };
        check(Escape::None, r#"a"\"#, r#"a"\"#);
        check(Escape::Gcfg, r#"DOM\us"er"#, r#"DOM\\us\"er"#);
        check(Escape::Gcfg, "a\nb = \"c", r#"a\nb = \"c"#);
        check(Escape::Yaml, "a\"b\n", r#""a\"b\n""#);
        check(Escape::Yaml, "\u{1}\u{7f}\u{2028}é", r#""\u0001\u007f\u2028é""#);
        check(Escape::Url, "p@ss/w:d é", "p%40ss%2Fw%3Ad%20%C3%A9");
        let source = SecretSource::Env("X".into());
        let parts = [
            TextPart::Plain("user:".into()),
            TextPart::Secret(source.clone(), Escape::Url),
            TextPart::Plain("@host".into()),
        ];
        let known = |_: &SecretSource| Some("a b".to_owned());
        assert_eq!(SecretSource::join(&parts, &known).as_deref(), Some("user:a%20b@host"));
        assert_eq!(SecretSource::join(&parts, &|_| None), None);
        assert_eq!(SecretSource::Text(parts.into()).to_string(), "text with env X");
    }

    #[test]
    fn generated_secrets_are_found_inside_texts() {
        let made = |name: &str| {
            SecretSource::Generated(Generated { name: name.into(), form: Form::Password })
        };
        let url = SecretSource::Text(vec![
            TextPart::Plain("http://".into()),
            TextPart::Secret(made("a/password"), Escape::Url),
        ]);
        let tree = Value::map([(
            "data",
            Value::map([
                ("own", Value::Secret(SecretSource::Env("X".into()))),
                ("a/b", Value::Secret(made("a/password"))),
                ("url", Value::Secret(url)),
            ]),
        )]);
        assert_eq!(generated(&tree.encode()), ["/data/a~1b", "/data/url"]);
    }

    #[test]
    fn forms_of_generated_secrets() {
        let check = |form: Form, expected: &str| assert_eq!(form.write([0xff; 32]), expected);
        check(Form::Password, &"H".repeat(32));
        check(Form::Hex32, &"f".repeat(32));
        check(Form::Uuid, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn what_is_known_is_resolved_and_the_rest_stays() {
        let vm = Address::from("vsphere/vm/a");
        let value = Value::map([
            ("id", Value::Template(vec!["vsphere://".into(), Value::reference(&vm, "bios_uuid")])),
            ("entity", Value::reference(&vm, "path")),
            ("password", Value::Secret(SecretSource::Env("X".into()))),
        ]);
        let known = |reference: &Reference| (reference.path == "bios_uuid").then(|| json!("42"));
        let resolved = resolve(&value.encode(), &known, &|_| None);
        assert_eq!(resolved["id"], "vsphere://42");
        assert_eq!(references(&resolved), [Reference { address: vm, path: "path".into() }]);
        assert_eq!(as_secret(&resolved["password"]), Some(SecretSource::Env("X".into())));
    }
}
