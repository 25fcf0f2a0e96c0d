//! Machines that people made by hand after the guide are taken over as they are.

use std::path::Path;

use boma::lab::{Lab, MachineSetup, Opened, RoleSetup, Setup};
use serde_json::Value as Json;

use super::env::{SMALL, TestEnv};

const SPEC: &str = "fleet.toml";
/// The machines, and the nodes on them: some machines go off and on again. Nobody knows the host
/// key of the one that is off.
const SCOPE: [&str; 6] =
    ["--target", "vsphere/**", "--target", "k3s/**", "--exclude", "host/firewall/agent-9"];
const STORAGE: &str = r"VSPHERE.LOCAL\cht-storage";
const PVSCSI: &str = "ParaVirtualSCSIController";
const LSI: &str = "VirtualLsiLogicController";
const LSI_SAS: &str = "VirtualLsiLogicSASController";

#[test]
fn a_fleet_made_by_hand_changes_only_where_the_spec_says_so() {
    let env = fleet();
    let before = Seen::of(&env);
    assert_eq!(before.disks.as_array().map(Vec::len), Some(3));

    // Nobody would move the pods away.
    let alone = env.expect(3, &["plan", "--lab", "--target", "vsphere/**", SPEC]).stdout;
    assert!(alone.contains("add --target k3s/server/server-3"), "{alone}");

    let plan = env.expect(0, &scoped(&["plan", "--lab", "--full"])).stdout;
    assert_planned(&plan);
    let json = env.json(0, &scoped(&["plan", "--lab"]));
    for change in json["changes"].as_array().expect("changes") {
        let (address, action) = (&change["address"], change["action"].as_str());
        let address = address.as_str().expect("an address");
        // What nobody made by hand: the rule, one machine's permission, and the firewalls.
        let made = ["vsphere/rule/servers", "vsphere/permission/vm/agent-9"].contains(&address)
            || address.starts_with("host/firewall/");
        assert_eq!(action, Some(if made { "create" } else { "adopt" }), "{address}");
    }

    env.expect(0, &scoped(&["apply", "--lab", "--yes", "--allow-disruption"]));
    let settled = env.expect(0, &scoped(&["plan", "--lab", "--detailed-exitcode"])).stdout;
    assert_eq!(settled.lines().last(), Some("No changes."), "{settled}");
    assert_eq!(Seen::of(&env), before);

    // Boma made none of the machines, so it deletes none.
    env.expect(0, &["destroy", "--lab", "--keep-disks", "--yes", SPEC]);
    assert_eq!(Seen::of(&env), before);
}

/// A command of the machines and their nodes.
fn scoped<'a>(command: &[&'a str]) -> Vec<&'a str> {
    [command, &SCOPE, &[SPEC]].concat()
}

/// The plan is the reviewed one; `BOMA_BLESS=1` writes it anew.
#[track_caller]
fn assert_planned(plan: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/adoption.txt");
    // The headline tells how long the read took.
    let (_, plan) = plan.split_once('\n').expect("lines");
    if std::env::var_os("BOMA_BLESS").is_some() {
        std::fs::write(&file, plan).expect("written");
    }
    let reviewed = std::fs::read_to_string(&file).expect("text");
    let differences = similar::TextDiff::from_lines(&reviewed, plan).unified_diff().to_string();
    assert!(differences.is_empty(), "BOMA_BLESS=1 takes this over\n{differences}");
}

/// What must stay whatever is planned.
#[derive(Debug, PartialEq)]
struct Seen {
    /// Name, path and both UUIDs of every machine.
    machines: Vec<[Json; 4]>,
    disks: Json,
    lost: Json,
}

impl Seen {
    fn of(env: &TestEnv) -> Self {
        let inventory = env.json(0, &["inventory", "--lab", SPEC]);
        let status = env.json(0, &["lab", "status", SPEC]);
        let machines = inventory["vms"].as_array().expect("machines").iter();
        let of =
            |vm: &Json| ["name", "path", "bios_uuid", "instance_uuid"].map(|key| vm[key].clone());
        Self {
            machines: machines.map(of).collect(),
            disks: status["foreign_disks"].clone(),
            lost: status["lost_disks"].clone(),
        }
    }
}

/// A spec that takes over twelve machines, and the lab in which they stand.
fn fleet() -> TestEnv {
    let env = TestEnv::empty();
    let mut spec = SMALL.to_owned();
    for (from, to) in [
        (
            "name = \"small\"",
            "name  = \"fleet\"\nadopt = [\"vsphere/role/*\", \"vsphere/permission/**\"]",
        ),
        ("template = \"ubuntu-22.04\"\n", ""),
        ("cpu_hot_add    = false\nmemory_hot_add = false\n", ""),
        ("# A change of their size is a power cycle.\n", ""),
        ("count     = 2\nname      = \"agent-{}\"", "count     = 9\nname      = \"agent-{}\""),
        ("10.20.0.21-22", "10.20.0.21-29"),
        (
            "[k3s]\n",
            "[agents.overrides.agent-4]\nvm_path = \"old/site/k3s-worker-node-4\"\n\n[k3s]\n",
        ),
        ("[rules]\n", "[rules]\nhostname = \"warn\"\n"),
    ] {
        assert!(spec.contains(from), "{from}");
        spec = spec.replace(from, to);
    }
    env.write(SPEC, spec);
    stand(&env.path("state/lab/fleet/world"));
    env
}

