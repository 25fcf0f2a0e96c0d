//! Faults and states on request.

use crate::lab::{Adjustment, FaultRule, StagedFault};

use super::super::adjust::adjust;
use super::super::status::status;
use super::client::Client;

fn stage(client: &mut Client, rule: FaultRule) {
    client.desk.staging.set(vec![rule]);
}

fn set(client: &mut Client, adjustment: Adjustment) -> Result<(), String> {
    let entry = adjust(&client.desk.world, &adjustment)?;
    client.desk.world.apply(&entry);
    Ok(())
}

const NOW: (&str, &str) = ("CurrentTime", "ServiceInstance:ServiceInstance");

#[test]
fn a_session_expires_at_the_nth_call() {
    let mut client = Client::new();
    let any =
        FaultRule { method: None, host: None, nth: 2, times: 1, fault: StagedFault::ExpireSession };
    stage(&mut client, any);
    client.ok(NOW.0, NOW.1, "");
    assert_eq!(status(&client.desk).faults[0].nth, 1);
    assert_eq!(client.fault(NOW.0, NOW.1, "").0, "NotAuthenticated");
    assert!(status(&client.desk).faults.is_empty());
    client.login("administrator@vsphere.local");
    client.ok(NOW.0, NOW.1, "");
    assert_eq!(status(&client.desk).sessions_by_user.values().sum::<usize>(), 1);
}

#[test]
fn somebody_else_writes_just_before_a_reconfigure() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    let version = client.text(&machine, "config.changeVersion");
    let spec = format!("<changeVersion>{version}</changeVersion><numCPUs>4</numCPUs>");
    stage(&mut client, FaultRule::next("ReconfigVM_Task", StagedFault::ConcurrentWrite));
    assert_eq!(client.reconfigure(&machine, &spec), Err("ConcurrentAccess".to_owned()));
    let version = client.text(&machine, "config.changeVersion");
    let spec = format!("<changeVersion>{version}</changeVersion><numCPUs>4</numCPUs>");
    client.reconfigure(&machine, &spec).unwrap();
}

#[test]
fn calls_and_tasks_fail_with_a_type_and_without_effect() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    let (kind, message) = ("InsufficientMemoryFault".to_owned(), "no memory".to_owned());
    let error = StagedFault::TaskError { kind: kind.clone(), message: message.clone() };
    stage(&mut client, FaultRule::next("PowerOnVM_Task", error).nth(2).times(2));
    client.task("PowerOnVM_Task", &machine, "").unwrap();
    client.task("PowerOffVM_Task", &machine, "").unwrap();
    for _ in 0..2 {
        assert_eq!(client.task("PowerOnVM_Task", &machine, ""), Err(kind.clone()));
    }
    assert_eq!(client.text(&machine, "runtime.powerState"), "poweredOff");
    let refuse = StagedFault::Refuse { kind: kind.clone(), message: message.clone() };
    stage(&mut client, FaultRule::next("PowerOnVM_Task", refuse));
    assert_eq!(client.fault("PowerOnVM_Task", &machine, ""), (kind, message));
    client.task("PowerOnVM_Task", &machine, "").unwrap();
}

#[test]
fn one_task_is_slow_and_its_effect_comes_at_its_end() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    stage(&mut client, FaultRule::next("PowerOnVM_Task", StagedFault::SlowTask { ms: 60_000 }));
    let task =
        client.ok("PowerOnVM_Task", &machine, "").child_text("returnval").unwrap().to_owned();
    let state = |client: &mut Client| client.text(&format!("Task:{task}"), "info.state");
    assert_eq!(state(&mut client), "running");
    client.now += 60_000;
    assert_eq!(state(&mut client), "success");
    assert_eq!(client.text(&machine, "runtime.powerState"), "poweredOn");
}

#[test]
fn a_cut_before_does_nothing_and_a_cut_after_is_too_late() {
    let mut client = Client::new();
    let vm = client.at("/DC1/vm").unwrap();
    for (fault, made) in [(StagedFault::DropBefore, false), (StagedFault::DropAfter, true)] {
        stage(&mut client, FaultRule::next("CreateFolder", fault));
        assert!(client.is_cut("CreateFolder", &vm, "<name>cht</name>"));
        assert_eq!(client.at("/DC1/vm/cht").is_some(), made);
    }
}

#[test]
fn pages_are_small_on_request() {
    let mut client = Client::new();
    let many = FaultRule::next("RetrievePropertiesEx", StagedFault::SmallPages { size: 1 });
    stage(&mut client, many);
    let body = "<specSet><propSet><type>Folder</type><pathSet>name</pathSet></propSet>\
        <objectSet><obj type=\"Folder\">group-d1</obj></objectSet>\
        <objectSet><obj type=\"Folder\">group-d1</obj></objectSet></specSet><options/>";
    let pages = ["PropertyCollector:propertyCollector"; 2].map(|collector| {
        let answer = client.ok("RetrievePropertiesEx", collector, body);
        answer.child("returnval").unwrap().children_named("objects").count()
    });
    assert_eq!(pages, [1, 2]);
}

