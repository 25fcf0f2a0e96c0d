//! `vsphere/permission`: one entity, one principal, one role.

use crate::resource::{
    Comparison, Condition, Effect, Field, Identity, Kind, KindFacts, Layer, Lifecycle, Mode,
};

/// Shape: `entity`: inventory path, `/` is the root folder; `principal`: `DOMAIN\name`;
/// `group`; `role`: its name; `propagate`.
///
/// An entity has at most one role per principal, so entity and principal are the identity.
/// vCenter keeps a principal's domain in upper case whatever was sent.
pub const PERMISSION: Kind = Kind::new(&KindFacts {
    name: "vsphere/permission",
    layer: Layer::Vcenter,
    fields: &[
        // Its path changes when somebody moves it; which entity it is never does.
        Field::owned("entity").mode(Mode::Initial),
        Field::owned("principal").comparison(Comparison::CaseInsensitive).effect(Effect::Replace),
        Field::owned("group").effect(Effect::Replace),
        Field::owned("role").comparison(Comparison::CaseInsensitive),
    ],
    holds_data: false,
    identity: Identity::NaturalKey,
    lifecycle: Lifecycle::Plain,
    freed_first: false,
    ready: Condition::Exists,
    deletable: Condition::Exists,
    deadline_s: 60,
    weight_s: 1,
});
