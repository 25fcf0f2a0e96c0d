//! What only projects have: objects that hold a county's data, and images that the CHT sets itself.

use super::common::{PLAIN, any, fixed, kind};
use super::workload::{REPLICAS, ROLLS_OUT, TEMPLATE, TEMPLATE_REST};
use crate::resource::{Effect, Field, Kind, Mode};

const MADE_WITH: &str = "CouchDB keeps the user, password, secret and UUID that its volume was made \
     with: take back the edit; a new password is set in CouchDB on every node first";

/// The namespace of a project: whoever deletes it deletes its claims.
pub const NAMESPACE: Kind =
    kind!("kubernetes/ProjectNamespace", Nature { holds_data: true, ..PLAIN });

/// What CouchDB's volumes were made with: without it nobody gets in. Shape: that of a Secret.
pub const CREDENTIALS: Kind = kind!(
    "kubernetes/Credentials",
    Nature { holds_data: true, ..PLAIN },
    &[
        fixed("type"),
        Field::owned("data").effect(Effect::Kept(MADE_WITH)).sensitive(),
        any("binary_data").sensitive(),
    ],
);

/// A Deployment whose images are the upgrade-service's once it is made: the live ones are sent
/// back. Otherwise as any other.
pub const SELF_UPGRADING: Kind = kind!(
    "kubernetes/SelfUpgrading",
    ROLLS_OUT,
    &[
        REPLICAS,
        fixed("spec.selector"),
        Field::owned("spec.template.spec.containers.*.image").mode(Mode::Initial),
    ],
    TEMPLATE,
    TEMPLATE_REST,
);
