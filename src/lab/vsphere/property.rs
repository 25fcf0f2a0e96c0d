//! Properties of managed objects as trees, and paths into them.

use crate::xml::Element;

use super::ids;
use super::machine::Machine;
use super::permission;
use super::privilege;
use super::role;
use super::schema::{Field, SCHEMA, is_simple};
use super::session;
use super::task;
use super::world::{Detail, Entity, Ref, Session, World};

/// What properties are read from.
pub(super) struct Source<'a> {
    pub world: &'a World,
    pub session: &'a Session,
    /// Milliseconds since 1970.
    pub now: u64,
}

/// One object's top-level properties, each built at most once.
pub(super) struct Object<'a> {
    source: &'a Source<'a>,
    object: Ref,
    built: Vec<(String, Option<Vec<Element>>)>,
}

/// Why a path has no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The type has no such property.
    Invalid,
    /// It is not set.
    Unset,
}

impl<'a> Object<'a> {
    pub(super) fn new(source: &'a Source<'a>, object: Ref) -> Self {
        let built = Vec::new();
        Self { source, object, built }
    }

    /// The value at a path, as a `val` element with its type.
    pub(super) fn value(&mut self, path: &str) -> Result<Element, Missing> {
        let (field, elements) = self.walk(path)?;
        Ok(val(field, elements))
    }

    /// The references at a path; empty when it is unset or holds none.
    pub(super) fn references(&mut self, path: &str) -> Result<Vec<Ref>, Missing> {
        match self.walk(path) {
            Ok((field, elements)) if field.reference => {
                Ok(elements.iter().map(Ref::read).collect())
            }
            Ok(_) | Err(Missing::Invalid) => Err(Missing::Invalid),
            Err(Missing::Unset) => Ok(Vec::new()),
        }
    }

    fn walk(&mut self, path: &str) -> Result<(&'static Field, Vec<Element>), Missing> {
        let mut segments = segments(path).into_iter();
        let (name, key) = segments.next().ok_or(Missing::Invalid)?;
        let mut field = SCHEMA.field(&self.object.class, name).ok_or(Missing::Invalid)?;
        let mut current = self.top(name).map(|elements| pick(elements, key));
        let mut single = key.is_some() || !field.array;
        for (name, key) in segments {
            let actual =
                current.as_ref().and_then(|elements| elements.first()).and_then(Element::xsi_type);
            let class = actual.unwrap_or(field.kind);
            if !single || field.reference || is_simple(class) {
                return Err(Missing::Invalid);
            }
            if !SCHEMA.is_defined(class) {
                return Err(Missing::Unset);
            }
            field = SCHEMA.field(class, name).ok_or(Missing::Invalid)?;
            let inner = |elements: Vec<Element>| {
                let parent = elements.into_iter().next()?;
                let found: Vec<Element> =
                    parent.children.into_iter().filter(|child| child.name == name).collect();
                (!found.is_empty()).then(|| pick(found, key))
            };
            current = current.and_then(inner);
            single = key.is_some() || !field.array;
        }
        match current {
            Some(elements) if !(single && elements.is_empty()) => {
                let keyed = field.array && single;
                Ok((if keyed { single_of(field) } else { field }, elements))
            }
            _ => Err(Missing::Unset),
        }
    }

    fn top(&mut self, name: &str) -> Option<Vec<Element>> {
        if let Some((_, value)) = self.built.iter().find(|(known, _)| known == name) {
            return value.clone();
        }
        let mut value = top_level(self.source, &self.object, name);
        if let (Some(elements), Some(field)) = (&mut value, SCHEMA.field(&self.object.class, name))
        {
            for element in elements.iter_mut() {
                SCHEMA.arrange(element, field.kind);
            }
        }
        self.built.push((name.to_owned(), value.clone()));
        value
    }
}

/// RFC 3339 in UTC, as vCenter writes times.
pub(super) fn time(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |t| format!("{t:.3}"))
}

