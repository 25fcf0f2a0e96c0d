//! Connections, trust, commands and files.

use std::time::{Duration, Instant};

use boma::provider::Provider as _;
use boma::provider::host::{
    Auth, Command, Content, HostError, Hosts, JumpConfig, KnownHosts, RootFile, SshConfig,
};
use boma::resource::Reading;

use super::cluster::Subject;
use super::rig::Rig;

const ALL: [&str; 12] = [
    "server-1", "server-2", "server-3", "agent-1", "agent-2", "agent-3", "agent-4", "agent-5",
    "agent-6", "agent-7", "agent-8", "agent-9",
];

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn twelve_hosts_are_read_at_once_with_one_command_each() {
    let names = &ALL;
    let rig = Rig::take(names);
    // One of them asks for it.
    let password = rig.host("agent-9")["sudo_password"].as_str().unwrap().to_owned();
    let machines =
        rig.machines_with(SshConfig { sudo_password: Some(password.into()), ..rig.config() });
    let wanted: Vec<_> =
        names.iter().map(|name| Subject::of(&rig, "host/machine", name).wanted()).collect();
    let begun = Instant::now();
    let readings = machines.read(&wanted).await;
    println!("{} hosts read in {:?}", readings.len(), begun.elapsed());
    for ((_, reading), name) in readings.iter().zip(names) {
        let Reading::Present(object) = reading else { panic!("{name}: {reading:?}") };
        let tree = object.attributes.tree();
        assert_eq!(tree["hostname"], *name);
        for same in ["machine_id", "bios_uuid"] {
            assert_eq!(tree[same], rig.host(name)[same], "{same} of {name}");
        }
    }
    // Whether sudo asks for a password is found out by a command of its own at most.
    assert!(machines.requests() <= 2 * names.len() as u64, "{}", machines.requests());
    machines.close().await;
}

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn words_arrive_as_they_are() {
    let rig = Rig::take(&["agent-3"]);
    let words = [
        "it's", "\"", "$(id)", "`id`", "a b", "", "-n", "--", "*", "~", "a\nb", "\\n", ";", "&",
        "|", ">x", "ü✓", "!!", "#", "{a,b}", "$HOME", "\t", "\\",
    ];
    for root in [false, true] {
        let mut command = Command::new("printf").arg("%s\\0").args(words);
        if root {
            command = command.root();
        }
        let output = rig.run("agent-3", &command).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.strip_suffix('\0').unwrap().split('\0').collect::<Vec<_>>(), words);
    }
}

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn a_file_is_whole_or_as_it_was() {
    let rig = Rig::take(&["agent-4"]);
    let (hosts, target) = (rig.hosts(), rig.target("agent-4"));
    let path = "/etc/boma test/it's.conf";
    let file = |byte: u8| RootFile {
        path: path.into(),
        mode: 0o600,
        content: Content::Plain(vec![byte; 3_000_000]),
    };
    hosts.write(&target, &file(b'a')).await.unwrap();
    let stat = Command::new("stat").args(["-c", "%a %U %G %s", path]).root();
    let seen = || async { hosts.run_ok(&target, &stat).await.unwrap().text() };
    assert_eq!(seen().await.trim(), "600 root root 3000000");

    rig.disk("agent-4", "full");
    let refused = hosts.write(&target, &file(b'b')).await.unwrap_err();
    rig.disk("agent-4", "free");
    assert!(refused.help().contains("free space"), "{refused}: {}", refused.help());
    assert_eq!(seen().await.trim(), "600 root root 3000000");
    let first = Command::new("head").args(["-c", "1", path]).root();
    assert_eq!(hosts.run_ok(&target, &first).await.unwrap().stdout, b"a");
    hosts.write(&target, &file(b'c')).await.unwrap();
    assert_eq!(hosts.run_ok(&target, &first).await.unwrap().stdout, b"c");
    hosts.close().await;
}

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn another_host_key_is_refused() {
    let rig = Rig::take(&["agent-7", "agent-8"]);
    let run = async |pin: Option<&str>| {
        let mut config = rig.config();
        config.pins = pin.map(|pin| ("agent-7".to_owned(), pin.to_owned())).into_iter().collect();
        let hosts = Hosts::new(config).unwrap();
        let output = hosts.run(&rig.target("agent-7"), &Command::new("true")).await;
        hosts.close().await;
        output
    };
    let own = rig.host("agent-7")["fingerprint"].as_str().unwrap();
    let other = rig.host("agent-8")["fingerprint"].as_str().unwrap();
    let text = run(Some(other)).await.unwrap_err().to_string();
    assert!(text.contains(own) && text.contains(other), "{text}");
    let unknown = run(None).await.unwrap_err();
    assert!(matches!(unknown, HostError::UnknownKey { .. }), "{unknown}");
    assert!(run(Some(own)).await.unwrap().success());
}

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn sudo_with_a_password() {
    let rig = Rig::take(&["agent-9"]);
    let right = rig.host("agent-9")["sudo_password"].as_str().unwrap();
    let run = async |password: Option<&str>| {
        let mut config = rig.config();
        config.sudo_password = password.map(|password| password.to_owned().into());
        let hosts = Hosts::new(config).unwrap();
        let command = Command::new("cat").arg("/dev/stdin").root().stdin(b"for cat".to_vec());
        let output = hosts.run(&rig.target("agent-9"), &command).await;
        hosts.close().await;
        output
    };
    assert_eq!(run(Some(right)).await.unwrap().stdout, b"for cat");
    for password in [Some("open-onion"), None] {
        let error = run(password).await.unwrap_err();
        assert!(matches!(error, HostError::Sudo { .. }), "{error}");
        assert!(!error.to_string().contains("open-onion"), "{error}");
    }
}

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn a_cut_link_ends_the_command_and_later_ones_run() {
    let rig = Rig::take(&["agent-5"]);
    let (hosts, target) = (rig.hosts(), rig.target("agent-5"));
    let sleep = Command::new("sleep").arg("40");
    let begun = Instant::now();
    let (ended, ()) = tokio::join!(hosts.run(&target, &sleep), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        rig.link("agent-5", "cut");
    });
    let took = begun.elapsed();
    rig.link("agent-5", "restore");
    let error = ended.unwrap_err();
    assert!(matches!(error, HostError::Idle { .. } | HostError::Cut { .. }), "{error}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(hosts.run(&target, &Command::new("true")).await.unwrap().success());
    hosts.close().await;
}

