//! Properties of virtual machines.

use crate::xml::Element;

use super::device::Body;
use super::machine::Machine;
use super::property::{texts, time};
use super::question;
use super::reconfigure::home;
use super::task::{Operation, State};
use super::world::{Entity, Ref, World};

/// One top-level property; `None` when it is unset or not simulated.
pub(super) fn property(
    world: &World,
    entity: &Entity,
    machine: &Machine,
    name: &str,
) -> Option<Vec<Element>> {
    let one = |element: Element| Some(vec![element]);
    match name {
        // Files that the host cannot read tell vCenter nothing.
        "config" | "guest" if matches!(machine.connection.as_str(), "inaccessible" | "invalid") => {
            None
        }
        "config" => one(configuration(world, entity, machine)),
        "runtime" => one(runtime(machine, name)),
        "guest" => one(guest(world, entity, machine)),
        "summary" => one(machine_summary(world, entity, machine)),
        "resourcePool" => one(Ref::new("ResourcePool", machine.pool.as_deref()?).element(name)),
        "datastore" => one(Ref::new("Datastore", &machine.datastore).element(name)),
        "network" => {
            Some(networks(machine).iter().map(|id| Ref::new("Network", id).element(name)).collect())
        }
        "guestHeartbeatStatus" => {
            one(Element::with_text(name, if machine.powered_on { "green" } else { "gray" }))
        }
        _ => None,
    }
}

/// open-vm-tools 12.3.5, which come with Ubuntu 22.04.
const TOOLS_VERSION: &str = "12357";

fn configuration(world: &World, entity: &Entity, machine: &Machine) -> Element {
    let home = home(world, machine, &entity.name);
    let config = texts(
        "config",
        [
            ("changeVersion", machine.change_version(world.seed)),
            ("modified", "1970-01-01T00:00:00Z".to_owned()),
            ("name", entity.name.clone()),
            ("guestFullName", "Ubuntu Linux (64-bit)".to_owned()),
            ("version", format!("vmx-{}", machine.version)),
            ("uuid", machine.uuid.clone()),
            ("instanceUuid", machine.instance_uuid.clone()),
            ("template", machine.template.to_string()),
            ("guestId", machine.guest_id.clone()),
            ("alternateGuestName", String::new()),
            ("annotation", machine.annotation.clone()),
            ("memoryHotAddEnabled", machine.memory_hot_add.to_string()),
            ("cpuHotAddEnabled", machine.cpu_hot_add.to_string()),
            ("cpuHotRemoveEnabled", "false".to_owned()),
            ("firmware", "efi".to_owned()),
        ],
    );
    let directory = format!("{}/", home.rsplit_once('/').map_or("", |(directory, _)| directory));
    let files =
        texts("files", [("vmPathName", format!("{home}.vmx")), ("logDirectory", directory)]);
    let flags = texts(
        "flags",
        [("enableLogging", "true".to_owned()), ("diskUuidEnabled", machine.disk_uuid.to_string())],
    );
    let hardware = texts(
        "hardware",
        [
            ("numCPU", machine.cpus.to_string()),
            ("numCoresPerSocket", machine.cores_per_socket.to_string()),
            ("memoryMB", machine.memory_mib.to_string()),
        ],
    );
    let devices = machine.devices.iter().map(|device| device.element("device", &machine.devices));
    let extra = machine.extra.iter().map(|(key, value)| {
        Element::new("extraConfig")
            .attr("xsi:type", "OptionValue")
            .push(Element::with_text("key", key))
            .push(Element::with_text("value", value).attr("xsi:type", "xsd:string"))
    });
    let upgrade = machine.upgrade.as_ref().map(|upgrade| {
        texts(
            "scheduledHardwareUpgradeInfo",
            [
                ("upgradePolicy", upgrade.policy.clone()),
                ("scheduledHardwareUpgradeStatus", "pending".to_owned()),
            ],
        )
        .extend(
            upgrade
                .version
                .map(|version| Element::with_text("versionKey", format!("vmx-{version}"))),
        )
    });
    let tools = texts(
        "tools",
        [
            ("toolsVersion", if machine.tools { TOOLS_VERSION } else { "0" }.to_owned()),
            ("toolsUpgradePolicy", "manual".to_owned()),
            ("syncTimeWithHost", "false".to_owned()),
        ],
    );
    let config = config.push(tools);
    config
        .push(files)
        .push(flags)
        .push(hardware.extend(devices))
        .extend(extra)
        .extend(vapp(machine))
        .extend(upgrade)
}

/// vApp options, as an OVA of a cloud image brings them.
fn vapp(machine: &Machine) -> Option<Element> {
    let property = |(key, id): (usize, &String)| {
        texts(
            "property",
            [
                ("key", key.to_string()),
                ("id", id.clone()),
                ("type", "string".to_owned()),
                ("userConfigurable", "true".to_owned()),
                ("defaultValue", String::new()),
            ],
        )
    };
    let properties = machine.vapp_properties.iter().enumerate().map(property);
    let assignment = texts("ipAssignment", [("ipProtocol", "IPv4".to_owned())]);
    let boot = [("installBootRequired", "false".to_owned()), ("installBootStopDelay", "0".into())];
    let config = texts("vAppConfig", boot).extend(properties).push(assignment);
    let transport = Element::with_text("ovfEnvironmentTransport", "iso");
    (!machine.vapp_properties.is_empty()).then(|| config.push(transport))
}

