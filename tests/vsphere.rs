//! The vSphere provider against the lab's vCenter, over real SOAP on loopback.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use boma::lab::{
    Control, Endpoints, Lab, MachineSetup, Opened, Running, ServeOptions, Setup, TemplateSetup,
};
use boma::plan::{Operation, Step};
use boma::provider::vsphere::{Trust, Vcenter, VcenterConfig};
use boma::provider::{Act, Inputs, Provider as _, ProviderError, Retry, Run, Wanted};
use boma::resource::{
    Address, Attributes, Condition, Endpoint, Kind, Locator, Mark, Object, Reading,
};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

const SEED: u64 = 7;
const STORAGE: &str = r"VSPHERE.LOCAL\cht-storage";

/// A running lab and a provider that is logged in as its administrator.
struct Rig {
    vcenter: Vcenter,
    endpoints: Endpoints,
    running: Running,
    _home: TempDir,
}

impl Rig {
    async fn start() -> Self {
        Self::with(setup(Vec::new()), ServeOptions::default()).await
    }

    async fn with(setup: Setup, options: ServeOptions) -> Self {
        let home = tempfile::tempdir().unwrap();
        let Opened::Owned(lab) = Lab::open(home.path(), &setup).unwrap() else {
            panic!("the world of a new directory is nobody else's")
        };
        let running = lab.serve(options).await.unwrap();
        let endpoints = running.endpoints.clone();
        let vcenter = vcenter(&endpoints, &endpoints.username, &endpoints.password);
        Self { vcenter, endpoints, running, _home: home }
    }

    fn control(&self) -> Control {
        Control::connect(&self.endpoints).unwrap()
    }

    /// A provider with another account of the lab.
    fn account(&self, principal: &str) -> Vcenter {
        vcenter(&self.endpoints, principal, &Lab::password_of(SEED, principal))
    }

    async fn act(&self, subject: &Subject, operation: Operation, attributes: Json) -> Act {
        subject.act(&self.vcenter, &Notes::default(), operation, attributes).await
    }

    async fn make(&self, subject: &Subject, attributes: Json) -> Object {
        present(self.act(subject, Operation::Create, attributes).await.unwrap())
    }

    async fn read(&self, subject: &Subject) -> Reading {
        self.vcenter.read(&[subject.wanted()]).await.remove(0).1
    }

    /// Everything that a machine's clone needs: the folder `cht`.
    async fn folder(&self) -> Subject {
        let folder = Subject::new("vsphere/folder", "cht", json!({"path": "/DC1/vm/cht"}));
        let object = self.make(&folder, json!({"path": "/DC1/vm/cht"})).await;
        folder.known(object)
    }

    async fn stop(self) {
        self.vcenter.logout().await;
        self.running.shutdown().await.unwrap();
    }
}

/// One resource as the engine would hand it to the provider.
#[derive(Clone)]
struct Subject {
    address: Address,
    kind: Kind,
    locator: Locator,
    object: Option<Object>,
    mark: Option<Mark>,
}

impl Subject {
    fn new(kind: &str, name: &str, place: Json) -> Self {
        let address = Address::of(kind, name);
        let mark = Mark { lineage: "lineage-1".into(), address: address.clone() };
        let mark = (kind == "vsphere/vm").then_some(mark);
        Self {
            address,
            kind: Kind::named(kind).unwrap(),
            locator: Locator {
                place: Attributes::new(&place),
                mark: mark.clone(),
                ..Locator::default()
            },
            object: None,
            mark,
        }
    }

    fn vm(name: &str) -> Self {
        Self::new("vsphere/vm", name, json!({"path": format!("/DC1/vm/cht/{name}")}))
    }

    fn role(name: &str) -> Self {
        Self::new("vsphere/role", name, json!({"name": name}))
    }

    fn permission(name: &str, entity: &str) -> Self {
        Self::new("vsphere/permission", name, json!({"entity": entity, "principal": STORAGE}))
    }

    fn known(mut self, object: Object) -> Self {
        self.locator.id = Some(object.id.clone());
        self.object = Some(object);
        self
    }

    fn noted(mut self, notes: Vec<Json>) -> Self {
        self.locator.notes = notes;
        self
    }

    fn wanted(&self) -> Wanted {
        Wanted { address: self.address.clone(), kind: self.kind, locator: self.locator.clone() }
    }