/// Where a host says that boma comes from.
async fn origin(rig: &Rig, name: &str, config: SshConfig) -> Result<String, HostError> {
    let hosts = Hosts::new(config).unwrap();
    let (target, command) = (rig.target(name), Command::new("printenv").arg("SSH_CONNECTION"));
    let output = hosts.run_ok(&target, &command).await;
    hosts.close().await;
    Ok(output?.text().split(' ').next().unwrap_or_default().to_owned())
}

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn a_host_is_reached_through_another() {
    let rig = Rig::take(&["agent-3", "agent-4"]);
    let pin = |name: &str| Some(rig.host(name)["fingerprint"].as_str().unwrap().to_owned());
    let jump = |pin| JumpConfig {
        address: rig.address("agent-4"),
        port: 22,
        user: rig.config().user,
        auth: None,
        pin,
    };
    assert_eq!(origin(&rig, "agent-3", rig.config()).await.unwrap(), "10.20.0.1");
    let config = SshConfig { jump: Some(jump(pin("agent-4"))), ..rig.config() };
    assert_eq!(origin(&rig, "agent-3", config).await.unwrap(), rig.address("agent-4"));
    let wrong = SshConfig { jump: Some(jump(pin("agent-3"))), ..rig.config() };
    let error = origin(&rig, "agent-3", wrong).await.unwrap_err();
    assert!(matches!(error, HostError::ChangedKey { .. }), "{error}");
}

