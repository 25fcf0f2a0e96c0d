//! Faults on request.

use crate::lab::{FaultRule, HostAction, StagedFault};

use super::client::{Client, Rig};

async fn staged(fault: StagedFault) -> (Rig, Client) {
    let rig = Rig::new(2).await;
    rig.running.stage(vec![FaultRule::on("node-1", fault).nth(2)]);
    let client = rig.connect(1).await;
    assert_eq!(client.run("true", b"").await.status, Some(0));
    let other = rig.connect(2).await;
    for _ in 0..3 {
        assert_eq!(other.run("true", b"").await.status, Some(0));
    }
    (rig, client)
}

#[tokio::test]
async fn a_command_hangs() {
    let (rig, client) = staged(StagedFault::Hang).await;
    assert!(client.hangs("sudo -n -- rm -f /etc/hostname").await);
    assert_eq!(client.run("cat /etc/hostname", b"").await.status, Some(0));
    assert!(rig.running.status().unwrap().faults.is_empty());
}

#[tokio::test]
async fn a_connection_is_cut_before_and_after() {
    for (fault, left) in [(StagedFault::DropBefore, 0), (StagedFault::DropAfter, 1)] {
        let (rig, client) = staged(fault).await;
        let ended = client.run("sudo -n -- rm -f /etc/hostname", b"").await;
        assert_eq!(ended.status, None);
        assert_eq!(rig.root(1, "test -e /etc/hostname").await.status, Some(left));
    }
}

#[tokio::test]
async fn a_disk_is_full_for_one_command() {
    let (rig, client) = staged(StagedFault::DiskFull).await;
    let line = "sudo -n -- install -m 0600 /dev/stdin /etc/x";
    let ended = client.run(line, b"text").await;
    let message = "install: error writing '/etc/x': No space left on device\n";
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(1), message));
    assert_eq!(client.run(line, b"text").await.status, Some(0));
    assert_eq!(rig.console(1, "cat /etc/x", ""), "text");
}

#[tokio::test]
async fn sudo_takes_no_password() {
    let (_rig, client) = staged(StagedFault::SudoRefused).await;
    let ended =
        client.run("sudo -S -p '' -- install -m 0600 /dev/stdin /etc/x", b"any\ntext").await;
    assert!(ended.stderr.contains("incorrect password"), "{ended:?}");
    assert_eq!(client.run("sudo -n -- test -e /etc/x", b"").await.status, Some(1));
}

#[tokio::test]
async fn a_host_reboots_or_is_dead() {
    let (rig, client) = staged(StagedFault::Reboot).await;
    rig.console(1, "install -m 0600 /dev/stdin /tmp/x", "text");
    assert_eq!(client.run("true", b"").await.status, None);
    assert_eq!(rig.root(1, "test -e /tmp/x").await.status, Some(1));
    assert_eq!(rig.running.status().unwrap().hosts[0].boots, 2);

    let (rig, client) = staged(StagedFault::Dead).await;
    assert_eq!(client.run("true", b"").await.status, None);
    assert!(rig.running.host("10.20.0.11").is_none());
    rig.running.at_host("node-1", &HostAction::Dead(false)).unwrap();
    rig.connect(1).await.close().await;
}
