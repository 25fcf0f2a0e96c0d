//! Whether the key that a host shows is the host's.

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKeyOrCertificate};

use super::known_hosts::{Entry, Meaning};
use super::pattern::glob;
use super::{Expected, HostError, KeySource, KnownHosts};

/// Host key algorithms in the order they are asked for. RSA with SHA-1 is left out: every OpenSSH
/// since 7.2 signs with SHA-2.
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// Who is connected to, for messages.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// Name of the machine, or address of the jump host.
    pub(super) machine: String,
    /// Address without the port.
    pub(super) host: String,
    pub(super) port: u16,
    /// The key of `[ssh]` that pins its fingerprint.
    pub(super) pin: String,
}

/// What is known about the keys of one host.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    pub(super) peer: Peer,
    /// The one fingerprint that counts, and who says so. `None` leaves it to known_hosts.
    pin: Option<(String, KeySource)>,
    known: Vec<Entry>,
}

impl Peer {
    /// A machine of the spec.
    pub(super) fn machine(name: &str, address: &str, port: u16) -> Self {
        let pin = format!("host_keys.{name}");
        Self { machine: name.to_owned(), host: address.to_owned(), port, pin }
    }

    /// The jump host.
    pub(super) fn jump(address: &str, port: u16) -> Self {
        let pin = "jump.host_key".to_owned();
        Self { machine: address.to_owned(), host: address.to_owned(), port, pin }
    }