/// Ends the agent with the test.
struct Agent(std::process::Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn program(words: &[&str], variables: &[(&str, &str)]) -> String {
    let mut program = std::process::Command::new(words[0]);
    let output = program.args(&words[1..]).envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn the_key_of_an_agent_logs_in() {
    let rig = Rig::take(&["agent-3"]);
    let folder = tempfile::tempdir().unwrap();
    let (socket, other) = (folder.path().join("agent"), folder.path().join("other"));
    let (socket, other) = (socket.to_str().unwrap(), other.to_str().unwrap());
    let agent = std::process::Command::new("ssh-agent").args(["-D", "-a", socket]).spawn();
    let _agent = Agent(agent.unwrap());
    super::rig::until("the agent listens", Duration::from_secs(10), async || {
        std::path::Path::new(socket).exists().then_some(())
    })
    .await;
    let config = || SshConfig { auth: Auth::Agent(socket.into()), ..rig.config() };
    let error = origin(&rig, "agent-3", config()).await.unwrap_err();
    assert!(error.to_string().contains("holds no key"), "{error}");
    program(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], &[]);
    for key in [other, rig.key()] {
        program(&["ssh-add", "-q", key], &[("SSH_AUTH_SOCK", socket)]);
    }
    assert_eq!(origin(&rig, "agent-3", config()).await.unwrap(), "10.20.0.1");
}

/// Hashed by OpenSSH, rotated by hand, and signed by an authority.
#[tokio::test]
#[ignore = "needs the test hosts; run by .ci/conformance"]
async fn known_hosts_is_what_openssh_wrote() {
    let rig = Rig::boot(&["agent-7", "agent-8"]);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let known = async |text: String| {
        std::fs::write(path("known_hosts"), text).unwrap();
        program(&["ssh-keygen", "-q", "-H", "-f", &path("known_hosts")], &[]);
        let hashed = std::fs::read_to_string(path("known_hosts")).unwrap();
        assert!(!hashed.contains("10.20.0.27 "), "{hashed}");
        let known_hosts = KnownHosts::default().read(&folder.path().join("known_hosts")).unwrap();
        let config = SshConfig { pins: [].into(), known_hosts, ..rig.config() };
        origin(&rig, "agent-7", config).await
    };
    let line =
        |name: &str| format!("10.20.0.27 {}\n", rig.host(name)["host_key"].as_str().unwrap());
    let (own, other) = (line("agent-7"), line("agent-8"));
    assert!(known(own.clone()).await.is_ok());
    assert!(known(format!("{other}{own}")).await.is_ok(), "the old key and the new one");
    let error = known(other).await.unwrap_err();
    assert!(matches!(error, HostError::ChangedKey { .. }), "{error}");
    let revoked = own.replace("10.20.0.27 ", "@revoked * ");
    let error = known(format!("{own}{revoked}")).await.unwrap_err();
    assert!(matches!(error, HostError::RevokedKey { .. }), "{error}");

    program(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", &path("ca")], &[]);
    let key = rig.shell("agent-7", "cat /etc/ssh/ssh_host_ed25519_key.pub").await;
    std::fs::write(path("host.pub"), key).unwrap();
    let sign = ["ssh-keygen", "-q", "-s", &path("ca"), "-I", "a", "-h", "-n", "10.20.0.27"];
    program(&[&sign[..], &[&path("host.pub")]].concat(), &[]);
    let certificate = std::fs::read_to_string(path("host-cert.pub")).unwrap();
    let set = format!(
        "echo '{}' >/etc/ssh/boma-cert.pub && echo 'HostCertificate /etc/ssh/boma-cert.pub' \
         >/etc/ssh/sshd_config.d/boma.conf && systemctl restart ssh",
        certificate.trim()
    );
    rig.shell("agent-7", &set).await;
    let authority = std::fs::read_to_string(path("ca.pub")).unwrap();
    assert!(known(format!("@cert-authority 10.20.0.* {authority}")).await.is_ok());
    let error = known(format!("@cert-authority 10.99.0.* {authority}")).await.unwrap_err();
    assert!(matches!(error, HostError::UnknownKey { .. }), "{error}");
}