    async fn act(
        &self,
        vcenter: &Vcenter,
        run: &Notes,
        operation: Operation,
        attributes: Json,
    ) -> Act {
        let step = Step {
            address: self.address.clone(),
            kind: self.kind,
            endpoint: Endpoint::vcenter(),
            operation,
            fields: Vec::new(),
            guard: None,
            done: Condition::Exists,
            deadline_s: 30,
        };
        let inputs = Inputs {
            attributes,
            object: self.object.clone(),
            locator: self.locator.clone(),
            mark: self.mark.clone(),
        };
        vcenter.act(&step, &inputs, run).await
    }
}

/// A run that keeps what it is told, and can be asked to stop at its first note.
#[derive(Default)]
struct Notes {
    notes: Mutex<Vec<Json>>,
    stop_at_note: bool,
    stopping: AtomicBool,
}

impl Run for Notes {
    fn note(&self, data: Json) -> Result<(), ProviderError> {
        self.notes.lock().unwrap().push(data);
        self.stopping.store(self.stop_at_note, Ordering::Relaxed);
        Ok(())
    }

    fn progress(&self, _text: &str) {}

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

fn vcenter(endpoints: &Endpoints, username: &str, password: &str) -> Vcenter {
    let server = endpoints.vcenter_url.strip_prefix("https://").unwrap();
    let (host, port) = server.trim_end_matches('/').rsplit_once(':').unwrap();
    Vcenter::new(VcenterConfig {
        host: host.into(),
        port: port.parse().unwrap(),
        username: username.into(),
        password: password.to_owned().into(),
        trust: Trust::CaPem(endpoints.ca_pem.clone()),
        user_agent: "boma/test".into(),
    })
    .unwrap()
}

fn setup(machines: Vec<MachineSetup>) -> Setup {
    Setup {
        seed: SEED,
        datacenter: "DC1".into(),
        cluster: "Cluster1".into(),
        hosts: vec!["esx1".into(), "esx2".into()],
        datastores: vec!["vsanDatastore".into()],
        networks: vec!["VM Network".into(), "Other".into()],
        templates: vec![TemplateSetup {
            name: "ubuntu-22.04".into(),
            cpus: 2,
            memory_mib: 2048,
            disk_gib: 20,
            hardware_version: 13,
            ..TemplateSetup::default()
        }],
        machines,
        principals: vec![STORAGE.into()],
        ..Setup::default()
    }
}

fn standing(number: usize) -> MachineSetup {
    MachineSetup {
        name: format!("agent-{number}"),
        folder: "cht".into(),
        cpus: 4,
        memory_mib: 8192,
        disk_gib: 50,
        disk_uuid: true,
        hardware_version: 15,
        powered_on: true,
        address: None,
    }
}

fn machine(name: &str) -> Json {
    json!({
        "name": name,
        "folder": "/DC1/vm/cht",
        "template": "ubuntu-22.04",
        "datastore": "vsanDatastore",
        "network": "Other",
        "pool": "Cluster1",
        "cpus": 4,
        "memory_mib": 8192,
        "cpu_hot_add": true,
        "memory_hot_add": false,
        "disk_gib": 50,
        "disk_uuid": true,
        "scsi_controllers": 2,
        "hardware_version": 15,
        "power": "on",
        "cloud_init": {"metadata": metadata(name), "userdata": r#"{"ssh_deletekeys":true}"#},
    })
}

fn metadata(name: &str) -> String {
    let card = json!({"match": {"name": "e*"}, "addresses": ["10.20.0.77/24"]});
    let network = json!({"version": 2, "ethernets": {"node": card}});
    json!({"instance-id": name, "local-hostname": format!("{name}-guest"), "network": network})
        .to_string()
}

fn present(reading: Reading) -> Object {
    match reading {
        Reading::Present(object) => object,
        other => panic!("not present: {other:?}"),
    }
}

fn check(object: &Object, expected: Json) {
    let tree = object.attributes.tree();
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&tree[name], value, "{name} of {tree}");
    }
}

