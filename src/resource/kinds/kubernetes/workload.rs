//! What runs pods.

use super::common::{Nature, PLAIN, any, fixed, kind, list};
use crate::resource::{Effect, Field, Kind, Mode};

/// Images are pulled before pods are ready.
pub(super) const ROLLS_OUT: Nature = Nature { deadline_s: 900, weight_s: 30, ..PLAIN };

const SET_KEEPS: &str = "a StatefulSet keeps its selector, its service and its claims for good: take back the \
     edit, or delete it without its pods (`kubectl delete statefulset NAME --cascade=orphan`), \
     and the next apply makes it anew around them";

const REFUSED: Effect = Effect::Refuse(SET_KEEPS);

/// How many pods there are, unless an autoscaler says it.
pub(super) const REPLICAS: Field = Field::owned("spec.replicas").mode(Mode::Lent("scaled_by"));

/// Rows of the pods at a path, all of which do the same to what runs.
macro_rules! pods {
    ($pods:literal, $effect:expr) => {
        &[
            any(concat!($pods, ".containers.*.env.*")).effect($effect),
            list(concat!($pods, ".containers.*.env"), "name").effect($effect),
            any(concat!($pods, ".containers.*.ports.*")).effect($effect),
            list(concat!($pods, ".containers.*.ports"), "containerPort").effect($effect),
            any(concat!($pods, ".containers.*.volumeMounts.*")).effect($effect),
            list(concat!($pods, ".containers.*.volumeMounts"), "mountPath").effect($effect),
            any(concat!($pods, ".containers.*")).effect($effect),
            list(concat!($pods, ".containers"), "name").effect($effect),
            any(concat!($pods, ".initContainers.*.env.*")).effect($effect),
            list(concat!($pods, ".initContainers.*.env"), "name").effect($effect),
            any(concat!($pods, ".initContainers.*")).effect($effect),
            list(concat!($pods, ".initContainers"), "name").effect($effect),
            any(concat!($pods, ".volumes.*")).effect($effect),
            list(concat!($pods, ".volumes"), "name").effect($effect),
        ]
    };
}

/// A template of pods at `spec.template`: a change of it starts new ones in place of the old.
pub(super) const TEMPLATE: &[Field] = pods!("spec.template.spec", Effect::Restart);

/// What the template says besides.
pub(super) const TEMPLATE_REST: &[Field] = &[any("spec.template").effect(Effect::Restart)];

/// Shape: `spec.replicas`, `spec.selector`, `spec.strategy`, `spec.template`. Ready when every
/// replica is of the current template and available.
pub const DEPLOYMENT: Kind = kind!(
    "kubernetes/Deployment",
    ROLLS_OUT,
    &[REPLICAS, fixed("spec.selector")],
    TEMPLATE,
    TEMPLATE_REST,
);

/// Shape: `spec.selector`, `spec.updateStrategy`, `spec.template`. Ready when its pod of the
/// current template is available on every node that it is meant for.
pub const DAEMON_SET: Kind =
    kind!("kubernetes/DaemonSet", ROLLS_OUT, &[fixed("spec.selector")], TEMPLATE, TEMPLATE_REST,);

/// Shape: `spec.replicas`, `spec.serviceName`, `spec.template`, `spec.volumeClaimTemplates`. Ready
/// when every replica is of the current template and available. What it keeps for good is refused
/// and not made anew: where `persistentVolumeClaimRetentionPolicy` says so, its volumes go with it.
pub const STATEFUL_SET: Kind = kind!(
    "kubernetes/StatefulSet",
    ROLLS_OUT,
    &[REPLICAS],
    TEMPLATE,
    TEMPLATE_REST,
    &[
        any("spec.ordinals"),
        any("spec.updateStrategy"),
        any("spec.revisionHistoryLimit"),
        any("spec.persistentVolumeClaimRetentionPolicy"),
        any("spec.minReadySeconds"),
        any("spec.volumeClaimTemplates.*").effect(REFUSED),
        list("spec.volumeClaimTemplates", "metadata.name").effect(REFUSED),
        any("spec").effect(REFUSED),
    ],
);

/// Shape: `spec.selector`, `spec.template`. A change of the template is for pods to come.
pub const REPLICA_SET: Kind = kind!(
    "kubernetes/ReplicaSet",
    ROLLS_OUT,
    &[REPLICAS, fixed("spec.selector")],
    pods!("spec.template.spec", Effect::InPlace),
);

/// Shape: `spec.template`, `spec.completions`, `spec.parallelism`. Ready when it is complete. Its
/// work is done once, so another template means another Job under the same name.
pub const JOB: Kind = kind!(
    "kubernetes/Job",
    ROLLS_OUT,
    pods!("spec.template.spec", Effect::Replace),
    &[
        fixed("spec.template"),
        fixed("spec.selector"),
        fixed("spec.completions"),
        fixed("spec.completionMode"),
        fixed("spec.podFailurePolicy"),
        fixed("spec.successPolicy"),
        fixed("spec.backoffLimitPerIndex"),
        fixed("spec.managedBy"),
    ],
);

/// Shape: `spec.schedule`, `spec.jobTemplate`. A change is for Jobs to come.
pub const CRON_JOB: Kind = kind!(
    "kubernetes/CronJob",
    PLAIN,
    pods!("spec.jobTemplate.spec.template.spec", Effect::InPlace),
);

/// Shape: `spec`. Ready when its containers are, or have done their work.
pub const POD: Kind = kind!(
    "kubernetes/Pod",
    ROLLS_OUT,
    &[
        any("spec.containers.*.image").effect(Effect::Restart),
        any("spec.initContainers.*.image").effect(Effect::Restart),
        any("spec.activeDeadlineSeconds"),
        // The API adds some of its own to every pod.
        fixed("spec.tolerations.*"),
        list("spec.tolerations", "key").effect(Effect::Replace),
    ],
    pods!("spec", Effect::Replace),
    &[fixed("spec")],
);
