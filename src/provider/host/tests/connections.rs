use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::provider::Retry;
use crate::provider::host::testing::*;
use crate::provider::host::*;

async fn echo(hosts: &Hosts, text: &str) -> Result<String, HostError> {
    Ok(hosts.run_ok(&target(), &Command::new("echo").arg(text)).await?.text())
}

#[tokio::test]
async fn a_dead_connection_is_opened_again() {
    let server = Server::start(Setup::default()).await;
    let hosts = server.hosts();
    assert_eq!(echo(&hosts, "one").await.unwrap(), "one\n");
    server.cut_all().await;
    assert_eq!(echo(&hosts, "two").await.unwrap(), "two\n");
    assert_eq!((server.connections(), server.lines().len()), (2, 2));
    hosts.close().await;
    assert_eq!(echo(&hosts, "three").await.unwrap(), "three\n");
    assert_eq!(server.connections(), 3);
}

/// Passes bytes on until it is told to swallow them; new connections work.
async fn freezer(to: std::net::SocketAddr) -> (u16, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (freeze, frozen) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(to).await.unwrap();
            let mut frozen = frozen.clone();
            frozen.mark_unchanged();
            tokio::spawn(async move {
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    _ = frozen.changed() => std::future::pending().await,
                }
            });
        }
    });
    (port, freeze)
}

#[tokio::test]
async fn a_silent_host_is_found_and_left() {
    let server = Server::start(Setup::default()).await;
    let (port, freeze) = freezer(server.address).await;
    let idle_timeout = Duration::from_millis(400);
    let hosts = Hosts::new(SshConfig { port, idle_timeout, ..server.config() }).unwrap();
    echo(&hosts, "one").await.unwrap();
    let (machine, hang) = (target(), Command::new("hang"));
    let stop = async {
        while server.lines().len() < 2 {
            tokio::task::yield_now().await;
        }
        freeze.send(true).unwrap();
    };
    let (result, ()) = tokio::join!(hosts.run(&machine, &hang), stop);
    let error = result.unwrap_err();
    assert!(matches!(&error, HostError::Idle { command, .. } if command == "hang"), "{error}");
    assert_eq!(error.retry(), Retry::Later);
    assert_eq!(echo(&hosts, "two").await.unwrap(), "two\n");
    assert_eq!(server.lines().iter().filter(|line| *line == "hang").count(), 1);
}

#[tokio::test]
async fn a_host_that_answers_keepalives_may_be_quiet() {
    let server = Server::start(Setup::default()).await;
    let idle_timeout = Duration::from_millis(200);
    let hosts = Hosts::new(SshConfig { idle_timeout, ..server.config() }).unwrap();
    let hang = Command::new("hang").timeout(Duration::from_millis(700));
    let error = hosts.run(&target(), &hang).await.unwrap_err();
    assert!(matches!(error, HostError::Timeout { .. }), "{error}");
    assert_eq!(echo(&hosts, "here").await.unwrap(), "here\n");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_host_that_says_nothing_costs_one_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::start(Setup::default()).await;
    let config = SshConfig {
        port: listener.local_addr().unwrap().port(),
        connect_timeout: Duration::from_millis(50),
        ..server.config()
    };
    let hosts = Hosts::new(config).unwrap();
    let (one, two) = tokio::join!(echo(&hosts, "one"), echo(&hosts, "two"));
    let error = one.unwrap_err();
    assert_eq!(Err(error.clone()), two);
    assert!(matches!(&error, HostError::ConnectTimeout { .. }), "{error}");
    assert_eq!(error.retry(), Retry::Later);
    listener.accept().await.unwrap();
    let second = tokio::time::timeout(Duration::from_millis(20), listener.accept()).await;
    assert!(second.is_err(), "both waited for one connection");
}

#[tokio::test]
async fn a_closed_port_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let server = Server::start(Setup::default()).await;
    let hosts = Hosts::new(SshConfig { port, ..server.config() }).unwrap();
    let error = echo(&hosts, "x").await.unwrap_err();
    assert!(matches!(&error, HostError::Connect { .. }), "{error}");
    assert!(
        error.to_string().starts_with(&format!("server-1 (127.0.0.1:{port}) cannot be reached"))
    );
}

#[tokio::test]
async fn something_else_than_ssh_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let server = Server::start(Setup::default()).await;
    let hosts = Hosts::new(SshConfig { port, ..server.config() }).unwrap();
    let error = echo(&hosts, "x").await.unwrap_err();
    assert!(matches!(&error, HostError::Handshake { .. }), "{error}");
}