/// `a.b["k"].c` as `(a, –) (b, k) (c, –)`.
fn segments(path: &str) -> Vec<(&str, Option<&str>)> {
    let mut found = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (key, after) = match after.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((key, after)) => (Some(key.trim_matches('"')), after),
            None => (None, after),
        };
        found.push((name, key));
        rest = after.strip_prefix('.').unwrap_or(after);
        if after == rest && !rest.is_empty() {
            found.push(("", None));
            break;
        }
    }
    found
}

/// Only the element with that key, where one is given.
fn pick(elements: Vec<Element>, key: Option<&str>) -> Vec<Element> {
    let Some(key) = key else { return elements };
    elements
        .into_iter()
        .filter(|element| {
            element.child_text("key").is_some_and(|own| own.eq_ignore_ascii_case(key))
        })
        .collect()
}

/// The fields that `extraConfig["…"]` and `device[…]` end in: the element, not the list.
fn single_of(field: &Field) -> &'static Field {
    static OPTION: Field = Field {
        name: "extraConfig",
        kind: "OptionValue",
        optional: true,
        array: false,
        reference: false,
    };
    static DEVICE: Field = Field {
        name: "device",
        kind: "VirtualDevice",
        optional: true,
        array: false,
        reference: false,
    };
    if field.kind == "VirtualDevice" { &DEVICE } else { &OPTION }
}

fn val(field: &Field, elements: Vec<Element>) -> Element {
    let kind = if field.reference { "ManagedObjectReference" } else { field.kind };
    let qualified = if is_simple(kind) { format!("xsd:{kind}") } else { kind.to_owned() };
    if field.array {
        let capital = kind.chars().take(1).flat_map(char::to_uppercase);
        let item: String = if is_simple(kind) {
            kind.to_owned()
        } else {
            capital.clone().chain(kind.chars().skip(1)).collect()
        };
        let of: String = capital.chain(kind.chars().skip(1)).collect();
        let items = elements.into_iter().map(|element| Element { name: item.clone(), ..element });
        return Element::new("val").attr("xsi:type", format!("ArrayOf{of}")).extend(items);
    }
    let element = elements.into_iter().next().unwrap_or_default();
    let typed = element.xsi_type().is_some();
    let element = Element { name: "val".to_owned(), ..element };
    if typed { element } else { element.attr("xsi:type", qualified) }
}

fn top_level(source: &Source<'_>, object: &Ref, name: &str) -> Option<Vec<Element>> {
    let one = |element: Element| Some(vec![element]);
    match (object.class.as_str(), name) {
        ("Task", "info") => {
            let task = source.world.tasks.get(&object.id)?;
            one(task::info(task, source.now, "info"))
        }
        ("AuthorizationManager", "roleList") => {
            Some(source.world.roles.values().map(role::element).collect())
        }
        ("AuthorizationManager", "privilegeList") => Some(privilege::elements()),
        ("SessionManager", "currentSession") => {
            one(session::element(source.session, source.now, "currentSession"))
        }
        ("SessionManager", "sessionList") => Some(
            source
                .world
                .sessions
                .values()
                .map(|known| session::element(known, source.now, "sessionList"))
                .collect(),
        ),
        ("SessionManager", "defaultLocale") => one(Element::with_text(name, "en")),
        ("ServiceInstance", "content") => {
            one(session::service_content(source.world.seed, "content"))
        }
        ("ServiceInstance", "serverClock") => one(Element::with_text(name, time(source.now))),
        ("TaskManager", "recentTask") => {
            let tasks = source.world.tasks.values().filter(|task| task.listed);
            Some(tasks.map(|task| Ref::new("Task", &task.id).element(name)).collect())
        }
        _ => entity_property(source, source.world.get(&object.id)?, name),
    }
}

