//! Hosts are part of the world that outlives the process.

use crate::lab::{Control, HostAction};

use super::client::Rig;

#[tokio::test]
async fn what_a_command_did_outlives_the_process() {
    let rig = Rig::new(1).await;
    let client = rig.connect(1).await;
    let fingerprint = client.fingerprint.clone();
    client.run("sudo -n -- install -m 0600 /dev/stdin /etc/x", b"text").await;
    client.close().await;
    let rig = rig.reopened().await;
    assert_eq!(rig.console(1, "cat /etc/x", ""), "text");
    assert_eq!(rig.connect(1).await.fingerprint, fingerprint);
    rig.running.at_host("node-1", &HostAction::NewHostKey).unwrap();
    assert_ne!(rig.connect(1).await.fingerprint, fingerprint);
}

#[tokio::test]
async fn others_reach_hosts_through_the_side_door() {
    let rig = Rig::new(2).await;
    let control = Control::connect(&rig.running.endpoints).unwrap();
    let hosts = control.hosts().await.unwrap();
    assert_eq!(hosts, rig.running.hosts());
    assert_eq!(hosts[1].address, "10.20.0.12");
    let action = HostAction::Run { line: "hostname".to_owned(), stdin: String::new() };
    assert_eq!(control.at_host("node-2", &action).await.unwrap().stdout, "node-2\n");
    assert!(control.at_host("node-9", &action).await.is_err());
}

#[tokio::test]
async fn a_world_from_before_there_were_hosts_opens() {
    let rig = Rig::new(1).await;
    let directory = rig.directory.path().to_owned();
    let log = |directory: &std::path::Path| {
        let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|ending| ending == "log")).count()
    };
    assert_eq!(log(&directory), 1);
    let path = directory.join("world.json");
    let mut snapshot: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let tree = snapshot.as_object_mut().unwrap();
    assert!(tree.remove("hosts").is_some() && tree.remove("clusters").is_some());
    let Rig { running, directory: kept, .. } = rig;
    drop(running);
    std::fs::write(&path, snapshot.to_string()).unwrap();
    tokio::task::yield_now().await;
    let lab = crate::lab::Lab::open(kept.path(), &crate::lab::Setup::default()).unwrap();
    assert!(matches!(lab, crate::lab::Opened::Owned(_)));
}
