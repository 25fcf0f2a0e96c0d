//! SSH keys as functions of the world's seed.

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{HashAlg, PrivateKey, PublicKey};

use crate::lab::vsphere::draw_bytes;

/// The host key of the machine with that managed object id, made anew so many times.
pub(super) fn host_key(seed: u64, machine: &str, keys: u64) -> PrivateKey {
    key(seed, &format!("ssh host key {keys}"), machine)
}

/// `SHA256:…` of a machine's first host key, as `ssh-keygen -l` writes it.
pub(in crate::lab) fn fingerprint(seed: u64, machine: &str) -> String {
    host_key(seed, machine, 0).public_key().fingerprint(HashAlg::Sha256).to_string()
}

/// The lab's own client key as OpenSSH text; every host accepts it for the users that it has.
pub(in crate::lab) fn client_key(seed: u64) -> String {
    let text = key(seed, "ssh client key", "").to_openssh(LineEnding::LF);
    text.map(|text| text.to_string()).unwrap_or_default()
}

/// The public half of [`client_key`].
pub(super) fn client_public(seed: u64) -> PublicKey {
    key(seed, "ssh client key", "").public_key().clone()
}

fn key(seed: u64, purpose: &str, name: &str) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&draw_bytes(seed, purpose, name)))
}
