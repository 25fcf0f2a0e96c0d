use russh::keys::ssh_key::certificate::{Builder, CertType};
use russh::keys::{
    Algorithm, Certificate, EcdsaCurve, PrivateKey, PublicKey, PublicKeyOrCertificate,
};

use crate::provider::host::testing::*;
use crate::provider::host::trust::{Peer, Trust};
use crate::provider::host::*;

const NOW: u64 = 1_900_000_000;

fn line(key: &PrivateKey) -> String {
    PublicKey::new(key.public_key().key_data().clone(), "").to_openssh().unwrap()
}

fn trust(known: &str, port: u16) -> Trust {
    let known = KnownHosts::default().parse("known_hosts", known).unwrap();
    let peer = Peer::machine("server-1", "10.20.0.11", port);
    Trust::new(peer, None, None, &known)
}

/// `yes`, or the name of the refusal with the line it names.
fn judge(trust: &Trust, shown: impl Into<PublicKeyOrCertificate>) -> String {
    match trust.judge(&shown.into(), NOW) {
        Ok(()) => "yes".into(),
        Err(error @ HostError::UnknownKey { .. }) => {
            assert!(error.help().contains("host_keys.server-1 = \"SHA256:"), "{}", error.help());
            "unknown".into()
        }
        Err(HostError::ChangedKey { expected, .. }) => format!("changed {}", expected.source),
        Err(HostError::RevokedKey { place, .. }) => format!("revoked {place}"),
        Err(HostError::Certificate { problem, .. }) => format!("certificate: {problem}"),
        Err(other) => panic!("{other}"),
    }
}

fn check(known: &str, port: u16, shown: &PrivateKey, expected: &str) {
    assert_eq!(judge(&trust(known, port), shown.public_key().clone()), expected, "{known}");
}

#[test]
fn known_hosts_is_read_as_openssh_reads_it() {
    let (key, old) = (new_key(), new_key());
    let (key_line, old_line) = (line(&key), line(&old));
    check("", 22, &key, "unknown");
    check(&format!("10.20.0.11 {key_line}"), 22, &key, "yes");
    check(&format!("# 10.20.0.11 {key_line}"), 22, &key, "unknown");
    check(&format!("10.20.0.12 {key_line}"), 22, &key, "unknown");
    check(&format!("10.20.0.11 {old_line}"), 22, &key, "changed known_hosts:1");
    check(&format!("10.20.0.11 {old_line}\n10.20.0.11 {key_line}\n"), 22, &key, "yes");
    check(&format!("10.20.0.* {key_line} a comment\r\n"), 22, &key, "yes");
    check(&format!("\t10.20.0.11,a\t{}\t", key_line.replace(' ', "\t")), 22, &key, "yes");
    check(&format!("*,!10.20.0.11 {key_line}"), 22, &key, "unknown");
    check(&format!("@other 10.20.0.11 {key_line}"), 22, &key, "unknown");
    check(
        "10.20.0.11 ssh-ed25519 AAAA\n10.20.0.11\n\n10.20.0.11 ssh-ed25519\n",
        22,
        &key,
        "unknown",
    );
    check(
        &format!("10.20.0.11 {}", key_line.replace("ssh-ed25519", "ssh-rsa")),
        22,
        &key,
        "unknown",
    );
}

#[test]
fn ports_count_as_in_openssh() {
    let (key, old) = (new_key(), new_key());
    let (key_line, old_line) = (line(&key), line(&old));
    check(&format!("[10.20.0.11]:2222 {key_line}"), 2222, &key, "yes");
    check(&format!("[10.20.0.11]:2222 {key_line}"), 22, &key, "unknown");
    check(&format!("10.20.0.11 {key_line}"), 2222, &key, "yes");
    let both = format!("10.20.0.11 {key_line}\n[10.20.0.11]:2222 {old_line}");
    check(&both, 2222, &key, "changed known_hosts:2");
    check(&both, 22, &key, "yes");
}

#[test]
fn revoked_keys_are_refused_whatever_else_is_said() {
    let key = new_key();
    let key_line = line(&key);
    let known = format!("10.20.0.11 {key_line}\n@revoked * {key_line}\n");
    check(&known, 22, &key, "revoked known_hosts:2");
    check(&known, 2222, &key, "revoked known_hosts:2");
    let entries = KnownHosts::default().parse("known_hosts", &known).unwrap();
    let peer = Peer::machine("server-1", "10.20.0.11", 22);
    let pinned = Trust::new(peer, Some(print_of(&key)), None, &entries);
    assert_eq!(judge(&pinned, key.public_key().clone()), "revoked known_hosts:2");
    let unreadable = KnownHosts::default().parse("known_hosts", "a\n@revoked * ssh-ed25519 A");
    assert!(unreadable.unwrap_err().to_string().starts_with("known_hosts:2 cannot be used"));
}

#[test]
fn the_spec_counts_before_the_machine_and_both_before_known_hosts() {
    let (spec, machine, file) = (new_key(), new_key(), new_key());
    let known = format!("10.20.0.11 {}", line(&file));
    let known = KnownHosts::default().parse("known_hosts", &known).unwrap();
    let check = |pinned: Option<&PrivateKey>,
                 learned: Option<&PrivateKey>,
                 shown: &PrivateKey,
                 expected: &str| {
        let peer = Peer::machine("server-1", "10.20.0.11", 22);
        let trust = Trust::new(peer, pinned.map(print_of), learned.map(print_of), &known);
        assert_eq!(judge(&trust, shown.public_key().clone()), expected);
    };
    check(Some(&spec), Some(&machine), &spec, "yes");
    check(Some(&spec), Some(&machine), &machine, "changed [ssh] in the spec");
    check(None, Some(&machine), &machine, "yes");
    check(None, Some(&machine), &file, "changed the machine's own guest info");
    check(None, None, &file, "yes");
    check(None, None, &spec, "changed known_hosts:1");
}

