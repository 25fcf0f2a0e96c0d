//! `vsphere/role`: a named set of privileges.

use crate::resource::{Comparison, Condition, Field, Identity, Kind, KindFacts, Layer, Lifecycle};

/// Shape: `name`, in any case: one made by hand keeps its spelling; `privileges`: own privilege
/// ids, without the three System ones that the server adds to every role; `role_id`: computed.
pub const ROLE: Kind = Kind::new(&KindFacts {
    name: "vsphere/role",
    layer: Layer::Vcenter,
    fields: &[
        Field::owned("name").comparison(Comparison::CaseInsensitive),
        Field::owned("privileges").comparison(Comparison::Set),
        Field::computed("role_id"),
    ],
    holds_data: false,
    identity: Identity::NaturalKey,
    lifecycle: Lifecycle::Plain,
    freed_first: true,
    ready: Condition::Exists,
    deletable: Condition::Exists,
    deadline_s: 60,
    weight_s: 1,
});
