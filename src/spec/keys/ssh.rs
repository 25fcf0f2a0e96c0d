//! `[ssh]`

use super::super::scalar;
use super::{CIDR, DURATION, HOST, Key, PORT, Shape, TEXT, default, optional, required};

pub(super) static SSH: &[Key] = &[
    required("user", TEXT, "The login on every machine, with sudo rights.").example("\"ubuntu\""),
    default("port", "22", PORT, "TCP port."),
    optional("key", Shape::Secret, "The private key; keys come from the SSH agent otherwise.")
        .example("{ file = \"~/.ssh/id_ed25519\" }"),
    default(
        "authorized_keys",
        "[]",
        Shape::List(&Shape::Text(&scalar::PUBLIC_KEY)),
        "Public keys that machines cloned by boma accept. Without one only a template with keys \
         of its own lets anybody in, which is a finding.",
    ),
    optional("sudo_password", Shape::Secret, "For machines whose sudo asks for one.")
        .example("{ env = \"SUDO_PASSWORD\" }"),
    default(
        "from",
        "[]",
        Shape::OneOrMany(&CIDR),
        "Networks that may open SSH. Empty leaves port 22 open to everybody, which is a finding.",
    )
    .example("[\"10.20.0.5/32\"]"),
    optional("known_hosts", TEXT, "A known_hosts file; ~/.ssh/known_hosts otherwise.")
        .example("\"known_hosts\""),
    optional(
        "host_keys",
        Shape::Map(&scalar::LABEL, &Shape::Text(&scalar::FINGERPRINT)),
        "Host keys by machine name, for machines that stand already.",
    )
    .example("{ server-1 = \"SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDhI9tCsd0u6Yd0Zp8\" }"),
    optional("jump", Shape::Table(JUMP), "A host that connections go through."),
    default("connect_timeout", "\"20s\"", DURATION, "For the connection and the login."),
    default(
        "command_timeout",
        "\"30m\"",
        DURATION,
        "How long a command may take in all, such as the upload of image archives.",
    ),
    default("idle_timeout", "\"5m\"", DURATION, "How long a command may be silent."),
];

static JUMP: &[Key] = &[
    required("host", HOST, "Host name or address.").example("\"bastion.example.org\""),
    default("port", "22", PORT, "TCP port."),
    required("user", TEXT, "The login there.").example("\"ubuntu\""),
    optional("key", Shape::Secret, "The private key; that of [ssh] otherwise.")
        .example("{ file = \"~/.ssh/jump\" }"),
    optional(
        "host_key",
        Shape::Text(&scalar::FINGERPRINT),
        "Its host key; known_hosts decides otherwise.",
    ),
];
