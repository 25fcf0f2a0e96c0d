//! `kubernetes/Namespace`, `kubernetes/Secret`, `kubernetes/ConfigMap`.

use super::common::{PLAIN, any, fixed, kind};
use crate::resource::{Comparison, Effect, Field, Kind};

/// Where somebody has set `immutable`, the content can only go with the object.
const SEALED: Effect = Effect::ReplaceIf("immutable");

/// A namespace; ready while it is not on its way out.
pub const NAMESPACE: Kind = kind!("kubernetes/Namespace", PLAIN);

/// Shape: `type`; `data`: a map of texts.
pub const SECRET: Kind = kind!(
    "kubernetes/Secret",
    PLAIN,
    &[
        fixed("type"),
        Field::owned("data").sensitive().effect(SEALED),
        any("binary_data").sensitive().effect(SEALED),
        any("immutable").effect(SEALED),
    ],
);

/// Shape: `data`: a map of texts.
pub const CONFIG_MAP: Kind = kind!(
    "kubernetes/ConfigMap",
    PLAIN,
    &[
        // The cloud provider's: a cluster that was made by the guide has the password in it.
        Field::owned("data.vsphere.conf").sensitive().effect(SEALED),
        Field::owned("data").comparison(Comparison::Text).effect(SEALED),
        any("binaryData").effect(SEALED),
        any("immutable").effect(SEALED),
    ],
);
