//! `vsphere/folder`: a VM folder.

use std::borrow::Cow;

use crate::resource::{Condition, Effect, Field, Identity, Kind, KindFacts, Layer, Lifecycle};

/// Shape: `path`: inventory path, `/DC1/vm/cht`; `moref` and `children` (names): computed.
///
/// Destroying a folder destroys all VMs below it, so only an empty one is deletable.
pub const FOLDER: Kind = Kind::new(&KindFacts {
    name: "vsphere/folder",
    layer: Layer::Vcenter,
    fields: &[
        Field::owned("path")
            .effect(Effect::Refuse("a folder is not moved: name the new one in the spec")),
        Field::computed("moref"),
        Field::volatile("children"),
    ],
    holds_data: false,
    identity: Identity::NaturalKey,
    lifecycle: Lifecycle::Plain,
    freed_first: false,
    ready: Condition::Exists,
    deletable: Condition::Empty(Cow::Borrowed("children")),
    deadline_s: 60,
    weight_s: 1,
});
