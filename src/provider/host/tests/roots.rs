use std::sync::Arc;

use crate::provider::Retry;
use crate::provider::host::testing::*;
use crate::provider::host::*;

async fn server(password: Option<&'static str>) -> Server {
    Server::start(Setup { shell: sudo_shell(password), ..Setup::default() }).await
}

fn hosts(server: &Server, password: Option<&str>) -> Hosts {
    let sudo_password = password.map(Into::into);
    Hosts::new(SshConfig { sudo_password, ..server.config() }).unwrap()
}

/// `cat` as root gives back exactly what it was fed, whatever sudo wants and boma has.
async fn check(wanted: Option<&'static str>, given: Option<&str>, sent: &str) {
    let server = server(wanted).await;
    let hosts = hosts(&server, given);
    for _ in 0..2 {
        let command = Command::new("cat").root().stdin(b"first\nsecond\n".to_vec());
        let output = hosts.run_ok(&target(), &command).await.unwrap();
        assert_eq!(output.text(), "first\nsecond\n");
    }
    assert_eq!(server.lines().last().unwrap(), sent);
    assert_eq!(hosts.requests(), 2);
    assert!(!server.lines().join("\n").contains("hunter2"), "{:?}", server.lines());
}

#[tokio::test]
async fn root_is_reached_with_and_without_a_password() {
    check(None, None, "sudo -n -- cat").await;
    check(None, Some("hunter2"), "sudo -n -- cat").await;
    check(Some("hunter2"), Some("hunter2"), "sudo -k -S -p '' -- env cat").await;
}

async fn check_refused(wanted: &'static str, given: Option<&str>, says: &str) {
    let server = server(Some(wanted)).await;
    let hosts = hosts(&server, given);
    let command = Command::new("cat").root().stdin(b"content".to_vec());
    for _ in 0..2 {
        let error = hosts.run(&target(), &command).await.unwrap_err();
        assert!(matches!(&error, HostError::Sudo { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.help().contains("sudo_password"), "{}", error.help());
        assert_eq!(error.retry(), Retry::Never);
        assert!(!format!("{error} {error:?} {}", error.help()).contains("hunter3"));
    }
    let guesses = server.lines().iter().filter(|line| line.contains("-S")).count();
    assert!(guesses <= 1, "one wrong guess only: {:?}", server.lines());
}

#[tokio::test]
async fn a_wrong_or_missing_sudo_password_is_one_clear_error() {
    check_refused(
        "hunter2",
        Some("hunter3"),
        "sudo on server-1 refuses ubuntu: the password is wrong",
    )
    .await;
    check_refused("hunter2", None, "sudo: a password is required").await;
}

#[tokio::test]
async fn root_itself_needs_no_sudo() {
    let server = Server::start(Setup::default()).await;
    let config = SshConfig { user: "root".into(), ..server.config() };
    let hosts = Hosts::new(config).unwrap();
    hosts.run_ok(&target(), &Command::new("true").root()).await.unwrap();
    assert_eq!(server.lines(), ["true"]);
}

#[tokio::test]
async fn files_are_filled_aside_and_renamed() {
    let shell: Shell = Arc::new(|_, _| (0, Vec::new(), String::new()));
    let server = Server::start(Setup { shell, ..Setup::default() }).await;
    let file = RootFile {
        path: "/etc/rancher/k3s/it's a token".into(),
        mode: 0o600,
        content: Content::Secret("K10secret".into()),
    };
    server.hosts().write(&target(), &file).await.unwrap();
    let aside = r"'/etc/rancher/k3s/.it'\''s a token.boma-new'";
    assert_eq!(
        server.lines(),
        [
            format!("sudo -n -- install -D -o root -g root -m 0600 /dev/stdin {aside}"),
            format!(r"sudo -n -- mv -fT {aside} '/etc/rancher/k3s/it'\''s a token'"),
        ]
    );
    assert_eq!(server.inputs(), [b"K10secret".to_vec(), Vec::new()]);
    assert!(!format!("{file:?}").contains("K10"));
}

#[tokio::test]
async fn a_file_that_cannot_be_filled_is_not_renamed() {
    let full = "install: error writing '/etc/.a.boma-new': No space left on device\n";
    let shell: Shell = Arc::new(move |_, _| (1, Vec::new(), full.into()));
    let server = Server::start(Setup { shell, ..Setup::default() }).await;
    let hosts = server.hosts();
    let file = |path: &str| RootFile {
        path: path.into(),
        mode: 0o644,
        content: Content::Plain(b"x".to_vec()),
    };
    let error = hosts.write(&target(), &file("/etc/a")).await.unwrap_err();
    assert!(error.help().contains("free space"), "{error}");
    assert_eq!(server.lines().len(), 1);
    for path in ["etc/a", "/etc/", "a", ""] {
        let error = hosts.write(&target(), &file(path)).await.unwrap_err();
        assert!(matches!(error, HostError::Unsendable { .. }), "{path}");
    }
    assert_eq!(server.lines().len(), 1);
}

#[test]
fn nothing_shows_a_secret() {
    let command = Command::new("curl").arg("-K").arg("-").secret_stdin("hunter2".into()).root();
    assert_eq!(command.to_string(), "curl -K -");
    assert!(!format!("{command:?}").contains("hunter2"));
    assert!(!format!("{:?}", auth(&CLIENT_KEY)).contains("OPENSSH"));
}
