//! `host/docker`: Docker Engine on a machine, where it runs the containers.

use std::borrow::Cow;

use crate::resource::{
    Condition, Effect, Field, Identity, Kind, KindFacts, Layer, Lifecycle, Mode,
};

/// Shape: `version`: `24.0.9`; `service`: `active`; `source`: the tree `url`, at installation
/// only: where packages are fetched from, in place of download.docker.com, and `host_key`:
/// `SHA256:…` of the machine.
pub const DOCKER: Kind = Kind::new(&KindFacts {
    name: "host/docker",
    layer: Layer::Hosts,
    fields: &[
        Field::owned("version").effect(Effect::Restart),
        Field::owned("source").mode(Mode::Initial),
        Field::owned("host_key").mode(Mode::Initial),
    ],
    holds_data: false,
    identity: Identity::Mark,
    lifecycle: Lifecycle::Plain,
    freed_first: false,
    ready: Condition::Is(Cow::Borrowed("service"), Cow::Borrowed("active")),
    deletable: Condition::Exists,
    deadline_s: 600,
    weight_s: 60,
});
