//! Tests of login, trust, pages and lost connections over a real socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::Barrier;
use tokio::time::timeout;

use super::scripted::{Reply, Scripted, config, usual};
use super::{Trust, Vcenter};
use crate::plan::{Operation, Step};
use crate::provider::{Inputs, Provider as _, ProviderError, Retry, Run, Wanted};
use crate::resource::{Address, Attributes, Condition, Endpoint, Kind, Locator, Object, Reading};

const ROLES: &str = r#"<returnval><objects><obj type="AuthorizationManager">am</obj><propSet><name>roleList</name><val xsi:type="ArrayOfAuthorizationRole"><AuthorizationRole><roleId>7</roleId><system>false</system><name>CNS-VM</name><privilege>A.B</privilege></AuthorizationRole></val></propSet></objects></returnval>"#;

struct Quiet;

impl Run for Quiet {
    fn note(&self, _data: Json) -> Result<(), ProviderError> {
        Ok(())
    }

    fn progress(&self, _text: &str) {}

    fn stopping(&self) -> bool {
        false
    }
}

fn role(name: &str) -> Wanted {
    Wanted {
        address: Address::of("vsphere/role", name),
        kind: Kind::named("vsphere/role").unwrap(),
        locator: Locator { place: Attributes::new(&json!({ "name": name })), ..Locator::default() },
    }
}

fn wanted(kind: &str, name: &str, place: &Json) -> Wanted {
    Wanted {
        address: Address::of(kind, name),
        kind: Kind::named(kind).unwrap(),
        locator: Locator { place: Attributes::new(place), ..Locator::default() },
    }
}

/// An entity as the PropertyCollector gives it.
fn entity(kind: &str, id: &str, name: &str, (above, parent): (&str, &str)) -> String {
    format!(
        r#"<returnval><obj type="{kind}">{id}</obj><propSet><name>name</name><val xsi:type="xsd:string">{name}</val></propSet><propSet><name>parent</name><val type="{above}" xsi:type="ManagedObjectReference">{parent}</val></propSet></returnval>"#
    )
}

