//! Definitions of kinds, and objects of kinds that boma has no table for.

use super::common::{PLAIN, any, kind, list};
use crate::resource::{Effect, Field, Kind};

const NAMED_FOR_GOOD: &str =
    "a definition keeps its names and scope: deleting it would delete every object of its kind";

/// A definition takes every object of its kind with it, so it is never made anew.
pub const DEFINITION: Kind = kind!(
    "kubernetes/CustomResourceDefinition",
    PLAIN,
    &[
        Field::owned("spec.group").effect(Effect::Refuse(NAMED_FOR_GOOD)),
        Field::owned("spec.names.kind").effect(Effect::Refuse(NAMED_FOR_GOOD)),
        Field::owned("spec.names.plural").effect(Effect::Refuse(NAMED_FOR_GOOD)),
        Field::owned("spec.scope").effect(Effect::Refuse(NAMED_FOR_GOOD)),
        any("spec.versions.*"),
        list("spec.versions", "name"),
    ],
);

/// How k3s installs a chart of its own: `spec.valuesContent`.
pub const HELM_CHART_CONFIG: Kind = kind!("kubernetes/HelmChartConfig", PLAIN);

/// Any other object.
pub const OBJECT: Kind = kind!("kubernetes/Object", PLAIN);
