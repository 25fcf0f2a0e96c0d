//! `[images]`

use super::super::scalar;
use super::{Key, Shape, URL, optional, required};

pub(super) static IMAGES: &[Key] = &[
    optional(
        "mirrors",
        Shape::Map(&scalar::IMAGE, &URL),
        "Registry to the URL that is asked in its place. Needs runtime = \"containerd\".",
    )
    .example("{ \"registry.k8s.io\" = \"https://mirror.example.org\" }"),
    optional("credentials", Shape::Map(&scalar::IMAGE, &Shape::Table(LOGIN)), "Registry to login."),
    optional(
        "replace",
        Shape::Map(&scalar::IMAGE, &Shape::Text(&scalar::TEXT)),
        "Image name without tag to the image used in its place: another name, tag or digest.",
    )
    .example("{ \"registry.k8s.io/csi-vsphere/driver\" = \"mirror.example.org/driver:v3.7.2\" }"),
];

static LOGIN: &[Key] = &[
    required("username", Shape::Secret, "The user.").example("{ env = \"REGISTRY_USERNAME\" }"),
    required("password", Shape::Secret, "The password or token.")
        .example("{ env = \"REGISTRY_PASSWORD\" }"),
];