/// Makes the world before boma sees it.
fn stand(folder: &Path) {
    let setup = Setup {
        seed: 12,
        datacenter: "DC1".into(),
        cluster: "Cluster1".into(),
        hosts: (1..=4).map(|number| format!("esxi-0{number}.example.org")).collect(),
        datastores: vec!["vsanDatastore".into()],
        networks: vec!["VM Network".into()],
        machines: machines(),
        principals: vec![STORAGE.into()],
        roles: roles(),
        ..Setup::default()
    };
    let opened = Lab::open(folder, &setup).expect("a lab");
    assert!(matches!(opened, Opened::Owned(_)));
}

/// No two are alike, as where each was clicked together by somebody else.
fn machines() -> Vec<MachineSetup> {
    let uuid = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    let controllers = |classes: &[&str]| classes.iter().map(|&class| class.to_owned()).collect();
    let volume = |name: &str| format!("[vsanDatastore] fcd/{name}.vmdk");
    let mut all: Vec<MachineSetup> = (1..=3).map(server).chain((1..=9).map(agent)).collect();
    for machine in &mut all {
        machine.extra = uuid("disk.EnableUUID", "TRUE");
    }
    let [server_2, server_3] = [1, 2];
    all[server_2].extra = uuid("disk.enableUUID", "1");
    all[server_2].hardware_version = 19;
    all[server_2].cpu_hot_add = true;
    all[server_3].extra = uuid("disk.EnableUUID", "true");
    all[server_3].hardware_version = 13;
    let agents = &mut all[3..];
    // Only the flag; the guide's third step beside the installer's controller; a volume.
    agents[0].extra = Vec::new();
    agents[0].disk_uuid_flag = true;
    agents[0].controllers = controllers(&[LSI, PVSCSI]);
    agents[0].volumes = vec![volume("pvc-1")];
    // The third step was forgotten.
    agents[1].controllers = controllers(&[LSI_SAS]);
    agents[2].controllers = controllers(&[PVSCSI, PVSCSI]);
    agents[2].hardware_version = 19;
    // Another name in another folder.
    agents[3].name = "k3s-worker-node-4".into();
    agents[3].folder = "old/site".into();
    agents[3].volumes = vec![volume("pvc-2"), volume("pvc-3")];
    // None of the steps was done.
    agents[4].extra = Vec::new();
    agents[4].hardware_version = 13;
    agents[4].controllers = controllers(&[LSI]);
    agents[4].thick = true;
    agents[5].extra = uuid("disk.EnableUUID", "FALSE");
    // Too small, with and without hot-add.
    agents[6].cpus = 4;
    agents[6].cpu_hot_add = true;
    agents[6].memory_hot_add = true;
    agents[7].memory_mib = 16 << 10;
    // Off, with an older disk.
    agents[8].powered_on = false;
    agents[8].hardware_version = 14;
    agents[8].disk_gib = 40;
    all
}

fn server(number: usize) -> MachineSetup {
    MachineSetup {
        name: format!("server-{number}"),
        cpus: 4,
        memory_mib: 8 << 10,
        address: Some(format!("10.20.0.{}", 10 + number)),
        ..usual()
    }
}

fn agent(number: usize) -> MachineSetup {
    MachineSetup {
        name: format!("agent-{number}"),
        cpus: 8,
        memory_mib: 32 << 10,
        address: Some(format!("10.20.0.{}", 20 + number)),
        ..usual()
    }
}

fn usual() -> MachineSetup {
    let folder = "cht".into();
    MachineSetup { folder, disk_gib: 50, hardware_version: 15, ..MachineSetup::default() }
}

/// The guide's roles: in another case, with a privilege more, given with propagation, and
/// forgotten on the last machine.
fn roles() -> Vec<RoleSetup> {
    let role = |name: &str, privileges: &[&str], on: Vec<String>| RoleSetup {
        name: name.into(),
        privileges: privileges.iter().map(|&id| id.to_owned()).collect(),
        on,
        principal: STORAGE.into(),
        propagate: false,
    };
    let vms = machines().into_iter().map(|vm| format!("/DC1/vm/{}/{}", vm.folder, vm.name));
    let hosts = (1..=4).map(|number| format!("/DC1/host/Cluster1/esxi-0{number}.example.org"));
    let node = [
        "VirtualMachine.Config.AddExistingDisk",
        "VirtualMachine.Config.AddRemoveDevice",
        "VirtualMachine.Config.AdvancedConfig",
    ];
    let datastore = vec!["/DC1/datastore/vsanDatastore".to_owned()];
    let search = ["Cns.Searchable", "StorageProfile.View"];
    vec![
        role("cns-datastore", &["Datastore.FileManagement"], datastore),
        role("CNS-VM", &node, vms.take(11).collect()),
        RoleSetup { propagate: true, ..role("CNS-SEARCH-AND-SPBM", &search, vec!["/".into()]) },
        role("ReadOnly", &[], hosts.chain(["/DC1".to_owned()]).collect()),
    ]
}
