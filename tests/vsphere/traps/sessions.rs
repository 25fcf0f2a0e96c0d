//! Section 7, pains 1 and 2: sessions that stay behind, and sessions that die.

use boma::lab::{FaultRule, StagedFault};
use boma::provider::Provider as _;

use super::real::Real;
use crate::vsphere::rig::{Backend, Rig};
use crate::vsphere::subject::{Subject, machine};

on_each_backend! {
    a_run_is_one_session_and_a_logout,
}

async fn a_run_is_one_session_and_a_logout(backend: Backend) {
    let rig = Rig::with_machines(backend, 3).await;
    let before = rig.sessions().await;
    let wanted = [Subject::role("ReadOnly").wanted(), Subject::vm("agent-0").wanted()];
    let read = || rig.vcenter.read(&wanted);
    tokio::join!(read(), read(), read(), read());
    assert_eq!(rig.sessions().await, before + 1);
    if let Some(status) = rig.status().await {
        assert_eq!(status.requests["Login"], 1);
        assert_eq!(status.sessions[0].agent, "boma/test");
    }
    rig.vcenter.logout().await;
    assert_eq!(rig.sessions().await, before);
    rig.stop().await;
}

/// Each command, and each command that fails half-way.
#[tokio::test(flavor = "multi_thread")]
async fn no_command_leaves_a_session() {
    let real = Real::new().await;
    let commands: &[&[&str]] = &[
        &["plan"],
        &["apply", "--yes"],
        &["drift"],
        &["inventory"],
        &["plan", "--out", "saved.plan"],
        &["destroy", "--yes"],
    ];
    for command in commands {
        let kind = "SystemError".to_owned();
        let fault = StagedFault::Refuse { kind, message: "staged".into() };
        let rule = FaultRule::next("RetrieveProperties", fault).times(1000);
        real.rig.control().stage(&[rule]).await.unwrap();
        let failed = real.env.run(&[command, &["real.toml"][..]].concat());
        assert!(format!("{}{}", failed.stdout, failed.stderr).contains("staged"), "{failed}");
        assert_eq!(real.status().await.sessions, []);
        real.rig.control().stage(&[]).await.unwrap();
        real.run(0, command);
        let status = real.status().await;
        assert_eq!(status.sessions, []);
    }
    let status = real.status().await;
    assert_eq!(status.sessions_ever, 2 * commands.len() as u64);
    assert_eq!(status.requests["Logout"], status.sessions_ever);
    real.rig.stop().await;
}

/// A session that ends during an apply is opened again once, and the apply goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_dies_in_the_middle_is_opened_again_once() {
    let real = Real::new().await;
    let expire = |nth| FaultRule {
        host: None,
        method: Some("CloneVM_Task".into()),
        nth,
        times: 1,
        fault: StagedFault::ExpireSession,
    };
    real.rig.control().stage(&[expire(3)]).await.unwrap();
    real.run(0, &["apply", "--yes"]);
    let status = real.status().await;
    assert_eq!((status.sessions_ever, status.sessions.len()), (2, 0));
    real.assert_settled();
    real.rig.stop().await;
}

/// No storm of logins: whoever ends all sessions is named, and asked no more.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_do_not_last_are_not_opened_for_ever() {
    for (method, logins) in [(None, 2), (Some("SetEntityPermissions"), 4)] {
        let real = Real::new().await;
        let method = method.map(str::to_owned);
        let fault = StagedFault::ExpireSession;
        let rule = FaultRule { host: None, method, nth: 20, times: 1000, fault };
        let rule = if rule.method.is_some() { rule.nth(1) } else { rule };
        real.rig.control().stage(&[rule]).await.unwrap();
        let applied = real.run(4, &["apply", "--yes"]);
        assert!(applied.stdout.contains("vCenter end"), "{applied}");
        let status = real.status().await;
        assert!(status.sessions_ever <= logins, "{} logins", status.sessions_ever);
        assert_eq!(status.sessions, []);
        real.rig.stop().await;
    }
    let real = Real::new().await;
    let rule = FaultRule {
        host: None,
        method: None,
        nth: 1,
        times: 1000,
        fault: StagedFault::ExpireSession,
    };
    real.rig.control().stage(&[rule]).await.unwrap();
    let plan = real.run(1, &["plan"]);
    assert!(plan.stdout.contains("vCenter ends boma's sessions as soon as"), "{plan}");
    assert_eq!(real.status().await.sessions_ever, 2);
    real.rig.stop().await;
}

/// A view belongs to its session: a call that another call's login takes it from begins anew.
#[tokio::test]
async fn a_view_that_ends_with_its_session_is_made_again() {
    let rig = Rig::with_machines(Backend::Lab, 3).await;
    let end = |method: &str| FaultRule::next(method, StagedFault::ExpireSession);
    for method in ["RetrieveProperties", "RetrievePropertiesEx"] {
        rig.control().stage(&[end(method)]).await.unwrap();
        let vm = Subject::vm(&format!("{}-1", method.to_lowercase()));
        rig.make(&vm, machine(vm.address.name())).await;
    }
    assert_eq!(rig.sessions().await, 1);
    rig.stop().await;
}

/// Accounts lock after few wrong passwords.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_refused_is_not_tried_again() {
    let mut real = Real::new().await;
    real.env.set("VCENTER_PASSWORD", "not the password");
    real.run(1, &["apply", "--yes"]);
    assert_eq!(real.status().await.requests["Login"], 1);
    real.rig.stop().await;
}
