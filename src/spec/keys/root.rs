//! The top of the file.

use super::super::scalar;
use super::{Key, LABEL, Need, Shape, default, key, optional, required};
use super::{backup, cluster, images, k3s, machines, network, projects, review, ssh, vcenter};

pub(crate) static ROOT: &[Key] = &[
    required(
        "name",
        LABEL,
        "Names this deployment: its state folder, its Kubernetes cluster in \
         the vCenter. Never change it later.",
    ),
    default(
        "adopt",
        "[]",
        Shape::List(&Shape::Text(&scalar::GLOB)),
        "Objects that stand already and that boma may take over, as patterns over addresses.",
    )
    .example("[\"vsphere/vm/*\", \"project/county-0*/**\"]"),
    default(
        "protect",
        "[]",
        Shape::List(&Shape::Text(&scalar::GLOB)),
        "Objects that no plan deletes or replaces, as patterns over addresses.",
    )
    .example("[\"vsphere/vm/*\"]"),
    required("vcenter", Shape::Table(vcenter::VCENTER), "The vCenter, and where in it things go."),
    required("ssh", Shape::Table(ssh::SSH), "How boma reaches the machines."),
    optional("network", Shape::Table(network::NETWORK), "Who may reach the machines."),
    required(
        "machines",
        Shape::Table(machines::MACHINES),
        "What servers and agents have in common.",
    ),
    required(
        "servers",
        Shape::Table(machines::GROUP),
        "The k3s servers: control plane and etcd. Their number is odd.",
    ),
    optional("agents", Shape::Table(machines::GROUP), "The k3s agents, which run the projects."),
    required("k3s", Shape::Table(k3s::K3S), "How k3s is installed and configured."),
    optional("docker", Shape::Table(k3s::DOCKER), "Docker Engine; only with runtime = \"docker\"."),
    optional("images", Shape::Table(images::IMAGES), "Where container images come from."),
    optional(
        "cloud_provider",
        Shape::Table(cluster::CLOUD_PROVIDER),
        "vSphere's cloud provider interface (CPI).",
    ),
    optional("csi", Shape::Table(cluster::CSI), "vSphere's container storage interface (CSI)."),
    required("storage", Shape::Table(cluster::STORAGE), "The storage class of all volumes."),
    optional("snapshots", Shape::Table(cluster::SNAPSHOTS), "Volume snapshots."),
    optional("traefik", Shape::Table(cluster::TRAEFIK), "The entry into the cluster."),
    optional(
        "backup",
        Shape::Table(backup::BACKUP),
        "Who takes backups, of what and when. Without this table there are \
         none, which is a finding.",
    ),
    optional(
        "projects",
        Shape::Table(projects::PROJECTS),
        "The CHT projects, one for each county or the like.",
    ),
    optional(
        "waivers",
        Shape::List(&Shape::Table(review::WAIVER)),
        "Findings that may pass for a reason and a time. Waived findings still print.",
    ),
    key(
        "rules",
        Need::Optional,
        Shape::Map(&scalar::LABEL, &Shape::Choice(&["allow", "warn", "deny"])),
        "Levels of rules that differ from the rules' own.",
    )
    .example("{ capacity = \"deny\" }"),
];
