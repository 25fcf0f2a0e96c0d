//! What a read costs, and the session it runs in.

use boma::lab::{FaultRule, ServeOptions, StagedFault};
use boma::provider::{Provider as _, Wanted};
use boma::resource::Reading;
use serde_json::json;

use super::rig::{Backend, Rig, setup, standing};
use super::subject::Subject;

on_each_backend! {
    a_read_costs_few_requests_whatever_the_number_of_machines,
    a_wrong_password_is_one_reason_and_one_login,
    no_session_is_left_behind,
}

/// With the server's own pages: the lab's hold 100 objects, as a real vCenter's do.
async fn a_read_costs_few_requests_whatever_the_number_of_machines(backend: Backend) {
    for count in [12, 1000] {
        let rig = Rig::with_machines(backend, count).await;
        let readings = rig.vcenter.read(&everything(count, rig.home())).await;
        let present = readings.iter().filter(|(_, reading)| reading.object().is_some()).count();
        assert_eq!(present, count + 2, "{:?}", readings.last());
        assert!(rig.vcenter.requests() <= 8, "{} requests for {count}", rig.vcenter.requests());
        rig.stop().await;
    }
}

#[tokio::test]
async fn without_answers_in_one_piece_pages_are_read_to_the_end() {
    let options = ServeOptions { page_size: 3, ..ServeOptions::default() };
    let rig = Rig::with(setup((0..20).map(standing).collect()), options).await;
    let unknown = StagedFault::Refuse { kind: "NotSupported".into(), message: String::new() };
    let rule = FaultRule::next("RetrieveProperties", unknown).times(100);
    rig.control().stage(&[rule]).await.unwrap();
    let readings = rig.vcenter.read(&everything(20, rig.home())).await;
    let present = readings.iter().filter(|(_, reading)| reading.object().is_some()).count();
    assert_eq!(present, 22);
    assert!(rig.vcenter.requests() > 20);
    rig.stop().await;
}

async fn a_wrong_password_is_one_reason_and_one_login(backend: Backend) {
    let rig = Rig::on(backend).await;
    let wrong = rig.with_password("wrong");
    let readings = wrong.read(&everything(12, rig.home())).await;
    let Reading::Unread(reason) = &readings[0].1 else { panic!("{readings:?}") };
    assert!(reason.contains("refused the user name or the password"), "{reason}");
    assert!(readings.iter().all(|(_, reading)| *reading == readings[0].1));
    wrong.read(&everything(12, rig.home())).await;
    if let Some(status) = rig.status().await {
        assert_eq!(status.requests["Login"], 1);
    }
    rig.stop().await;
}

async fn no_session_is_left_behind(backend: Backend) {
    let rig = Rig::on(backend).await;
    rig.folder().await;
    assert_eq!(rig.sessions().await, 1);
    rig.vcenter.logout().await;
    assert_eq!(rig.sessions().await, 0);
    rig.stop().await;
}

#[tokio::test]
#[ignore = "needs govmomi's simulator; run by .ci/conformance"]
async fn a_session_that_ends_in_the_middle_is_opened_again_once() {
    let rig = Rig::on(Backend::Vcsim).await;
    // Its PropertyCollector answers without a session too, so what is asked is no bare read.
    for name in ["cht", "cht/one", "cht/two"] {
        let place = json!({"path": format!("/DC1/vm/{name}")});
        rig.make(&Subject::new("vsphere/folder", name, place.clone()), place).await;
        assert_eq!(rig.sessions().await, 1);
        rig.vcsim().expire_sessions();
    }
    rig.vcenter.logout().await;
    assert_eq!(rig.sessions().await, 0);
    rig.stop().await;
}

/// All standing machines, their folder, a built-in role, and a permission that nobody set.
fn everything(count: usize, folder: &str) -> Vec<Wanted> {
    let machine = |number| {
        let name = format!("agent-{number}");
        Subject::new("vsphere/vm", &name, json!({"path": format!("{folder}/{name}")}))
    };
    let machines = (0..count).map(machine);
    let others = [
        Subject::new("vsphere/folder", "cht", json!({ "path": folder })),
        Subject::role("ReadOnly"),
        Subject::permission("none", "/DC1"),
    ];
    machines.chain(others).map(|subject| subject.wanted()).collect()
}