fn entity_property(source: &Source<'_>, entity: &Entity, name: &str) -> Option<Vec<Element>> {
    let world = source.world;
    let one = |element: Element| Some(vec![element]);
    let all =
        |found: Vec<Ref>| Some(found.iter().map(|object| object.element(name)).collect::<Vec<_>>());
    let of_class = |class| world.of_class(class).map(Entity::reference).collect::<Vec<_>>();
    match (name, &entity.detail) {
        ("name", _) => one(Element::with_text(name, &entity.name)),
        ("parent", Detail::Machine(_)) | ("parent", _) => {
            let parent = world.get(entity.parent.as_deref()?)?;
            one(parent.reference().element(name))
        }
        ("overallStatus" | "configStatus", _) => one(Element::with_text(name, "green")),
        ("permission", _) => {
            let held = world.permissions.get(&entity.id).into_iter().flat_map(|held| held.values());
            Some(held.map(|known| permission::element(world, known, name)).collect())
        }
        ("recentTask", _) => {
            let tasks =
                world.tasks.values().filter(|task| task.listed && task.entity.id == entity.id);
            all(tasks.map(|task| Ref::new("Task", &task.id)).collect())
        }
        ("disabledMethod" | "tag" | "customValue" | "value", _) => Some(Vec::new()),
        ("alarmActionsEnabled", _) => one(Element::with_text(name, "true")),
        ("childEntity", Detail::Folder { .. }) => {
            all(world.children(&entity.id).map(Entity::reference).collect())
        }
        ("childType", Detail::Folder { child_types }) => {
            Some(child_types.iter().map(|class| Element::with_text(name, class)).collect())
        }
        ("vmFolder" | "hostFolder" | "datastoreFolder" | "networkFolder", Detail::Datacenter) => {
            let own = name.trim_end_matches("Folder");
            one(world.child(&entity.id, own)?.reference().element(name))
        }
        ("resourcePool", Detail::Cluster) => {
            let pool =
                world.children(&entity.id).find(|child| matches!(child.detail, Detail::Pool))?;
            one(pool.reference().element(name))
        }
        ("host", Detail::Cluster) => all(world
            .children(&entity.id)
            .filter(|child| matches!(child.detail, Detail::Host))
            .map(Entity::reference)
            .collect()),
        ("datastore", Detail::Cluster | Detail::Host | Detail::Datacenter) => {
            all(of_class("Datastore"))
        }
        ("network", Detail::Cluster | Detail::Host | Detail::Datacenter) => {
            all(of_class("Network"))
        }
        ("host", Detail::Network) => all(of_class("HostSystem")),
        ("configurationEx", Detail::Cluster) => one(cluster_configuration(name)),
        ("owner", Detail::Pool) => {
            one(world.get(entity.parent.as_deref()?)?.reference().element(name))
        }
        ("resourcePool", Detail::Pool) => Some(Vec::new()),
        ("runtime", Detail::Host) => one(host_runtime(name)),
        ("summary", Detail::Host) => one(host_summary(entity, name)),
        ("summary", Detail::Datastore) => one(datastore_summary(world, entity, name)),
        ("summary", Detail::Network) => one(Element::new(name)
            .push(entity.reference().element("network"))
            .push(Element::with_text("name", &entity.name))
            .push(Element::with_text("accessible", "true"))
            .push(Element::with_text("ipPoolName", ""))),
        ("vm", Detail::Host | Detail::Datastore | Detail::Network | Detail::Pool) => {
            all(users(world, entity))
        }
        (_, Detail::Machine(machine)) => machine_property(world, entity, machine, name),
        _ => None,
    }
}

/// The machines that use a host, datastore, network or pool.
fn users(world: &World, entity: &Entity) -> Vec<Ref> {
    let uses = |machine: &Machine| {
        machine.host == entity.id
            || machine.datastore == entity.id
            || machine.pool.as_ref() == Some(&entity.id)
            || networks(machine).contains(&entity.id.as_str())
    };
    let machines = world.entities.values().filter(|other| other.machine().is_some_and(uses));
    machines.map(Entity::reference).collect()
}

fn networks(machine: &Machine) -> Vec<&str> {
    let mut found = Vec::new();
    for device in &machine.devices {
        if let super::device::Body::Nic { network, .. } = &device.body
            && !found.contains(&network.as_str())
        {
            found.push(network.as_str());
        }
    }
    found
}