#[test]
fn a_question_holds_the_power_on_until_it_is_answered() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    for (choice, state) in [("0", "error"), ("2", "success")] {
        stage(&mut client, FaultRule::next("PowerOnVM_Task", StagedFault::Question));
        let task = client.ok("PowerOnVM_Task", &machine, "");
        let task = format!("Task:{}", task.child_text("returnval").unwrap());
        client.now += 3_600_000 / 4;
        assert_eq!(client.text(&task, "info.state"), "running");
        let id = client.text(&machine, "runtime.question.id");
        assert!(client.text(&machine, "runtime.question.text").contains("moved or copied"));
        let answer = |choice: &str| {
            format!("<questionId>{id}</questionId><answerChoice>{choice}</answerChoice>")
        };
        assert_eq!(client.fault("AnswerVM", &machine, &answer("9")).0, "InvalidArgument");
        client.ok("AnswerVM", &machine, &answer(choice));
        assert_eq!(client.text(&task, "info.state"), state);
        assert!(client.get(&machine, "runtime.question").is_none());
    }
    assert_eq!(client.text(&machine, "runtime.powerState"), "poweredOn");
}

#[test]
fn machines_that_vcenter_cannot_reach_refuse_tasks_and_may_lose_their_configuration() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    let state = |state: &str| Adjustment {
        path: "/DC1/vm/a".to_owned(),
        connection_state: Some(state.to_owned()),
        ..Adjustment::default()
    };
    for (name, fault, readable) in
        [("disconnected", "HostNotConnected", true), ("inaccessible", "InvalidState", false)]
    {
        set(&mut client, state(name)).unwrap();
        assert_eq!(client.text(&machine, "runtime.connectionState"), name);
        assert_eq!(client.get(&machine, "config.uuid").is_some(), readable);
        assert_eq!(client.fault("PowerOnVM_Task", &machine, "").0, fault);
    }
    assert!(set(&mut client, state("lost")).is_err());
    set(&mut client, state("connected")).unwrap();
    client.task("PowerOnVM_Task", &machine, "").unwrap();
}

#[test]
fn two_machines_may_share_a_bios_uuid() {
    let mut client = Client::new();
    let (a, b) = (client.clone_vm("a", "", false), client.clone_vm("b", "", false));
    let adjustment = Adjustment {
        path: "/DC1/vm/b".to_owned(),
        bios_uuid_of: Some("/DC1/vm/a".to_owned()),
        ..Adjustment::default()
    };
    set(&mut client, adjustment).unwrap();
    let uuid = client.text(&a, "config.uuid");
    assert_eq!(client.text(&b, "config.uuid"), uuid);
    let body = format!("<uuid>{uuid}</uuid><vmSearch>true</vmSearch>");
    let answer = client.ok("FindAllByUuid", "SearchIndex:SearchIndex", &body);
    assert_eq!(answer.children_named("returnval").count(), 2);
}

#[test]
fn templates_show_whether_vmware_tools_are_in_them() {
    let mut client = Client::new();
    let template = client.at("/DC1/vm/ubuntu-22.04").unwrap();
    let told = |client: &mut Client| {
        let paths = ["guest.toolsStatus", "config.tools.toolsVersion"];
        paths.map(|path| client.text(&template, path))
    };
    assert_eq!(told(&mut client), ["toolsNotRunning", "12357"]);
    let version =
        client.text(&template, "config.extraConfig[\"guestinfo.vmtools.versionString\"].value");
    assert_eq!(version, "12.3.5");
    let adjustment = Adjustment {
        path: "/DC1/vm/ubuntu-22.04".to_owned(),
        tools: Some(false),
        ..Adjustment::default()
    };
    set(&mut client, adjustment).unwrap();
    assert_eq!(told(&mut client), ["toolsNotInstalled", "0"]);
    let machine = client.clone_vm("a", "", true);
    assert!(client.get(&machine, "guest.ipAddress").is_none());
    assert_eq!(client.fault("ShutdownGuest", &machine, "").0, "ToolsUnavailable");
}

#[test]
fn sessions_beyond_the_limit_of_a_user_are_turned_away_by_http() {
    let mut client = Client::new();
    for _ in 1..550 {
        client.login("administrator@vsphere.local");
    }
    let password = crate::lab::Lab::password_of(7, "administrator@vsphere.local");
    let body =
        format!("<userName>administrator@vsphere.local</userName><password>{password}</password>");
    assert_eq!(client.raw("Login", "SessionManager:SessionManager", &body).status, 503);
    assert_eq!(status(&client.desk).sessions_by_user.values().sum::<usize>(), 550);
    client.login("cht-storage@vsphere.local");
}