#[tokio::test]
async fn a_machine_lives_from_clone_to_removal() {
    let rig = Rig::start().await;
    let before = rig.control().status().await.unwrap().digest;
    let folder = rig.folder().await;

    let vm = Subject::vm("server-1");
    assert_eq!(rig.read(&vm).await, Reading::Absent);
    let object = rig.make(&vm, machine("server-1")).await;
    assert_eq!(object.mark, vm.mark);
    check(
        &object,
        json!({"name": "server-1", "folder": "/DC1/vm/cht", "path": "/DC1/vm/cht/server-1", "cpus": 4,
            "memory_mib": 8192, "disk_gib": 50, "scsi_controllers": 2, "disk_uuid": true,
            "cpu_hot_add": true, "memory_hot_add": false, "hardware_version": 13, "power": "off",
            "tools": "not running", "foreign_disks": []}),
    );
    let vm = vm.known(object);

    let up =
        rig.act(&vm, Operation::UpgradeHardware, json!({"hardware_version": 15})).await.unwrap();
    check(&present(up), json!({"hardware_version": 15}));
    let again =
        rig.act(&vm, Operation::UpgradeHardware, json!({"hardware_version": 15})).await.unwrap();
    check(&present(again), json!({"hardware_version": 15}));
    let changed = json!({"cpus": 8, "memory_mib": 16384, "disk_uuid": false, "disk_gib": 60,
        "scsi_controllers": 3, "cpu_hot_add": false, "memory_hot_add": true});
    check(&present(rig.act(&vm, Operation::Update, changed.clone()).await.unwrap()), changed);

    let on = rig.act(&vm, Operation::PowerOn, json!({})).await.unwrap();
    check(&present(on), json!({"power": "on"}));
    let running = present(rig.read(&vm).await);
    check(
        &running,
        json!({"tools": "running", "hostname": "server-1-guest", "address": "10.20.0.77"}),
    );
    assert!(running.attributes.tree()["host"].is_string(), "{running:?}");
    let again = rig.act(&vm, Operation::PowerOn, json!({})).await.unwrap();
    check(&present(again), json!({"power": "on"}));

    let refused = rig.act(&folder, Operation::Delete, json!({})).await.unwrap_err();
    assert!(refused.message.contains("not empty: [\"server-1\"]"), "{refused}");
    let running = rig.act(&vm, Operation::Delete, json!({})).await.unwrap_err();
    assert!(running.message.contains("powered on"), "{running}");

    let off = rig.act(&vm, Operation::PowerOff, json!({})).await.unwrap();
    check(&present(off), json!({"power": "off"}));
    let requests = rig.control().status().await.unwrap().requests;
    let asked = |method: &str| requests.contains_key(method);
    assert!(asked("ShutdownGuest") && !asked("PowerOffVM_Task"), "{requests:?}");
    for _ in 0..2 {
        assert_eq!(rig.act(&vm, Operation::Delete, json!({})).await.unwrap(), Reading::Absent);
    }
    assert_eq!(rig.read(&vm).await, Reading::Absent);
    for _ in 0..2 {
        assert_eq!(rig.act(&folder, Operation::Delete, json!({})).await.unwrap(), Reading::Absent);
    }
    assert_eq!(rig.control().status().await.unwrap().digest, before);
    rig.stop().await;
}

#[tokio::test]
async fn a_machine_is_renamed_and_moved_and_found_again() {
    let rig = Rig::start().await;
    rig.folder().await;
    let other = Subject::new("vsphere/folder", "other", json!({"path": "/DC1/vm/other"}));
    rig.make(&other, json!({"path": "/DC1/vm/other"})).await;
    let unknown = Subject::vm("server-1");
    let vm = unknown.clone().known(rig.make(&unknown, machine("server-1")).await);
    let permission = Subject::permission("vm", "/DC1/vm/cht/server-1");
    let fields = json!({"entity": "/DC1/vm/cht/server-1", "principal": STORAGE, "group": false,
        "role": "ReadOnly", "propagate": false});
    let granted = rig.make(&permission, fields).await;
    let moved = json!({"name": "a/b", "folder": "/DC1/vm/other"});
    let object = present(rig.act(&vm, Operation::Update, moved.clone()).await.unwrap());
    check(&object, moved);
    check(&object, json!({"path": "/DC1/vm/other/a%2fb"}));
    // By id, and where no id is recorded by its mark.
    assert_eq!(rig.read(&vm).await, Reading::Present(object.clone()));
    assert_eq!(rig.read(&unknown).await, Reading::Present(object));
    let permission = permission.known(granted);
    check(&present(rig.read(&permission).await), json!({"entity": "/DC1/vm/other/a%2fb"}));
    let all = [vm.wanted(), unknown.wanted(), permission.wanted(), other.wanted(), other.wanted()];
    let bulk = rig.vcenter.read(&all).await;
    check(&present(bulk[2].1.clone()), json!({"entity": "/DC1/vm/other/a%2fb"}));
    check(&present(bulk[3].1.clone()), json!({"children": ["a/b"]}));
    let back = json!({"name": "server-1"});
    check(&present(rig.act(&vm, Operation::Update, back.clone()).await.unwrap()), back);
    // Gone with the machine that it was set on.
    rig.act(&vm, Operation::Delete, json!({})).await.unwrap();
    assert_eq!(rig.read(&permission).await, Reading::Absent);
    let bulk = rig.vcenter.read(&all).await;
    assert!(bulk[..3].iter().all(|(_, reading)| *reading == Reading::Absent), "{bulk:?}");
    rig.stop().await;
}

