//! `[k3s]` and `[docker]`

use super::super::scalar;
use super::{CIDR, DURATION, HOST, Key, LABEL, Shape, TEXT, URL, default, optional, required};

pub(super) static K3S: &[Key] = &[
    default(
        "version",
        "\"v1.35.9+k3s1\"",
        Shape::Text(&scalar::K3S),
        "The release. CPI and CSI versions follow its minor unless written.",
    ),
    required(
        "token",
        Shape::Secret,
        "The server token. Etcd backups cannot be read without it: keep it \
        with them.",
    )
    .example("{ env = \"K3S_TOKEN\" }"),
    optional(
        "agent_token",
        Shape::Secret,
        "The agents' own token. Without it agents hold the server token, \
        which opens the whole cluster; a finding.",
    )
    .example("{ env = \"K3S_AGENT_TOKEN\" }"),
    optional(
        "previous_token",
        Shape::Secret,
        "The server token before a rotation, while one is under way.",
    )
    .example("{ env = \"K3S_OLD_TOKEN\" }"),
    default(
        "runtime",
        "\"containerd\"",
        Shape::Choice(&["containerd", "docker"]),
        "What runs containers. Docker is experimental in k3s and has no \
         registry mirrors.",
    ),
    default(
        "kubeconfig_mode",
        "\"0600\"",
        Shape::Text(&scalar::MODE),
        "Mode of k3s.yaml on servers. Whoever can read it is cluster \
        administrator.",
    ),
    default(
        "provider_id",
        "\"bios-uuid\"",
        Shape::Choice(&["bios-uuid", "instance-uuid"]),
        "Which UUID of a VM names its node. CPI finds machines by the BIOS \
        UUID only; the other one is a finding.",
    ),
    optional(
        "join_address",
        HOST,
        "A virtual address or name in front of the servers; machines join \
        any live server otherwise.",
    )
    .example("\"10.20.0.10\""),
    optional(
        "join_server",
        LABEL,
        "Makes all machines join at this one server, as the guide does: none \
         can join while it is down. A finding.",
    )
    .example("\"server-1\""),
    default("cluster_cidr", "\"10.42.0.0/16\"", CIDR, "Pod network. It cannot change later."),
    default("service_cidr", "\"10.43.0.0/16\"", CIDR, "Service network. It cannot change later."),
    default(
        "cluster_domain",
        "\"cluster.local\"",
        Shape::Text(&scalar::DOMAIN),
        "DNS domain inside the cluster. It cannot change later.",
    ),
    default(
        "tls_san",
        "[]",
        Shape::List(&HOST),
        "More names or addresses for the API's certificate.",
    )
    .example("[\"k3s.example.org\"]"),
    default(
        "disable",
        "[]",
        Shape::List(&Shape::Choice(&["traefik", "servicelb", "metrics-server", "coredns"])),
        "Components to leave out. local-storage follows [storage] local_path.",
    )
    .example("[\"metrics-server\"]"),
    default(
        "flannel_backend",
        "\"vxlan\"",
        Shape::Choice(&["vxlan", "host-gw", "wireguard-native"]),
        "How pods of different machines talk.",
    ),
    default(
        "secrets_encryption",
        "false",
        Shape::Bool,
        "Whether Secrets are encrypted in etcd. All servers must agree.",
    ),
    default(
        "embedded_registry",
        "false",
        Shape::Bool,
        "Whether machines share images among themselves (port 5001).",
    ),
    default(
        "kubelet_args",
        "[]",
        Shape::List(&Shape::Text(&scalar::KUBELET_ARG)),
        "More kubelet arguments.",
    )
    .example("[\"max-pods=150\"]"),
    optional(
        "mirror",
        URL,
        "Where releases are fetched from, in place of GitHub. Checksums are \
         verified either way.",
    )
    .example("\"https://mirror.example.org/k3s\""),
    optional(
        "directory",
        TEXT,
        "A local folder with the binary, checksums and image archives, for \
        sites without internet.",
    )
    .example("\"airgap\""),
    default("drain_timeout", "\"5m\"", DURATION, "How long pods may take to leave a machine."),
    default("ready_timeout", "\"10m\"", DURATION, "How long a machine may take to become Ready."),
];

pub(super) static DOCKER: &[Key] = &[
    default(
        "version",
        "\"24.0.9\"",
        Shape::Text(&scalar::DOCKER),
        "The release of Docker Engine. k3s before v1.26.14 needs one below 25.",
    ),
    optional("mirror", URL, "Where packages are fetched from, in place of download.docker.com.")
        .example("\"https://mirror.example.org/docker\""),
];