#[test]
fn both_fingerprints_and_the_next_step_are_shown() {
    let (key, old) = (new_key(), new_key());
    let trust = trust(&format!("10.20.0.11 {}", line(&old)), 22);
    let error = trust.judge(&key.public_key().clone().into(), NOW).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&print_of(&key)) && text.contains(&print_of(&old)), "{text}");
    let help = error.help();
    assert!(help.contains("take out known_hosts:1"), "{help}");
    assert!(help.contains(&format!("host_keys.server-1 = \"{}\"", print_of(&key))), "{help}");
}

#[test]
fn known_algorithms_are_asked_for_first() {
    let ecdsa = key_of(Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 });
    let algorithms = trust(&format!("10.20.0.11 {}", line(&ecdsa)), 22).algorithms();
    assert_eq!(algorithms[0], ecdsa.algorithm());
    assert_eq!(trust("", 22).algorithms()[0], Algorithm::Ed25519);
}

#[test]
fn a_file_that_cannot_be_read_is_no_empty_file() {
    let folder = tempfile::tempdir().unwrap();
    KnownHosts::default().read(&folder.path().join("missing")).unwrap();
    let error = KnownHosts::default().read(folder.path()).unwrap_err();
    assert!(matches!(error, HostError::KnownHosts { .. }), "{error}");
}

fn certificate(
    authority: &PrivateKey,
    key: &PrivateKey,
    change: impl FnOnce(&mut Builder),
) -> Certificate {
    let data = key.public_key().key_data().clone();
    let mut builder = Builder::new(vec![7; 16], data, NOW - 10, NOW + 10).unwrap();
    builder.cert_type(CertType::Host).unwrap();
    change(&mut builder);
    builder.sign(authority).unwrap()
}

#[test]
fn certificates_of_a_known_authority_are_checked_in_full() {
    let (authority, key, stranger) = (new_key(), new_key(), new_key());
    let known = format!("@cert-authority 10.20.0.* {}", line(&authority));
    let check = |by: &PrivateKey, change: &dyn Fn(&mut Builder), expected: &str| {
        let shown = certificate(by, &key, change);
        assert_eq!(judge(&trust(&known, 22), shown), expected);
    };
    let name = |name: &'static str| {
        move |builder: &mut Builder| {
            builder.valid_principal(name).unwrap();
        }
    };
    check(&authority, &name("10.20.0.11"), "yes");
    check(&authority, &name("10.20.*"), "yes");
    check(
        &authority,
        &|builder| {
            builder.all_principals_valid().unwrap();
        },
        "yes",
    );
    check(&authority, &name("other"), "certificate: it is for other, not for 10.20.0.11");
    check(&stranger, &name("10.20.0.11"), "unknown");
    let option = |builder: &mut Builder| {
        name("10.20.0.11")(builder);
        builder.critical_option("force-command", "x").unwrap();
    };
    check(
        &authority,
        &option,
        "certificate: it has a critical option, and none is known for hosts",
    );
    let shown = certificate(&authority, &key, name("10.20.0.11"));
    let judge_at =
        |now| trust(&known, 22).judge(&shown.clone().into(), now).unwrap_err().to_string();
    assert!(judge_at(NOW - 11).contains("not valid yet"));
    assert!(judge_at(NOW + 10).contains("expired"));
    let revoked = format!("{known}\n@revoked * {}", line(&authority));
    assert_eq!(judge(&trust(&revoked, 22), shown.clone()), "revoked known_hosts:2");
    let elsewhere = known.replace("10.20.0.*", "10.99.*");
    assert_eq!(judge(&trust(&elsewhere, 22), shown), "unknown");
}

#[test]
fn certificates_for_users_are_refused() {
    let (authority, key) = (new_key(), new_key());
    let known = format!("@cert-authority * {}", line(&authority));
    let data = key.public_key().key_data().clone();
    let mut builder = Builder::new(vec![7; 16], data, NOW - 10, NOW + 10).unwrap();
    builder.cert_type(CertType::User).unwrap();
    builder.valid_principal("10.20.0.11").unwrap();
    let shown = builder.sign(&authority).unwrap();
    assert_eq!(judge(&trust(&known, 22), shown), "certificate: it is a certificate for users");
}

#[tokio::test]
async fn a_host_with_a_certificate_is_let_in_over_ssh() {
    let (authority, key) = (new_key(), new_key());
    let data = key.public_key().key_data().clone();
    let mut builder = Builder::new(vec![7; 16], data, 0, u64::MAX - 1).unwrap();
    builder.cert_type(CertType::Host).unwrap();
    builder.valid_principal("127.0.0.1").unwrap();
    let certificates = vec![builder.sign(&authority).unwrap()];
    let server = Server::start(Setup { keys: vec![key], certificates, ..Setup::default() }).await;
    let known = format!("@cert-authority [127.0.0.1]:* {}", line(&authority));
    let known_hosts = KnownHosts::default().parse("known_hosts", &known).unwrap();
    let config = SshConfig { pins: [].into(), known_hosts, ..server.config() };
    let hosts = Hosts::new(config.clone()).unwrap();
    hosts.run_ok(&target(), &Command::new("true")).await.unwrap();
    let hosts = Hosts::new(SshConfig { known_hosts: KnownHosts::default(), ..config }).unwrap();
    let error = hosts.run_ok(&target(), &Command::new("true")).await.unwrap_err();
    assert!(matches!(error, HostError::UnknownKey { .. }), "{error}");
    hosts.learn("server-1", &print_of(&server.key));
    hosts.run_ok(&target(), &Command::new("true")).await.unwrap();
}
