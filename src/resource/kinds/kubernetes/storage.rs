//! Drivers, classes, volumes and claims.

use super::common::{PLAIN, any, fixed, kind};
use crate::resource::{Comparison, Effect, Field, Kind};

const CLAIM_KEEPS: &str = "a claim keeps its class, volume and access for good: take back the edit; \
     data moves to another volume only by a copy";
const VOLUME_KEEPS: &str = "a volume keeps what is behind it for good: take back the edit, and give another volume \
     another name";
const CLAIM_GROWS: &str = "a volume can only grow: set its size to what it has, or more";

/// Shape: `spec.attachRequired`, `spec.podInfoOnMount`.
pub const CSI_DRIVER: Kind = kind!("kubernetes/CSIDriver", PLAIN, &[fixed("spec")]);

/// Shape: `provisioner`, `parameters`, `reclaimPolicy`, `volumeBindingMode`, which a class keeps,
/// `allowVolumeExpansion`. Volumes that were made of a class do not need it, so it can be made
/// anew.
pub const STORAGE_CLASS: Kind = kind!(
    "kubernetes/StorageClass",
    PLAIN,
    &[
        fixed("provisioner"),
        fixed("parameters"),
        fixed("reclaimPolicy"),
        fixed("volumeBindingMode"),
    ],
);

/// Shape: `driver`, `deletionPolicy`, `parameters`.
pub const SNAPSHOT_CLASS: Kind = kind!(
    "kubernetes/VolumeSnapshotClass",
    PLAIN,
    &[fixed("driver"), fixed("deletionPolicy"), fixed("parameters")],
);

/// One field of a volume: `spec.persistentVolumeReclaimPolicy`. The rest is its driver's, unless
/// somebody's manifest has a whole one.
pub const VOLUME: Kind = kind!(
    "kubernetes/PersistentVolume",
    Nature { holds_data: true, ..PLAIN },
    &[
        any("spec.persistentVolumeReclaimPolicy"),
        any("spec.accessModes"),
        any("spec.claimRef"),
        any("spec.mountOptions"),
        any("spec.storageClassName"),
        any("spec.capacity"),
        any("spec").effect(Effect::Refuse(VOLUME_KEEPS)),
    ],
);

/// Shape: `spec.storageClassName`, `spec.accessModes`, `spec.resources.requests.storage`,
/// `spec.volumeName`; `attached`: the nodes that its volume hangs on, where it is read by itself.
pub const CLAIM: Kind = kind!(
    "kubernetes/PersistentVolumeClaim",
    Nature { holds_data: true, attaches: true, deadline_s: 600, weight_s: 10 },
    &[
        Field::volatile("attached"),
        Field::owned("spec.resources.requests.storage")
            .comparison(Comparison::Quantity)
            .effect(Effect::GrowOnly(CLAIM_GROWS)),
        Field::owned("spec").comparison(Comparison::Covered).effect(Effect::Refuse(CLAIM_KEEPS)),
    ],
);
