//! `[machines]`, `[servers]` and `[agents]`

use super::super::scalar;
use super::{
    ADDRESS, CIDR, FOLDER, HOST, Key, LABEL, Need, OBJECT, SIZE, Shape, default, key, optional,
    required,
};

// Consts cannot hold these in place.
static LABEL_VALUES: Shape = Shape::Text(&scalar::LABEL_VALUE);
static TAINT_ITEM: Shape = Shape::Text(&scalar::TAINT);

const TEMPLATE: Key = optional(
    "template",
    OBJECT,
    "VM template to clone from. Leave it out to adopt machines that already stand.",
)
.example("\"ubuntu-22.04\"");
const FOLDER_KEY: Key = optional(
    "folder",
    FOLDER,
    "VM folder; made where it is missing. The datacenter's own VM folder otherwise.",
)
.example("\"cht\"");
const NETWORK: Key = optional("network", OBJECT, "Port group that machines are connected to.")
    .example("\"VM Network\"");
const DATASTORE: Key =
    optional("datastore", OBJECT, "Datastore of the system disk; that of [vcenter] otherwise.")
        .example("\"vsanDatastore\"");
const POOL: Key = optional("resource_pool", FOLDER, "Resource pool; that of [vcenter] otherwise.")
    .example("\"cht\"");
const CPUS: Key = optional("cpus", Shape::Integer(1, 768), "Virtual CPUs.").example("4");
const MEMORY: Key = optional("memory", SIZE, "Memory.").example("\"8GiB\"");
const DISK: Key = optional("disk", SIZE, "System disk. It grows only.").example("\"50GiB\"");
const HARDWARE: Key = optional(
    "hardware_version",
    Shape::Integer(15, 99),
    "The least VM hardware version, 15 otherwise: older ones cannot carry volumes.",
)
.example("19");
const UPGRADE: Key = optional(
    "hardware_upgrade",
    Shape::Choice(&["now", "scheduled"]),
    "When a standing VM gets newer hardware: now, by a power cycle of boma's, or scheduled, when its \
     guest next shuts down. Now otherwise; one that is off is upgraded now either way.",
)
.example("\"scheduled\"");
const CONTROLLERS: Key = optional(
    "scsi_controllers",
    Shape::Integer(1, 4),
    "PVSCSI controllers, for 15 disks each; enough for the volumes otherwise.",
)
.example("4");
const CPU_HOT_ADD: Key = optional(
    "cpu_hot_add",
    Shape::Bool,
    "Whether CPUs can be added without a power cycle; true otherwise.",
)
.example("true");
const MEMORY_HOT_ADD: Key = optional(
    "memory_hot_add",
    Shape::Bool,
    "Whether memory can be added without a power cycle; true otherwise.",
)
.example("true");
const LABELS: Key =
    optional("labels", Shape::Map(&scalar::LABEL_KEY, &LABEL_VALUES), "Node labels.")
        .example("{ tier = \"large\" }");
const TAINTS: Key =
    optional("taints", Shape::List(&TAINT_ITEM), "Node taints besides those of the role.")
        .example("[\"dedicated=large:NoSchedule\"]");

pub(super) static MACHINES: &[Key] = &[
    required("subnet", CIDR, "The network of all machines.").example("\"10.20.0.0/24\""),
    required("gateway", ADDRESS, "Default route.").example("\"10.20.0.1\""),
    required("dns", Shape::OneOrMany(&ADDRESS), "Name servers.").example("[\"10.20.0.2\"]"),
    default(
        "ntp",
        "[]",
        Shape::OneOrMany(&HOST),
        "Time servers; those of the template otherwise. etcd and certificates need right clocks.",
    )
    .example("[\"10.20.0.2\"]"),
    default(
        "search",
        "[]",
        Shape::List(&Shape::Text(&scalar::DOMAIN)),
        "Domains that short names are searched in.",
    )
    .example("[\"example.org\"]"),
    TEMPLATE,
    FOLDER_KEY,
    NETWORK,
    DATASTORE,
    POOL,
    CPUS,
    MEMORY,
    DISK,
    HARDWARE,
    UPGRADE,
    CONTROLLERS,
    CPU_HOT_ADD,
    MEMORY_HOT_ADD,
];

pub(super) static GROUP: &[Key] = &[
    optional(
        "count",
        Shape::Integer(1, 250),
        "How many machines. Goes with name; names is the other way.",
    )
    .example("3"),
    optional(
        "name",
        Shape::Text(&scalar::PATTERN),
        "Pattern of names, numbered from 1. Host, node and VM have this name.",
    )
    .example("\"server-{}\""),
    optional("names", Shape::List(&LABEL), "The names one by one, in place of count and name.")
        .example("[\"anna\", \"berta\", \"carla\"]"),
    key(
        "addresses",
        Need::Required,
        Shape::OneOrMany(&Shape::Text(&scalar::RANGE)),
        "IPv4 addresses in the machines' order: a range, an address, or a \
         list of them. Overrides may differ.",
    )
    .example("\"10.20.0.11-13\""),
    optional(
        "keep_apart",
        Shape::Choice(&["off", "check", "prefer", "require"]),
        "Different ESXi hosts: check only looks, prefer and require are DRS \
         rules. Servers are checked and agents are not, unless said \
         otherwise.",
    )
    .example("\"prefer\""),
    TEMPLATE,
    FOLDER_KEY,
    NETWORK,
    DATASTORE,
    POOL,
    CPUS,
    MEMORY,
    DISK,
    HARDWARE,
    UPGRADE,
    CONTROLLERS,
    CPU_HOT_ADD,
    MEMORY_HOT_ADD,
    LABELS,
    TAINTS,
    optional(
        "overrides",
        Shape::Map(&scalar::LABEL, &Shape::Table(OVERRIDE)),
        "What is different for one machine, by its name.",
    )
    .example("{ agent-4 = { memory = \"256GiB\" } }"),
];

static OVERRIDE: &[Key] = &[
    optional("address", ADDRESS, "Its address, in place of the group's.").example("\"10.20.0.99\""),
    optional("vm_path", FOLDER, "Path of a VM that stands already under another name or folder.")
        .example("\"old/k3s_worker_node_4\""),
    TEMPLATE,
    FOLDER_KEY,
    NETWORK,
    DATASTORE,
    POOL,
    CPUS,
    MEMORY,
    DISK,
    HARDWARE,
    UPGRADE,
    CONTROLLERS,
    CPU_HOT_ADD,
    MEMORY_HOT_ADD,
    LABELS,
    TAINTS,
];