fn runtime(machine: &Machine, name: &str) -> Element {
    let runtime = texts(
        name,
        [
            ("connectionState", machine.connection.clone()),
            ("powerState", machine.power_state().to_owned()),
            ("faultToleranceState", "notConfigured".to_owned()),
            ("toolsInstallerMounted", "false".to_owned()),
            ("numMksConnections", "0".to_owned()),
            ("recordReplayState", "inactive".to_owned()),
            ("onlineStandby", "false".to_owned()),
            ("consolidationNeeded", "false".to_owned()),
        ],
    );
    let booted =
        machine.powered_on.then(|| Element::with_text("bootTime", time(machine.booted_ms)));
    runtime
        .push(Ref::new("HostSystem", &machine.host).element("host"))
        .extend(booted)
        .extend(machine.question.as_ref().map(question::element))
}

/// Of a guest that runs.
fn guest_state(world: &World, entity: &Entity) -> &'static str {
    let leaves = world.tasks.values().any(|task| {
        task.operation == Operation::Shutdown
            && task.state == State::Pending
            && task.entity.id == entity.id
    });
    if leaves { "shuttingDown" } else { "running" }
}

fn guest(world: &World, entity: &Entity, machine: &Machine) -> Element {
    if !machine.tools {
        return without_tools(machine);
    }
    let running = machine.powered_on;
    let state = |on: &str, off: &str| if running { on } else { off }.to_owned();
    let guest = texts(
        "guest",
        [
            ("toolsStatus", state("toolsOk", "toolsNotRunning")),
            ("toolsVersionStatus", "guestToolsUnmanaged".to_owned()),
            ("toolsVersionStatus2", "guestToolsUnmanaged".to_owned()),
            ("toolsRunningStatus", state("guestToolsRunning", "guestToolsNotRunning")),
            ("toolsVersion", TOOLS_VERSION.to_owned()),
            ("guestState", state(guest_state(world, entity), "notRunning")),
            ("guestOperationsReady", running.to_string()),
        ],
    );
    if !running {
        return guest;
    }
    let address = machine.guest_address();
    let nics = machine.devices.iter().filter_map(|device| match &device.body {
        Body::Nic { mac, network_name, .. } => Some((device.key, mac, network_name)),
        _ => None,
    });
    let net = nics.enumerate().map(|(place, (key, mac, network))| {
        let nic = texts(
            "net",
            [
                ("network", network.clone()),
                ("macAddress", mac.clone()),
                ("connected", "true".to_owned()),
                ("deviceConfigId", key.to_string()),
            ],
        );
        nic.extend((place == 0).then(|| Element::with_text("ipAddress", &address)))
    });
    let net: Vec<Element> = net.collect();
    guest
        .push(Element::with_text("hostName", machine.guest_name(&entity.name)))
        .push(Element::with_text("ipAddress", address))
        .push(Element::with_text("guestFamily", "linuxGuest"))
        .extend(net)
}

/// What vCenter knows of a guest that tells it nothing.
fn without_tools(machine: &Machine) -> Element {
    texts(
        "guest",
        [
            ("toolsStatus", "toolsNotInstalled".to_owned()),
            ("toolsVersionStatus", "guestToolsNotInstalled".to_owned()),
            ("toolsVersionStatus2", "guestToolsNotInstalled".to_owned()),
            ("toolsRunningStatus", "guestToolsNotRunning".to_owned()),
            ("toolsVersion", "0".to_owned()),
            ("guestState", if machine.powered_on { "unknown" } else { "notRunning" }.to_owned()),
            ("guestOperationsReady", "false".to_owned()),
        ],
    )
}

fn machine_summary(world: &World, entity: &Entity, machine: &Machine) -> Element {
    let home = home(world, machine, &entity.name);
    let config = texts(
        "config",
        [
            ("name", entity.name.clone()),
            ("template", machine.template.to_string()),
            ("vmPathName", format!("{home}.vmx")),
            ("memorySizeMB", machine.memory_mib.to_string()),
            ("numCpu", machine.cpus.to_string()),
            ("uuid", machine.uuid.clone()),
            ("instanceUuid", machine.instance_uuid.clone()),
            ("guestId", machine.guest_id.clone()),
            ("annotation", machine.annotation.clone()),
            ("hwVersion", format!("vmx-{}", machine.version)),
        ],
    );
    let full = guest(world, entity, machine);
    let known = [
        "toolsStatus",
        "toolsVersionStatus",
        "toolsVersionStatus2",
        "toolsRunningStatus",
        "hostName",
        "ipAddress",
    ];
    let short = full.children.into_iter().filter(|child| known.contains(&child.name.as_str()));
    Element::new("summary")
        .push(entity.reference().element("vm"))
        .push(runtime(machine, "runtime"))
        .push(Element::new("guest").extend(short))
        .push(config)
        .push(Element::new("quickStats"))
        .push(Element::with_text("overallStatus", "green"))
}

/// The networks that a machine is on, each once.
pub(super) fn networks(machine: &Machine) -> Vec<&str> {
    let mut found = Vec::new();
    for device in &machine.devices {
        if let Body::Nic { network, .. } = &device.body
            && !found.contains(&network.as_str())
        {
            found.push(network.as_str());
        }
    }
    found
}