    /// `address:port`.
    pub(super) fn address(&self) -> String {
        let bracket = self.host.contains(':');
        if bracket {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl Trust {
    /// `pinned` is what the spec says, `learned` what the machine published.
    pub(super) fn new(
        peer: Peer,
        pinned: Option<String>,
        learned: Option<String>,
        known_hosts: &KnownHosts,
    ) -> Self {
        let known = known_hosts.about(&peer.host, peer.port);
        let pin = pinned.map(|pin| (pin, KeySource::Spec));
        let pin = pin.or_else(|| learned.map(|pin| (pin, KeySource::Machine)));
        Self { peer, pin, known }
    }

    /// Whether a single fingerprint decides, of which nobody knows the algorithm.
    pub(super) fn is_pinned(&self) -> bool {
        self.pin.is_some()
    }

    /// The algorithms to ask the host for: those of its known keys first, since a host shows one
    /// key only.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let known: Vec<Algorithm> =
            self.of(Meaning::Host).map(|entry| entry.key.algorithm()).collect();
        let mut algorithms = ALGORITHMS.to_vec();
        algorithms.sort_by_key(|algorithm| !known.iter().any(|one| same_family(one, algorithm)));
        algorithms
    }

    /// The algorithms to ask for a certificate with: none where no authority could vouch.
    pub(super) fn certificate_algorithms(&self) -> Vec<Algorithm> {
        let vouched = self.pin.is_none() && self.of(Meaning::Authority).next().is_some();
        if vouched { ALGORITHMS.to_vec() } else { Vec::new() }
    }

    /// Accepts a key, or says why not: revoked keys first, then the pin, then known_hosts.
    /// `now` is in seconds since 1970.
    ///
    /// # Errors
    /// The key is revoked, unknown or not the expected one, or its certificate is not valid.
    pub(super) fn judge(&self, shown: &PublicKeyOrCertificate, now: u64) -> Result<(), HostError> {
        let key = shown.public_key().key_data().clone();
        let certificate = shown.certificate();
        self.check_revoked(&key, certificate)?;
        if let Some((pin, source)) = &self.pin {
            return if same_fingerprint(pin, &fingerprint(&key)) {
                Ok(())
            } else {
                Err(self.changed(&key, pin.clone(), source.clone()))
            };
        }
        if let Some(certificate) = certificate {
            let signs = |entry: &Entry| entry.key == *certificate.signature_key();
            if self.of(Meaning::Authority).any(signs) {
                return self.check_certificate(certificate, now);
            }
        }
        self.check_known(&key)
    }

    fn check_revoked(&self, key: &KeyData, by: Option<&Certificate>) -> Result<(), HostError> {
        let hit = |entry: &&Entry| {
            entry.key == *key || by.is_some_and(|by| entry.key == *by.signature_key())
        };
        let Some(entry) = self.of(Meaning::Revoked).find(hit) else { return Ok(()) };
        Err(HostError::RevokedKey {
            machine: self.peer.machine.clone(),
            address: self.peer.address(),
            presented: describe(key),
            place: entry.place.clone(),
        })
    }

    fn check_known(&self, key: &KeyData) -> Result<(), HostError> {
        let entries: Vec<&Entry> = self.of(Meaning::Host).collect();
        if entries.iter().any(|entry| entry.key == *key) {
            return Ok(());
        }
        let Some(first) = entries.first() else {
            return Err(HostError::UnknownKey {
                machine: self.peer.machine.clone(),
                address: self.peer.address(),
                pin: self.peer.pin.clone(),
                presented: describe(key),
            });
        };
        let alike = |entry: &&&Entry| same_family(&entry.key.algorithm(), &key.algorithm());
        let place = entries.iter().find(alike).unwrap_or(first).place.clone();
        let expected: Vec<String> = entries.iter().map(|entry| describe(&entry.key)).collect();
        Err(self.changed(key, expected.join(" or "), KeySource::KnownHosts(place)))
    }

    /// As PROTOCOL.certkeys asks: type, signature, time, principal and critical options, of which
    /// none exists for hosts.
    fn check_certificate(&self, certificate: &Certificate, now: u64) -> Result<(), HostError> {
        let host = self.peer.host.to_ascii_lowercase();
        let named = |name: &String| glob(name.to_ascii_lowercase().as_bytes(), host.as_bytes());
        let names = certificate.valid_principals();
        let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
        let problem = if certificate.cert_type() != CertType::Host {
            "it is a certificate for users".to_owned()
        } else if certificate.signature().algorithm() == (Algorithm::Rsa { hash: None }) {
            "it is signed with SHA-1".to_owned()
        } else if now < certificate.valid_after() {
            "it is not valid yet; check this computer's clock".to_owned()
        } else if now >= certificate.valid_before() {
            "it has expired".to_owned()
        } else if !names.is_empty() && !names.iter().any(named) {
            format!("it is for {}, not for {host}", names.join(", "))
        } else if !certificate.critical_options().is_empty() {
            "it has a critical option, and none is known for hosts".to_owned()
        } else if certificate.validate_at(now, [&authority]).is_err() {
            "its signature is wrong".to_owned()
        } else {
            return Ok(());
        };
        Err(HostError::Certificate {
            machine: self.peer.machine.clone(),
            address: self.peer.address(),
            presented: describe(certificate.public_key()),
            problem,
        })
    }

    fn changed(&self, key: &KeyData, keys: String, source: KeySource) -> HostError {
        HostError::ChangedKey {
            machine: self.peer.machine.clone(),
            address: self.peer.address(),
            pin: self.peer.pin.clone(),
            presented: describe(key),
            expected: Box::new(Expected { keys, source }),
        }
    }

    fn of(&self, meaning: Meaning) -> impl Iterator<Item = &Entry> {
        self.known.iter().filter(move |entry| entry.meaning == meaning)
    }
}

/// Whether two algorithms use the same key: RSA keys sign with several.
pub(super) fn same_family(one: &Algorithm, other: &Algorithm) -> bool {
    one == other || (one.clone().is_rsa() && other.clone().is_rsa())
}

/// `SHA256:…` as `ssh-keygen -l` prints it.
pub(super) fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Algorithm and fingerprint.
pub(super) fn describe(key: &KeyData) -> String {
    format!("{} {}", key.algorithm(), fingerprint(key))
}

/// Padding and the name of the hash are optional in what a person writes.
fn same_fingerprint(pin: &str, shown: &str) -> bool {
    let digits = |text: &str| {
        let text = text.trim();
        text.strip_prefix("SHA256:").unwrap_or(text).trim_end_matches('=').to_owned()
    };
    digits(pin) == digits(shown)
}
