//! `k3s/agent`: one machine that runs pods and holds no part of etcd.

use std::borrow::Cow;

use crate::resource::{
    Comparison, Condition, Effect, Field, Identity, Kind, KindFacts, Layer, Lifecycle, Mode,
};

/// Shape: as [`super::k3s_server::SERVER`], without `agent_token`, `previous_token` and `member`.
/// `token` is the agents' own where the spec has one.
pub const AGENT: Kind = Kind::new(&KindFacts {
    name: "k3s/agent",
    layer: Layer::Hosts,
    fields: &[
        Field::owned("version").effect(Effect::Upgrade),
        Field::owned("config.kubelet-arg").comparison(Comparison::Set).effect(Effect::Restart),
        Field::owned("config").effect(Effect::Restart),
        Field::owned("provider_id").effect(Effect::Replace),
        Field::owned("token").effect(Effect::Restart).sensitive(),
        Field::owned("mirrors").effect(Effect::Restart),
        Field::owned("logins").effect(Effect::Restart).sensitive(),
        Field::owned("running").effect(Effect::Restart),
        Field::owned("servers").mode(Mode::Initial),
        Field::owned("join").mode(Mode::Initial),
        Field::owned("source").mode(Mode::Initial),
        Field::owned("host_key").mode(Mode::Initial),
        Field::owned("ready_timeout_s").mode(Mode::Initial),
        Field::owned("drain_timeout_s").mode(Mode::Initial),
        Field::volatile("ready"),
        Field::volatile("joined"),
        Field::volatile("node"),
        Field::volatile("cordoned"),
        Field::volatile("members"),
        Field::volatile("spare_voters"),
        Field::volatile("others_not_ready"),
        Field::volatile("wrong_provider_ids"),
        Field::volatile("server_answers"),
        Field::volatile("certificate_expires"),
        Field::volatile("effective"),
        Field::volatile("last_words"),
    ],
    holds_data: false,
    identity: Identity::Mark,
    lifecycle: Lifecycle::Agent,
    freed_first: false,
    ready: Condition::Is(Cow::Borrowed("ready"), Cow::Borrowed("yes")),
    deletable: Condition::Exists,
    deadline_s: 600,
    weight_s: 60,
});
