//! What leads to pods.

use super::common::{PLAIN, any, kind, list};
use crate::resource::{Effect, Field, Kind};

/// Shape: `spec.selector`, `spec.ports` by port, `spec.type`.
pub const SERVICE: Kind = kind!(
    "kubernetes/Service",
    PLAIN,
    &[
        Field::owned("spec.clusterIP").effect(Effect::Replace),
        any("spec.ports.*"),
        list("spec.ports", "port"),
    ],
);

/// Shape: `spec.rules`, `spec.tls`, `spec.ingressClassName`.
pub const INGRESS: Kind = kind!("kubernetes/Ingress", PLAIN);
