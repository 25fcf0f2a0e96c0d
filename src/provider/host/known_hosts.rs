//! The keys that known_hosts files name (`sshd(8)`, "SSH_KNOWN_HOSTS FILE FORMAT").

use std::io::ErrorKind;
use std::path::Path;

use russh::keys::ssh_key::public::KeyData;

use super::HostError;
use super::pattern::HostPattern;

/// What all known_hosts files say, in their order.
#[derive(Clone, Debug, Default)]
pub struct KnownHosts {
    entries: Vec<Entry>,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The file and its line.
    pub(super) place: String,
    pub(super) meaning: Meaning,
    hosts: HostPattern,
    pub(super) key: KeyData,
}

/// What a line says about its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The host has it.
    Host,
    /// It signs certificates of the host (`@cert-authority`).
    Authority,
    /// It must never be accepted (`@revoked`).
    Revoked,
}

impl KnownHosts {
    /// Adds what a file says. A missing file says nothing.
    ///
    /// # Errors
    /// The file is there and cannot be read, or revokes something that cannot be understood.
    pub fn read(self, path: &Path) -> Result<Self, HostError> {
        let place = path.display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => self.parse(&place, &String::from_utf8_lossy(&bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(self),
            Err(error) => Err(HostError::KnownHosts { place, problem: error.to_string() }),
        }
    }

    /// Adds what a text says; `file` names it in messages. A line that cannot be understood adds
    /// no trust and is passed over, as OpenSSH does, unless it takes trust away.
    ///
    /// # Errors
    /// A line revokes something that cannot be understood.
    pub fn parse(mut self, file: &str, text: &str) -> Result<Self, HostError> {
        for (index, line) in text.lines().enumerate() {
            let place = format!("{file}:{}", index + 1);
            let revokes = line.trim_start().starts_with("@revoked");
            match entry(&place, line) {
                Some(entry) => self.entries.push(entry),
                None if revokes => {
                    let problem = "the revoked key cannot be understood".into();
                    return Err(HostError::KnownHosts { place, problem });
                }
                None => {}
            }
        }
        Ok(self)
    }

    /// The lines about one host. Off port 22 a line without a port counts where none has it, as
    /// in OpenSSH, and always where it revokes.
    pub(super) fn about(&self, address: &str, port: u16) -> Vec<Entry> {
        let plain = address.to_ascii_lowercase();
        let name = if port == 22 { plain.clone() } else { format!("[{plain}]:{port}") };
        let exact =
            |entry: &&Entry| entry.meaning != Meaning::Revoked && entry.hosts.matches(&name);
        let by_name = if self.entries.iter().any(|entry| exact(&entry)) { &name } else { &plain };
        let counts = |entry: &&Entry| match entry.meaning {
            Meaning::Revoked => entry.hosts.matches(&name) || entry.hosts.matches(&plain),
            Meaning::Host | Meaning::Authority => entry.hosts.matches(by_name),
        };
        self.entries.iter().filter(counts).cloned().collect()
    }
}

fn entry(place: &str, line: &str) -> Option<Entry> {
    let mut fields = line.split([' ', '\t']).filter(|field| !field.is_empty());
    let mut first = fields.next().filter(|field| !field.starts_with('#'))?;
    let meaning = match first {
        "@revoked" => Meaning::Revoked,
        "@cert-authority" => Meaning::Authority,
        marker if marker.starts_with('@') => return None,
        _ => Meaning::Host,
    };
    if meaning != Meaning::Host {
        first = fields.next()?;
    }
    let hosts = HostPattern::parse(first)?;
    let algorithm = fields.next()?;
    let key = russh::keys::parse_public_key_base64(fields.next()?).ok()?;
    let agrees = key.algorithm().as_str() == algorithm;
    agrees.then(|| Entry { place: place.to_owned(), meaning, hosts, key: key.key_data().clone() })
}
