//! Properties of inventory objects, machines aside.

use crate::xml::Element;

use super::machine::Machine;
use super::property::{Source, texts};
use super::world::{Detail, Entity, Ref, World};
use super::{ids, machine_tree, permission, rule};

/// One top-level property; `None` when it is unset or not simulated.
pub(super) fn property(source: &Source<'_>, entity: &Entity, name: &str) -> Option<Vec<Element>> {
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
        ("datastore", Detail::Cluster | Detail::Datacenter) => all(of_class("Datastore")),
        ("datastore", Detail::Host) => {
            let pair = |store: &Ref| (entity.id.clone(), store.id.clone());
            let mounted = |store: &Ref| !world.unmounted.contains(&pair(store));
            all(of_class("Datastore").into_iter().filter(mounted).collect())
        }
        ("network", Detail::Cluster | Detail::Host | Detail::Datacenter) => {
            all(of_class("Network"))
        }
        ("host", Detail::Network) => all(of_class("HostSystem")),
        ("configurationEx" | "configuration", Detail::Cluster) => {
            one(cluster_configuration(world, entity, name))
        }
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
        (_, Detail::Machine(machine)) => machine_tree::property(world, entity, machine, name),
        _ => None,
    }
}

/// The machines that use a host, datastore, network or pool.
fn users(world: &World, entity: &Entity) -> Vec<Ref> {
    let uses = |machine: &Machine| {
        machine.host == entity.id
            || machine.datastore == entity.id
            || machine.pool.as_ref() == Some(&entity.id)
            || machine_tree::networks(machine).contains(&entity.id.as_str())
    };
    let machines = world.entities.values().filter(|other| other.machine().is_some_and(uses));
    machines.map(Entity::reference).collect()
}

/// `configurationEx`, and the older `configuration`, which has no fields of compute resources.
fn cluster_configuration(world: &World, entity: &Entity, name: &str) -> Element {
    let configuration = match name {
        "configurationEx" => Element::new(name)
            .attr("xsi:type", "ClusterConfigInfoEx")
            .push(Element::with_text("vmSwapPlacement", "vmDirectory")),
        _ => Element::new(name),
    };
    configuration
        .push(texts("dasConfig", [("enabled", "true".to_owned())]))
        .push(texts(
            "drsConfig",
            [("enabled", "true".to_owned()), ("defaultVmBehavior", "fullyAutomated".to_owned())],
        ))
        .extend(rule::elements(world, &entity.id))
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
