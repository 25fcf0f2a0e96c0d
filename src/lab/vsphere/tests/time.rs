//! Tasks that take time, restarts, drift.

use super::super::dispatch::Desk;
use super::super::drift::drift;
use super::super::genesis::complete;
use super::super::status::status;
use super::super::world::World;
use super::client::{Client, setup};

/// The same world, rebuilt from its records as after a kill.
fn restart(client: &mut Client) {
    let mut world = World::empty(7);
    for entry in &client.entries {
        let line = serde_json::to_string(entry).unwrap();
        world.apply(&serde_json::from_str(&line).unwrap());
    }
    let whole = serde_json::to_string(&world).unwrap();
    assert_eq!(whole, serde_json::to_string(&client.desk.world).unwrap());
    client.desk = Desk::new(serde_json::from_str(&whole).unwrap());
}

#[test]
fn a_task_is_queued_runs_and_survives_a_restart() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    client.settings.task_delay_ms = 1000;
    let mut begin = |method: &str| {
        let answer = client.ok(method, &machine, "");
        format!("Task:{}", answer.child_text("returnval").unwrap())
    };
    let (on, off) = (begin("PowerOnVM_Task"), begin("PowerOffVM_Task"));
    assert_eq!(
        (client.text(&on, "info.state"), client.text(&off, "info.state")),
        ("running".into(), "queued".into())
    );
    restart(&mut client);
    client.now += 1000;
    assert_eq!(
        (client.text(&on, "info.state"), client.text(&off, "info.state")),
        ("success".into(), "running".into())
    );
    assert_eq!(client.text(&machine, "runtime.powerState"), "poweredOn");
    assert_eq!(client.fault("CancelTask", &off, "").0, "InvalidState");
    client.now += 1000;
    assert_eq!(client.text(&machine, "runtime.powerState"), "poweredOff");
}

#[test]
fn a_queued_task_can_be_cancelled_and_nothing_follows_a_destroy() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    client.settings.task_delay_ms = 1000;
    client.ok("PowerOnVM_Task", &machine, "");
    let off =
        client.ok("PowerOffVM_Task", &machine, "").child_text("returnval").unwrap().to_owned();
    client.ok("CancelTask", &format!("Task:{off}"), "");
    assert_eq!(client.text(&format!("Task:{off}"), "info.state"), "error");
    client.ok("Destroy_Task", &machine, "");
    assert_eq!(client.fault("PowerOffVM_Task", &machine, "").0, "TaskInProgress");
}

#[test]
fn idle_sessions_end_and_are_counted() {
    let mut client = Client::new();
    client.cookie = None;
    client.login("administrator@vsphere.local");
    assert_eq!((status(&client.desk).sessions.len(), status(&client.desk).sessions_ever), (2, 2));
    client.now += 31 * 60 * 1000;
    assert_eq!(
        client.fault("CurrentTime", "ServiceInstance:ServiceInstance", "").0,
        "NotAuthenticated"
    );
    assert_eq!((status(&client.desk).sessions.len(), status(&client.desk).sessions_ever), (0, 2));
}

#[test]
fn a_later_setup_adds_and_never_removes() {
    let mut client = Client::new();
    let template = client.at("/DC1/vm/ubuntu-22.04").unwrap();
    client.task("Destroy_Task", &template, "").unwrap();
    let before = status(&client.desk);
    let mut later = setup();
    later.hosts = vec!["esx-3".to_owned()];
    assert!(complete(&mut client.desk.world, &setup()).is_empty());
    complete(&mut client.desk.world, &later);
    assert_eq!(status(&client.desk).inventory.len(), before.inventory.len() + 1);
    assert!(client.at("/DC1/host/Cluster1/esx-3").is_some());
}

#[test]
fn destroying_what_was_made_leaves_the_world_as_it_began() {
    let mut client = Client::new();
    let before = status(&client.desk).digest;
    let machine = client.clone_vm("a", "", false);
    assert_ne!(status(&client.desk).digest, before);
    client.task("Destroy_Task", &machine, "").unwrap();
    assert_eq!(status(&client.desk).digest, before);
}

#[test]
fn drift_touches_what_clients_made_once_each_and_repeats_by_seed() {
    let mut client = Client::new();
    assert_eq!(drift(&client.desk.world, 1, 5, &mut |_| true).1, []);
    for name in ["a", "b", "c", "d", "e"] {
        client.clone_vm(
            name,
            "<config><flags><diskUuidEnabled>true</diskUuidEnabled></flags></config>",
            true,
        );
    }
    for seed in 0..50 {
        let (entry, drifted) = drift(&client.desk.world, seed, 3, &mut |_| true);
        assert_eq!(drift(&client.desk.world, seed, 3, &mut |_| true).1, drifted);
        let mut names: Vec<_> = drifted.iter().map(|change| change.name.clone()).collect();
        names.dedup();
        assert_eq!((names.len(), entry.effects.len()), (3, 3));
        assert!(drifted.iter().all(|change| change.before != change.after));
    }
    assert_eq!(drift(&client.desk.world, 1, 50, &mut |_| true).1.len(), 5);
}