/// A machine's devices, what boma's account may do, and the view that is no longer needed: none of
/// them waits for another. A server that answers them only once all three have come answers.
#[tokio::test]
async fn a_bulk_read_takes_three_turns() {
    let inventory = [
        entity("Datacenter", "datacenter-2", "DC1", ("Folder", "group-d1")),
        entity("Folder", "group-v3", "vm", ("Datacenter", "datacenter-2")),
        entity("VirtualMachine", "vm-11", "agent-1", ("Folder", "group-v3")),
    ];
    let barrier = Arc::new(Barrier::new(3));
    let together = move |content: &str| {
        Reply::Together(barrier.clone(), Box::new(Reply::Is(content.to_owned())))
    };
    let server = Scripted::start(move |method, before| match (method, before) {
        ("CreateContainerView", _) => {
            Reply::Is(r#"<returnval type="ContainerView">view-1</returnval>"#.into())
        }
        ("RetrieveProperties", 0) => Reply::Is(inventory.concat()),
        ("RetrieveProperties", _) => together(&inventory[2]),
        ("DestroyView", _) => together(""),
        ("HasPrivilegeOnEntities", _) => together(
            r#"<returnval><entity type="Datacenter">datacenter-2</entity><privAvailability><privId>System.Read</privId><isGranted>false</isGranted></privAvailability></returnval>"#,
        ),
        (method, _) => usual(method).unwrap(),
    })
    .await;
    let vcenter = server.vcenter(Trust::CaPem(server.ca_pem.clone()));
    let needs = [json!({"path": "/DC1", "privilege": "System.Read"})];
    let asked = [
        wanted("vsphere/vm", "agent-1", &json!({"path": "/DC1/vm/agent-1"})),
        wanted("vsphere/site", "DC1", &json!({"datacenter": "/DC1", "needs": needs})),
    ];
    let reading = timeout(Duration::from_secs(20), vcenter.read(&asked));
    let readings = reading.await.expect("all three at once");
    let site = readings[1].1.object().unwrap().attributes.tree();
    assert_eq!(site["lacking"][0]["privilege"], "System.Read");
    vcenter.logout().await;
    assert_eq!(server.calls().len(), 2 + 5 + 1, "{:?}", server.calls());
}

fn step(kind: &str, name: &str, operation: Operation) -> Step {
    Step {
        address: Address::of(kind, name),
        kind: Kind::named(kind).unwrap(),
        endpoint: Endpoint::vcenter(),
        operation,
        fields: Vec::new(),
        guard: None,
        guard_s: 0,
        done: Condition::Exists,
        deadline_s: 60,
    }
}

fn create(name: &str) -> (Step, Inputs) {
    let attributes = json!({"name": name, "privileges": ["A.B"]});
    let locator = role(name).locator;
    let inputs = Inputs { attributes, generated: Vec::new(), object: None, locator, mark: None };
    (step("vsphere/role", name, Operation::Create), inputs)
}

/// What a step on a VM that was read before gets.
fn machine(attributes: Json) -> Inputs {
    let object = Object {
        id: "u".into(),
        attributes: Attributes::new(&json!({"moref": "vm-1"})),
        mark: None,
    };
    Inputs {
        attributes,
        generated: Vec::new(),
        object: Some(object),
        locator: Locator::default(),
        mark: None,
    }
}

/// A server with one powered-off VM that carries a volume of a pod.
async fn with_machine() -> Scripted {
    let property = |name: &str, value: &str| {
        format!("<propSet><name>{name}</name><val>{value}</val></propSet>")
    };
    let sets = [
        ("name", "server-1"),
        ("config.instanceUuid", "u"),
        ("config.version", "vmx-15"),
        ("config.changeVersion", "7"),
        ("config.hardware.numCPU", "4"),
        ("config.hardware.memoryMB", "8192"),
        ("config.files.vmPathName", "[vsan] a/server-1.vmx"),
        ("runtime.powerState", "poweredOff"),
    ];
    let sets: String = sets.iter().map(|(name, value)| property(name, value)).collect();
    let answer = format!(
        r#"<returnval><objects><obj type="VirtualMachine">vm-1</obj>{sets}<propSet><name>parent</name><val type="Folder">group-d1</val></propSet><propSet><name>config.hardware.device</name><val><VirtualDevice xsi:type="VirtualDisk"><backing><fileName>[vsan] b/volume.vmdk</fileName></backing></VirtualDevice></val></propSet></objects></returnval>"#
    );
    Scripted::start(move |method, _| match method {
        "RetrievePropertiesEx" => Reply::Is(answer.clone()),
        "ReconfigVM_Task" => Reply::Fault("ConcurrentAccess", ""),
        method => ordinary(method),
    })
    .await
}

#[tokio::test]
async fn a_machine_with_foreign_disks_is_never_destroyed() {
    let server = with_machine().await;
    let vcenter = server.vcenter(Trust::CaPem(server.ca_pem.clone()));
    let step = step("vsphere/vm", "server-1", Operation::Delete);
    let error = vcenter.act(&step, &machine(json!({})), &Quiet).await.unwrap_err();
    assert!(error.message.contains("[vsan] b/volume.vmdk"), "{error}");
    assert_eq!(error.retry, Retry::Never);
    assert_eq!(server.count("Destroy_Task"), 0);
}

#[tokio::test]
async fn somebody_elses_write_in_between_is_worth_another_try() {
    let server = with_machine().await;
    let vcenter = server.vcenter(Trust::CaPem(server.ca_pem.clone()));
    let step = step("vsphere/vm", "server-1", Operation::Update);
    let error = vcenter.act(&step, &machine(json!({"cpus": 8})), &Quiet).await.unwrap_err();
    assert_eq!((error.retry, server.count("ReconfigVM_Task")), (Retry::Later, 1));
}

async fn reason(vcenter: &Vcenter) -> String {
    match vcenter.read(&[role("CNS-VM")]).await.remove(0).1 {
        Reading::Unread(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn ordinary(method: &str) -> Reply {
    usual(method).unwrap_or_else(|| Reply::Is(ROLES.into()))
}

#[tokio::test]
async fn one_session_is_opened_when_needed_and_ended_once() {
    let server = Scripted::start(|method, _| ordinary(method)).await;
    let vcenter = server.vcenter(Trust::CaPem(server.ca_pem.clone()));
    assert_eq!(server.calls(), Vec::<String>::new());
    let wanted = [role("CNS-VM"), role("nope")];
    let readings = vcenter.read(&wanted).await;
    assert!(readings[0].1.object().is_some());
    assert_eq!(readings[1].1, Reading::Absent);
    assert_eq!(vcenter.instance_uuid().await.unwrap(), "u-1");
    vcenter.logout().await;
    vcenter.logout().await;
    assert!(reason(&vcenter).await.contains("the session is closed"));
    assert_eq!((server.count("Login"), server.count("Logout")), (1, 1));
    assert_eq!(vcenter.requests(), server.calls().len() as u64);
}

#[tokio::test]
async fn a_refused_login_is_never_tried_again() {
    let server = Scripted::start(|method, _| match method {
        "Login" => Reply::Fault("InvalidLogin", ""),
        method => ordinary(method),
    })
    .await;
    let vcenter = server.vcenter(Trust::Thumbprint(server.thumbprint.to_string()));
    let first = reason(&vcenter).await;
    assert_eq!(first, reason(&vcenter).await);
    assert!(first.contains("refused the user name or the password; check [vcenter]"), "{first}");
    assert!(!first.contains("hunter2") && !first.contains("svc"), "{first}");
    assert_eq!(server.count("Login"), 1);
}

#[tokio::test]
async fn a_session_that_ends_meanwhile_is_opened_once_more() {
    let server = Scripted::start(|method, before| match (method, before) {
        ("RetrievePropertiesEx", 0) => Reply::Fault("NotAuthenticated", ""),
        (method, _) => ordinary(method),
    })
    .await;
    let vcenter = server.vcenter(Trust::CaPem(server.ca_pem.clone()));
    assert!(vcenter.read(&[role("CNS-VM")]).await[0].1.object().is_some());
    assert_eq!(server.count("Login"), 2);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_sent_again() {
    let server = Scripted::start(|method, _| match method {
        "AddAuthorizationRole" => Reply::Drop,
        method => ordinary(method),
    })
    .await;
    let vcenter = server.vcenter(Trust::CaPem(server.ca_pem.clone()));
    let (step, inputs) = create("new");
    let error = vcenter.act(&step, &inputs, &Quiet).await.unwrap_err();
    assert_eq!(error.retry, Retry::Later);
    assert_eq!(error.operation, "create vsphere/role/new");
    assert!(error.message.contains("before AddAuthorizationRole was answered"), "{error}");
    assert_eq!(server.count("AddAuthorizationRole"), 1);
}

#[tokio::test]
async fn a_role_that_stands_exactly_as_asked_counts_as_made() {
    let server = Scripted::start(|method, _| match method {
        "AddAuthorizationRole" => Reply::Fault("AlreadyExists", "<name>CNS-VM</name>"),
        method => ordinary(method),
    })
    .await;
    let vcenter = server.vcenter(Trust::CaPem(server.ca_pem.clone()));
    let (step, mut inputs) = create("CNS-VM");
    let made = vcenter.act(&step, &inputs, &Quiet).await.unwrap();
    assert_eq!(made.object().unwrap().id, "7");
    inputs.attributes = json!({"name": "CNS-VM", "privileges": ["A.B", "C.D"]});
    let error = vcenter.act(&step, &inputs, &Quiet).await.unwrap_err();
    assert!(error.help.contains("boma import"), "{error:?}");
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_is_asked_once_more() {
    let server = Scripted::start(|method, before| match (method, before) {
        ("RetrievePropertiesEx", 0) => Reply::Drop,
        (method, _) => ordinary(method),
    })
    .await;
    let vcenter = server.vcenter(Trust::CaPem(server.ca_pem.clone()));
    assert!(vcenter.read(&[role("CNS-VM")]).await[0].1.object().is_some());
    assert_eq!(server.count("RetrievePropertiesEx"), 2);
}

#[tokio::test]
async fn pages_are_read_to_the_end() {
    let page = |token: &str, name: &str| {
        Reply::Is(format!(
            r#"<returnval>{token}<objects><obj type="Folder">group-{name}</obj><propSet><name>name</name><val>{name}</val></propSet><propSet><name>parent</name><val type="Folder">group-d1</val></propSet></objects></returnval>"#
        ))
    };
    let server = Scripted::start(move |method, before| match (method, before) {
        ("CreateContainerView", _) => {
            Reply::Is("<returnval type=\"ContainerView\">view-1</returnval>".into())
        }
        ("DestroyView", _) => Reply::Is(String::new()),
        ("RetrieveProperties", _) => Reply::Fault("NotSupported", ""),
        ("RetrievePropertiesEx", _) => page("<token>1</token>", "v1"),
        ("ContinueRetrievePropertiesEx", 0) => page("<token>2</token>", "v2"),
        ("ContinueRetrievePropertiesEx", _) => page("", "v3"),
        (method, _) => ordinary(method),
    })
    .await;
    let vcenter = server.vcenter(Trust::CaPem(server.ca_pem.clone()));
    let folder = |name: &str| Wanted {
        address: Address::of("vsphere/folder", name),
        kind: Kind::named("vsphere/folder").unwrap(),
        locator: Locator {
            place: Attributes::new(&json!({ "path": format!("/{name}") })),
            ..Locator::default()
        },
    };
    let wanted: Vec<Wanted> = ["v1", "v2", "v3", "v4", "v5"].map(folder).to_vec();
    let present: Vec<bool> =
        vcenter.read(&wanted).await.iter().map(|(_, reading)| reading.object().is_some()).collect();
    assert_eq!(present, [true, true, true, false, false]);
    assert_eq!(server.count("DestroyView"), 1);
}

#[tokio::test]
async fn an_untrusted_certificate_is_named_by_its_thumbprint() {
    let server = Scripted::start(|method, _| ordinary(method)).await;
    let other = Scripted::start(|method, _| ordinary(method)).await;
    let thumbprint = server.thumbprint.to_string();
    let by_ca = reason(&server.vcenter(Trust::CaPem(other.ca_pem.clone()))).await;
    assert!(by_ca.contains("not trusted") && by_ca.contains(&thumbprint), "{by_ca}");
    assert!(by_ca.contains("[vcenter] ca_file") && by_ca.contains("thumbprint"), "{by_ca}");
    let by_pin = reason(&server.vcenter(Trust::Thumbprint(other.thumbprint.to_string()))).await;
    assert!(by_pin.contains(&thumbprint), "{by_pin}");
    assert!(by_pin.contains(&other.thumbprint.to_string()), "{by_pin}");
    let by_roots = reason(&server.vcenter(Trust::SystemRoots)).await;
    assert!(by_roots.contains(&thumbprint), "{by_roots}");
    assert_eq!(server.calls(), Vec::<String>::new());
    let insecure = server.vcenter(Trust::Insecure);
    assert!(insecure.read(&[role("CNS-VM")]).await[0].1.object().is_some());
}

#[tokio::test]
async fn an_unreachable_vcenter_is_one_reason_for_all() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let vcenter = Vcenter::new(config(port, Trust::SystemRoots)).unwrap();
    let wanted = [role("a"), role("b")];
    let readings = vcenter.read(&wanted).await;
    assert_eq!(readings[0].1, readings[1].1);
    let reason = reason(&vcenter).await;
    assert!(reason.contains("cannot be reached: Connection refused"), "{reason}");
    assert!(reason.contains("check [vcenter] server and port"), "{reason}");
}
