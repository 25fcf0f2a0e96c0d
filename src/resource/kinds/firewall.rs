//! `host/firewall`: boma's own rules in a machine's firewall.

use crate::resource::{
    Comparison, Condition, Field, Identity, Kind, KindFacts, Layer, Lifecycle, Mode,
};

/// Shape: `rules`: list of `<tcp, udp or any> [<port or first:last> ]from <any, address or
/// network>`, `tcp 2379:2380 from 10.20.0.12`; `default_deny`: what no rule allows is refused.
/// A network of one address is written as the address, the whole of IPv4 as `any`.
///
/// Used at installation only: `host_key`: `SHA256:…` of the machine.
///
/// Volatile: `tool`: what keeps the rules. Rules of others are not read.
pub const FIREWALL: Kind = Kind::new(&KindFacts {
    name: "host/firewall",
    layer: Layer::Hosts,
    fields: &[
        Field::owned("rules").comparison(Comparison::Set),
        Field::owned("host_key").mode(Mode::Initial),
        Field::volatile("tool"),
    ],
    holds_data: false,
    identity: Identity::Mark,
    lifecycle: Lifecycle::Plain,
    freed_first: false,
    ready: Condition::Exists,
    deletable: Condition::Exists,
    // The host takes its old rules back after two minutes without a word.
    deadline_s: 180,
    weight_s: 5,
});
