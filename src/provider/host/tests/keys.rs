use std::path::PathBuf;

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, HashAlg, PrivateKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use crate::provider::host::testing::*;
use crate::provider::host::*;

const RSA: &str = include_str!("keys/rsa.pem");

async fn check_login(server: &Server, auth: Auth) -> Result<(), HostError> {
    let hosts = Hosts::new(SshConfig { auth, ..server.config() })?;
    hosts.run_ok(&target(), &Command::new("true")).await.map(drop)
}

fn server_for(key: &PrivateKey) -> Setup {
    Setup { users: vec![key.public_key().clone()], ..Setup::default() }
}

#[tokio::test]
async fn rsa_keys_sign_with_sha_2() {
    let key = russh::keys::decode_secret_key(RSA, None).unwrap();
    let server = Server::start(server_for(&key)).await;
    check_login(&server, Auth::Key(RSA.into())).await.unwrap();
    assert_eq!(server.logins(), ["ubuntu rsa-sha2-512"]);
}

#[tokio::test]
async fn line_ends_of_a_key_do_not_matter() {
    let server = Server::start(Setup::default()).await;
    let text = CLIENT_KEY.to_openssh(LineEnding::LF).unwrap().to_string();
    let indented = text.lines().map(|line| format!("  {line} \n")).collect::<String>();
    for text in
        [text.replace('\n', "\r\n"), text.trim_end().to_owned(), indented, format!("\n{text}\n")]
    {
        check_login(&server, Auth::Key(text.into())).await.unwrap();
    }
}

#[test]
fn other_forms_of_keys_are_read() {
    let server = |text: &str| Identity::new(&Auth::Key(text.into())).map(drop);
    use crate::provider::host::auth::Identity;
    for text in [RSA, include_str!("keys/rsa.pk8"), include_str!("keys/ecdsa.pem")] {
        server(text).unwrap();
    }
}

fn check_unusable(text: &str, says: &str) {
    let identity = crate::provider::host::auth::Identity::new(&Auth::Key(text.into()));
    let error = identity.err().unwrap();
    assert!(error.to_string().contains(says), "{error}");
    assert!(error.help().contains("[ssh] key"));
}

#[test]
fn a_key_that_cannot_be_used_says_why() {
    check_unusable(include_str!("keys/encrypted"), "encrypted with a passphrase");
    check_unusable(include_str!("keys/encrypted.pem"), "encrypted with a passphrase");
    check_unusable("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "a public key");
    check_unusable("ssh-ed25519 AAAA", "no private key");
    check_unusable("", "no private key");
    check_unusable(&RSA[..400], "the SSH private key cannot be used");
}

#[tokio::test]
async fn a_key_that_the_host_does_not_know_is_refused_once() {
    let server = Server::start(Setup::default()).await;
    let stranger = new_key();
    let error = check_login(&server, auth(&stranger)).await.unwrap_err();
    assert!(error.to_string().contains("refuses ubuntu"), "{error}");
    assert!(error.to_string().contains(&print_of(&stranger)), "{error}");
    assert_eq!(server.logins().len(), 1);
}

/// The two requests of draft-miller-ssh-agent that a login needs: 11 lists, 13 signs.
async fn agent(socket: PathBuf, keys: Vec<PrivateKey>) {
    let listener = UnixListener::bind(socket).unwrap();
    while let Ok((mut stream, _)) = listener.accept().await {
        while let Ok(length) = stream.read_u32().await {
            let mut request = vec![0; length as usize];
            stream.read_exact(&mut request).await.unwrap();
            let answer =
                if request[0] == 11 { identities(&keys) } else { signature(&keys, &request) };
            stream.write_u32(answer.len() as u32).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    }
}

fn identities(keys: &[PrivateKey]) -> Vec<u8> {
    let mut answer = vec![12];
    answer.extend((keys.len() as u32).to_be_bytes());
    for key in keys {
        string(&mut answer, &key.public_key().to_bytes().unwrap());
        string(&mut answer, b"comment");
    }
    answer
}

fn signature(keys: &[PrivateKey], request: &[u8]) -> Vec<u8> {
    use russh::keys::signature::Signer;
    let (blob, rest) = take(&request[1..]);
    let (data, _) = take(rest);
    let key = keys.iter().find(|key| key.public_key().to_bytes().unwrap() == blob).unwrap();
    let signed: russh::keys::ssh_key::Signature = key.try_sign(data).unwrap();
    let mut inner = Vec::new();
    string(&mut inner, signed.algorithm().as_str().as_bytes());
    string(&mut inner, signed.as_bytes());
    let mut answer = vec![14];
    string(&mut answer, &inner);
    answer
}

fn string(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend((bytes.len() as u32).to_be_bytes());
    to.extend(bytes);
}

fn take(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    bytes[4..].split_at(length)
}

#[tokio::test]
async fn the_keys_of_an_agent_are_tried_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    let keys = vec![new_key(), CLIENT_KEY.clone()];
    let listening = tokio::spawn(agent(socket.clone(), keys));
    let server = Server::start(Setup::default()).await;
    while !socket.exists() {
        tokio::task::yield_now().await;
    }
    check_login(&server, Auth::Agent(socket.clone())).await.unwrap();
    assert_eq!(server.logins().len(), 2);
    listening.abort();
}

#[tokio::test]
async fn an_agent_that_does_not_help_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Setup::default()).await;
    let socket = folder.path().join("none");
    let error = check_login(&server, Auth::Agent(socket)).await.unwrap_err();
    assert!(matches!(&error, HostError::Agent { .. }), "{error}");
    let socket = folder.path().join("empty");
    let listening = tokio::spawn(agent(socket.clone(), Vec::new()));
    while !socket.exists() {
        tokio::task::yield_now().await;
    }
    let error = check_login(&server, Auth::Agent(socket)).await.unwrap_err();
    assert!(error.to_string().contains("holds no key"), "{error}");
    listening.abort();
}

#[test]
fn sha_1_is_never_asked_for() {
    use crate::provider::host::trust::{Peer, Trust};
    let peer = Peer::machine("a", "a", 22);
    let algorithms = Trust::new(peer, None, None, &KnownHosts::default()).algorithms();
    assert!(!algorithms.contains(&Algorithm::Rsa { hash: None }));
    assert!(algorithms.contains(&Algorithm::Rsa { hash: Some(HashAlg::Sha256) }));
}