fn machine_property(
    world: &World,
    entity: &Entity,
    machine: &Machine,
    name: &str,
) -> Option<Vec<Element>> {
    let one = |element: Element| Some(vec![element]);
    match name {
        "config" => one(configuration(world, entity, machine)),
        "runtime" => one(runtime(machine, name)),
        "guest" => one(guest(entity, machine)),
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

fn texts<const N: usize>(name: &str, fields: [(&str, String); N]) -> Element {
    let children = fields.into_iter().map(|(name, text)| Element::with_text(name, text));
    Element::new(name).extend(children)
}

fn configuration(world: &World, entity: &Entity, machine: &Machine) -> Element {
    let home = super::reconfigure::home(world, machine, &entity.name);
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
    config.push(files).push(flags).push(hardware.extend(devices)).extend(extra).extend(upgrade)
}

fn runtime(machine: &Machine, name: &str) -> Element {
    let runtime = texts(
        name,
        [
            ("connectionState", "connected".to_owned()),
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
    runtime.push(Ref::new("HostSystem", &machine.host).element("host")).extend(booted)
}

fn guest(entity: &Entity, machine: &Machine) -> Element {
    let running = machine.powered_on;
    let state = |on: &str, off: &str| if running { on } else { off }.to_owned();
    let guest = texts(
        "guest",
        [
            ("toolsStatus", state("toolsOk", "toolsNotRunning")),
            ("toolsVersionStatus", "guestToolsUnmanaged".to_owned()),
            ("toolsVersionStatus2", "guestToolsUnmanaged".to_owned()),
            ("toolsRunningStatus", state("guestToolsRunning", "guestToolsNotRunning")),
            ("toolsVersion", "11360".to_owned()),
            ("guestState", state("running", "notRunning")),
            ("guestOperationsReady", running.to_string()),
        ],
    );
    if !running {
        return guest;
    }
    let address = machine.guest_address();
    let nics = machine.devices.iter().filter_map(|device| match &device.body {
        super::device::Body::Nic { mac, network_name, .. } => Some((device.key, mac, network_name)),
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

fn machine_summary(world: &World, entity: &Entity, machine: &Machine) -> Element {
    let home = super::reconfigure::home(world, machine, &entity.name);
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
    let full = guest(entity, machine);
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

fn cluster_configuration(name: &str) -> Element {
    Element::new(name)
        .attr("xsi:type", "ClusterConfigInfoEx")
        .push(Element::with_text("vmSwapPlacement", "vmDirectory"))
        .push(texts("dasConfig", [("enabled", "true".to_owned())]))
        .push(texts(
            "drsConfig",
            [("enabled", "true".to_owned()), ("defaultVmBehavior", "fullyAutomated".to_owned())],
        ))
}

fn host_runtime(name: &str) -> Element {
    texts(
        name,
        [
            ("connectionState", "connected".to_owned()),
            ("powerState", "poweredOn".to_owned()),
            ("inMaintenanceMode", "false".to_owned()),
        ],
    )
}

fn host_summary(entity: &Entity, name: &str) -> Element {
    Element::new(name)
        .push(entity.reference().element("host"))
        .push(host_runtime("runtime"))
        .push(Element::with_text("overallStatus", "green"))
        .push(Element::with_text("rebootRequired", "false"))
}

fn datastore_summary(world: &World, entity: &Entity, name: &str) -> Element {
    let capacity = 60_u64 << 40;
    let id = ids::uuid(world.seed, "", &["datastore", &entity.id]);
    texts(
        name,
        [
            ("name", entity.name.clone()),
            ("url", format!("ds:///vmfs/volumes/vsan:{id}/")),
            ("capacity", capacity.to_string()),
            ("freeSpace", (capacity / 2).to_string()),
            ("accessible", "true".to_owned()),
            ("multipleHostAccess", "true".to_owned()),
            ("type", "vsan".to_owned()),
            ("maintenanceMode", "normal".to_owned()),
        ],
    )
    .push(entity.reference().element("datastore"))
}