fn jump(server: &Server) -> JumpConfig {
    JumpConfig {
        address: "127.0.0.1".into(),
        port: server.address.port(),
        user: "hopper".into(),
        auth: None,
        pin: Some(print_of(&server.key)),
    }
}

#[tokio::test]
async fn machines_are_reached_through_the_jump_host() {
    let (bastion, server) =
        (Server::start(Setup::default()).await, Server::start(Setup::default()).await);
    let config = SshConfig { jump: Some(jump(&bastion)), ..server.config() };
    let hosts = Hosts::new(config.clone()).unwrap();
    assert_eq!(echo(&hosts, "one").await.unwrap(), "one\n");
    assert_eq!(bastion.lines(), ["forward 127.0.0.1"]);
    assert_eq!(bastion.logins()[0].split(' ').next(), Some("hopper"));
    assert_eq!(server.logins()[0].split(' ').next(), Some("ubuntu"));
    bastion.cut_all().await;
    assert_eq!(echo(&hosts, "two").await.unwrap(), "two\n");
    assert_eq!((bastion.connections(), server.connections()), (2, 2));
}

#[tokio::test]
async fn both_hosts_of_a_jump_are_checked() {
    let (bastion, server) =
        (Server::start(Setup::default()).await, Server::start(Setup::default()).await);
    let other = Some(print_of(&new_key()));
    let config =
        SshConfig { jump: Some(JumpConfig { pin: other, ..jump(&bastion) }), ..server.config() };
    let error = echo(&Hosts::new(config).unwrap(), "x").await.unwrap_err();
    assert!(
        matches!(&error, HostError::ChangedKey { machine, .. } if machine == "127.0.0.1"),
        "{error}"
    );
    assert!(error.help().contains("correct jump.host_key in [ssh]"), "{}", error.help());
    let config = SshConfig { jump: Some(jump(&bastion)), pins: [].into(), ..server.config() };
    let error = echo(&Hosts::new(config).unwrap(), "x").await.unwrap_err();
    assert!(
        matches!(&error, HostError::UnknownKey { machine, .. } if machine == "server-1"),
        "{error}"
    );
    let config = SshConfig { jump: Some(jump(&bastion)), port: 1, ..server.config() };
    let error = echo(&Hosts::new(config).unwrap(), "x").await.unwrap_err();
    assert!(
        matches!(&error, HostError::Forward { through, .. } if through == "127.0.0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn a_stream_leads_to_another_port() {
    let server = Server::start(Setup::default()).await;
    let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = api.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = api.accept().await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    });
    let hosts = server.hosts();
    let mut stream = hosts.stream_to(&target(), "127.0.0.1", port).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"hello");
    let refused = hosts.stream_to(&target(), "127.0.0.1", 1).await.err().unwrap();
    assert!(matches!(&refused, HostError::Forward { to, .. } if to == "127.0.0.1:1"), "{refused}");
}

#[tokio::test]
async fn a_pin_may_be_of_any_of_the_hosts_keys() {
    let ecdsa = key_of(Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 });
    let setup = Setup { keys: vec![new_key(), ecdsa.clone()], ..Setup::default() };
    let server = Server::start(setup).await;
    let pins = |pin: String| [("server-1".to_owned(), pin)].into();
    let config = SshConfig { pins: pins(print_of(&ecdsa)), ..server.config() };
    assert_eq!(echo(&Hosts::new(config).unwrap(), "one").await.unwrap(), "one\n");
    let config = SshConfig { pins: pins(print_of(&new_key())), ..server.config() };
    let error = echo(&Hosts::new(config).unwrap(), "one").await.unwrap_err();
    assert!(error.to_string().contains(&print_of(&server.key)), "{error}");
}

#[tokio::test]
async fn names_are_resolved_by_the_route() {
    struct Book(std::net::SocketAddr);
    impl Route for Book {
        fn resolve<'a>(
            &'a self,
            address: &'a str,
            _: u16,
        ) -> crate::provider::BoxFuture<'a, std::io::Result<std::net::SocketAddr>> {
            let known = address == "10.20.0.11";
            let missing = std::io::Error::other("no such place");
            Box::pin(async move { if known { Ok(self.0) } else { Err(missing) } })
        }
    }
    let server = Server::start(Setup::default()).await;
    let config = SshConfig { route: Arc::new(Book(server.address)), ..server.config() };
    let hosts = Hosts::new(config).unwrap();
    let mut host = Target { machine: "server-1".into(), address: "10.20.0.11".into() };
    hosts.run_ok(&host, &Command::new("true")).await.unwrap();
    host.address = "10.20.0.12".into();
    let error = hosts.run_ok(&host, &Command::new("true")).await.unwrap_err();
    assert!(error.to_string().contains("no such place"), "{error}");
}
