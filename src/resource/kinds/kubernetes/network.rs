//! What leads to pods.

use super::common::{PLAIN, any, fixed, kind, list};
use crate::resource::{Effect, Field, Kind};

/// Shape: `spec.selector`, `spec.ports` by port, `spec.type`.
pub const SERVICE: Kind = kind!(
    "kubernetes/Service",
    PLAIN,
    &[
        Field::owned("spec.clusterIP").effect(Effect::Replace),
        fixed("spec.clusterIPs"),
        fixed("spec.loadBalancerClass"),
        fixed("spec.healthCheckNodePort"),
        any("spec.ports.*"),
        list("spec.ports", "port"),
    ],
);

/// Shape: `spec.rules`, `spec.tls`, `spec.ingressClassName`.
pub const INGRESS: Kind = kind!("kubernetes/Ingress", PLAIN);

/// Shape: `spec.controller`, `spec.parameters`.
pub const INGRESS_CLASS: Kind =
    kind!("kubernetes/IngressClass", PLAIN, &[fixed("spec.controller")]);

/// Shape: `addressType`, `endpoints`, `ports`.
pub const ENDPOINT_SLICE: Kind = kind!("kubernetes/EndpointSlice", PLAIN, &[fixed("addressType")]);
