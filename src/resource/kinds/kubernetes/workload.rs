//! What runs pods.

use super::common::{Nature, PLAIN, amount, any, fixed, kind, list};
use crate::resource::{Effect, Field, Kind, Mode};

/// Images are pulled before pods are ready.
pub(super) const ROLLS_OUT: Nature = Nature { deadline_s: 900, weight_s: 30, ..PLAIN };

/// How many pods there are, unless an autoscaler says it.
const REPLICAS: Field = Field::owned("spec.replicas").mode(Mode::Lent("scaled_by"));

/// A template of pods at `spec.template`: a change of it starts new ones in place of the old.
pub(super) const TEMPLATE: &[Field] = &[
    REPLICAS,
    restarts(amount("spec.template.spec.containers.*.resources")),
    restarts(any("spec.template.spec.containers.*.env.*")),
    restarts(list("spec.template.spec.containers.*.env", "name")),
    restarts(any("spec.template.spec.containers.*.ports.*")),
    restarts(list("spec.template.spec.containers.*.ports", "containerPort")),
    restarts(any("spec.template.spec.containers.*.volumeMounts.*")),
    restarts(list("spec.template.spec.containers.*.volumeMounts", "mountPath")),
    restarts(any("spec.template.spec.containers.*")),
    restarts(list("spec.template.spec.containers", "name")),
    restarts(any("spec.template.spec.initContainers.*.env.*")),
    restarts(list("spec.template.spec.initContainers.*.env", "name")),
    restarts(any("spec.template.spec.initContainers.*")),
    restarts(list("spec.template.spec.initContainers", "name")),
    restarts(any("spec.template.spec.volumes.*")),
    restarts(list("spec.template.spec.volumes", "name")),
    restarts(any("spec.template")),
];

/// Shape: `spec.replicas`, `spec.selector`, `spec.strategy`, `spec.template`. Ready when every
/// replica is of the current template and available.
pub const DEPLOYMENT: Kind =
    kind!("kubernetes/Deployment", ROLLS_OUT, &[fixed("spec.selector")], TEMPLATE);

/// Shape: `spec.selector`, `spec.updateStrategy`, `spec.template`. Ready when its pod of the
/// current template is available on every node that it is meant for.
pub const DAEMON_SET: Kind =
    kind!("kubernetes/DaemonSet", ROLLS_OUT, &[fixed("spec.selector")], TEMPLATE);

const fn restarts(field: Field) -> Field {
    field.effect(Effect::Restart)
}