#[tokio::test]
async fn roles_and_permissions_leave_other_peoples_alone() {
    let rig = Rig::start().await;
    let before = rig.control().status().await.unwrap();
    let role = Subject::role("CNS-VM");
    let privileges =
        json!(["VirtualMachine.Config.AddExistingDisk", "VirtualMachine.Config.AddRemoveDevice"]);
    let object = rig.make(&role, json!({"name": "CNS-VM", "privileges": privileges})).await;
    check(&object, json!({"name": "CNS-VM", "privileges": privileges, "role_id": object.id}));
    let role = role.known(object);

    let path = "/DC1/datastore/vsanDatastore";
    let permission = Subject::permission("datastore", path);
    assert_eq!(rig.read(&permission).await, Reading::Absent);
    let fields = json!({"entity": path, "principal": r"vsphere.local\cht-storage", "group": false,
        "role": "CNS-VM", "propagate": false});
    let object = rig.make(&permission, fields).await;
    check(
        &object,
        json!({"entity": path, "principal": STORAGE, "role": "CNS-VM", "propagate": false}),
    );
    let permission = permission.known(object.clone());
    assert_eq!(rig.read(&permission).await, Reading::Present(object));
    let with = rig.control().status().await.unwrap();
    assert!(before.inventory.iter().all(|object| with.inventory.contains(object)));

    let used = rig.act(&role, Operation::Delete, json!({})).await.unwrap_err();
    assert!(used.message.contains("in use"), "{used}");
    let more = json!(["Datastore.FileManagement"]);
    let updated = rig.act(&role, Operation::Update, json!({"privileges": more})).await.unwrap();
    check(&present(updated), json!({"name": "CNS-VM", "privileges": more}));
    let changed = json!({"role": "ReadOnly", "propagate": true});
    let updated = rig.act(&permission, Operation::Update, changed.clone()).await.unwrap();
    check(&present(updated), changed);
    for subject in [&permission, &role] {
        for _ in 0..2 {
            assert_eq!(
                rig.act(subject, Operation::Delete, json!({})).await.unwrap(),
                Reading::Absent
            );
            assert_eq!(rig.read(subject).await, Reading::Absent);
        }
    }
    assert_eq!(rig.control().status().await.unwrap().digest, before.digest);
    rig.stop().await;
}

