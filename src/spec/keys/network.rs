//! `[network]`

use super::{CIDR, Key, PORT, Shape, default, optional, required};

pub(super) static NETWORK: &[Key] = &[
    default(
        "firewall",
        "true",
        Shape::Bool,
        "Whether boma keeps its own marked rules on every machine. It never \
         flushes those of others.",
    ),
    default(
        "ingress_from",
        "[]",
        Shape::OneOrMany(&CIDR),
        "Networks that may reach ports 80 and 443, such as the outside nginx; empty is everybody.",
    )
    .example("[\"10.20.1.10/32\"]"),
    default(
        "allow",
        "[]",
        Shape::List(&Shape::Table(ALLOW)),
        "More openings, such as for monitoring.",
    ),
    optional(
        "default_deny",
        Shape::Bool,
        "Whether all else is refused. Otherwise it is on machines that boma \
         made and not on adopted ones.",
    ),
];

static ALLOW: &[Key] = &[
    required("from", CIDR, "The source network.").example("\"10.20.1.20/32\""),
    required("port", PORT, "The destination port.").example("9100"),
    default("protocol", "\"tcp\"", Shape::Choice(&["tcp", "udp"]), "The transport protocol."),
    default(
        "on",
        "\"all\"",
        Shape::Choice(&["all", "servers", "agents"]),
        "The machines it is for.",
    ),
];