#[tokio::test]
async fn mistakes_in_permissions_are_said_plainly() {
    let rig = Rig::start().await;
    let fields = |entity: &str, principal: &str, role: &str| json!({"entity": entity, "principal": principal, "group": false, "role": role, "propagate": false});
    for (attributes, part) in [
        (
            fields("/DC1", r"VSPHERE.LOCAL\nobody", "ReadOnly"),
            "does not know VSPHERE.LOCAL\\nobody",
        ),
        (fields("/DC1/vm", STORAGE, "ReadOnly"), "takes no permissions on"),
        (fields("/DC1", STORAGE, "CNS-NONE"), "no role \"CNS-NONE\""),
        (fields("/DC1/nowhere", STORAGE, "ReadOnly"), "no object at /DC1/nowhere"),
    ] {
        let subject = Subject::permission("x", "/DC1");
        let error = rig.act(&subject, Operation::Create, attributes).await.unwrap_err();
        assert!(error.message.contains(part), "{error}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_read_costs_few_requests_whatever_the_number_of_machines() {
    // A server that grants the size of page that is asked for.
    let options = ServeOptions { page_size: 10_000, ..ServeOptions::default() };
    for count in [12, 1000] {
        let rig = Rig::with(setup((0..count).map(standing).collect()), options).await;
        let readings = rig.vcenter.read(&everything(count)).await;
        let present = readings.iter().filter(|(_, reading)| reading.object().is_some()).count();
        assert_eq!(present, count + 2, "{:?}", readings.last());
        assert!(rig.vcenter.requests() <= 8, "{} requests for {count}", rig.vcenter.requests());
        rig.stop().await;
    }
}

#[tokio::test]
async fn small_pages_are_read_to_the_end() {
    let options = ServeOptions { page_size: 3, ..ServeOptions::default() };
    let rig = Rig::with(setup((0..20).map(standing).collect()), options).await;
    let readings = rig.vcenter.read(&everything(20)).await;
    let present = readings.iter().filter(|(_, reading)| reading.object().is_some()).count();
    assert_eq!(present, 22);
    assert!(rig.vcenter.requests() > 20);
    rig.stop().await;
}

/// All standing machines, their folder, a built-in role, and a permission that nobody set.
fn everything(count: usize) -> Vec<Wanted> {
    let machines = (0..count).map(|number| Subject::vm(&format!("agent-{number}")));
    let others = [
        Subject::new("vsphere/folder", "cht", json!({"path": "/DC1/vm/cht"})),
        Subject::role("ReadOnly"),
        Subject::permission("none", "/DC1"),
    ];
    machines.chain(others).map(|subject| subject.wanted()).collect()
}

#[tokio::test]
async fn an_interrupted_clone_is_waited_for_and_found_by_its_mark() {
    let rig = Rig::start().await;
    rig.folder().await;
    rig.control().delay(600).await.unwrap();
    let vm = Subject::vm("server-1");
    let run = Notes { stop_at_note: true, ..Notes::default() };
    let stopped =
        vm.act(&rig.vcenter, &run, Operation::Create, machine("server-1")).await.unwrap_err();
    assert_eq!(stopped.retry, Retry::Later);
    assert!(stopped.message.contains("stopped while task-"), "{stopped}");
    let notes = run.notes.into_inner().unwrap();
    assert_eq!(notes.len(), 1);
    let object = present(rig.read(&vm.clone().noted(notes)).await);
    assert_eq!(object.mark, vm.mark);
    let forgotten = vm.clone().noted(vec![json!({"task": "task-unknown"})]);
    assert_eq!(rig.read(&forgotten).await, Reading::Present(object));
    rig.stop().await;
}

#[tokio::test]
async fn a_taken_name_is_adopted_only_with_our_mark() {
    let rig = Rig::start().await;
    rig.folder().await;
    rig.control().delay(400).await.unwrap();
    let vm = Subject::vm("server-1");
    // The clone of an interrupted run still runs when the next run makes its own.
    let run = Notes { stop_at_note: true, ..Notes::default() };
    vm.act(&rig.vcenter, &run, Operation::Create, machine("server-1")).await.unwrap_err();
    let object = rig.make(&vm, machine("server-1")).await;
    assert_eq!(object.mark, vm.mark);

    let mut other = vm.clone();
    other.mark = Some(Mark { lineage: "lineage-2".into(), address: vm.address.clone() });
    let error = rig.act(&other, Operation::Create, machine("server-1")).await.unwrap_err();
    assert!(
        error
            .message
            .contains("belongs to vsphere/vm/server-1 of the state with lineage lineage-1"),
        "{error}"
    );
    assert!(error.help.contains("adopt"), "{error:?}");
    assert_eq!(error.operation, "clone ubuntu-22.04 to /DC1/vm/cht/server-1");
    rig.stop().await;
}

#[tokio::test]
async fn what_a_clone_needs_and_lacks_is_named() {
    let rig = Rig::start().await;
    rig.folder().await;
    for (key, part) in [
        ("template", "no template nope in /DC1"),
        ("datastore", "no datastore nope in /DC1"),
        ("network", "no network nope in /DC1"),
        ("pool", "no cluster or resource pool nope in /DC1"),
    ] {
        let mut attributes = machine("server-1");
        attributes[key] = "nope".into();
        let error =
            rig.act(&Subject::vm("server-1"), Operation::Create, attributes).await.unwrap_err();
        assert!(error.message.contains(part), "{error}");
    }
    let template = Subject::new("vsphere/vm", "t", json!({"path": "/DC1/vm/ubuntu-22.04"}));
    match rig.read(&template).await {
        Reading::Unread(reason) => assert!(reason.contains("a template stands there"), "{reason}"),
        other => panic!("{other:?}"),
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_missing_privilege_is_named_with_the_objects_path() {
    let rig = Rig::start().await;
    let permission = Subject::permission("root", "/");
    let fields = json!({"entity": "/", "principal": STORAGE, "group": false, "role": "ReadOnly", "propagate": true});
    rig.make(&permission, fields).await;
    let weak = rig.account(STORAGE);
    let folder = Subject::new("vsphere/folder", "cht", json!({"path": "/DC1/vm/cht"}));
    let outcome = folder
        .act(&weak, &Notes::default(), Operation::Create, json!({"path": "/DC1/vm/cht"}))
        .await;
    let error = outcome.unwrap_err();
    assert!(error.message.contains("lacks the privilege Folder.Create on /DC1/vm"), "{error}");
    assert!(error.help.contains("Folder.Create on /DC1/vm"), "{error:?}");
    assert_eq!(error.retry, Retry::Never);
    weak.logout().await;
    rig.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_one_reason_and_one_login() {
    let rig = Rig::start().await;
    let wrong = vcenter(&rig.endpoints, &rig.endpoints.username, "wrong");
    let readings = wrong.read(&everything(12)).await;
    let Reading::Unread(reason) = &readings[0].1 else { panic!("{readings:?}") };
    assert!(reason.contains("refused the user name or the password"), "{reason}");
    assert!(readings.iter().all(|(_, reading)| *reading == readings[0].1));
    wrong.read(&everything(12)).await;
    assert_eq!(rig.control().status().await.unwrap().requests["Login"], 1);
    rig.stop().await;
}

#[tokio::test]
async fn no_session_is_left_behind() {
    let rig = Rig::start().await;
    rig.folder().await;
    assert_eq!(rig.control().status().await.unwrap().sessions.len(), 1);
    rig.vcenter.logout().await;
    assert_eq!(rig.control().status().await.unwrap().sessions.len(), 0);
    rig.stop().await;
}

#[tokio::test]
async fn a_running_machine_grows_where_hot_add_is_on_and_its_disk_always() {
    let rig = Rig::start().await;
    rig.folder().await;
    let vm = Subject::vm("server-1");
    let vm = vm.clone().known(rig.make(&vm, machine("server-1")).await);
    rig.act(&vm, Operation::PowerOn, json!({})).await.unwrap();
    let grown = json!({"cpus": 8, "disk_gib": 70});
    check(&present(rig.act(&vm, Operation::Update, grown.clone()).await.unwrap()), grown);
    for (attributes, part) in [
        (json!({"cpus": 4}), "powered on"),
        (json!({"memory_mib": 16384}), "powered on"),
        (json!({"cpu_hot_add": false}), "powered on"),
        (json!({"disk_gib": 50}), "its system disk has 70 GiB, more than 50"),
        (json!({"scsi_controllers": 5}), "of 4 SCSI buses, 2 are taken"),
    ] {
        let error = rig.act(&vm, Operation::Update, attributes).await.unwrap_err();
        assert!(error.message.contains(part), "{error}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_template_with_a_larger_disk_is_refused_before_the_clone() {
    let rig = Rig::start().await;
    rig.folder().await;
    let mut attributes = machine("server-1");
    attributes["disk_gib"] = 10.into();
    let vm = Subject::vm("server-1");
    let error = rig.act(&vm, Operation::Create, attributes).await.unwrap_err();
    let expected = "template ubuntu-22.04: its system disk has 20 GiB, more than 10";
    assert!(error.message.contains(expected), "{error}");
    assert_eq!(rig.read(&vm).await, Reading::Absent);
    rig.stop().await;
}

#[tokio::test]
async fn a_size_that_somebody_else_wrote_meanwhile_is_not_overwritten() {
    let rig = Rig::start().await;
    rig.folder().await;
    let vm = Subject::vm("server-1");
    let vm = vm.clone().known(rig.make(&vm, machine("server-1")).await);
    let (one, other) = (json!({"cpus": 6}), json!({"cpus": 2}));
    rig.control().delay(300).await.unwrap();
    let (first, second) =
        tokio::join!(rig.act(&vm, Operation::Update, one), rig.act(&vm, Operation::Update, other));
    let failed = [first, second].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].message.contains("somebody else changed it"), "{failed:?}");
    assert_eq!(failed[0].retry, Retry::Later);
    rig.stop().await;
}
