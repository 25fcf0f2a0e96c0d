//! `k3s/server`: one server of the cluster: control plane and etcd.

use std::borrow::Cow;

use crate::resource::{
    Comparison, Condition, Effect, Field, Identity, Kind, KindFacts, Layer, Lifecycle, Mode,
};

const NETWORK: &str = "network ranges cannot change while a cluster lives: put the old value back, or make a new \
     cluster and move the projects there";

/// k3s docs, `cli/server`: a server whose critical values differ from the others' does not start.
const ALL_SERVERS: &str = "all servers must agree on it, so it cannot change one server at a time: put the old value \
     back; or take an etcd snapshot, stop k3s on every server, write the new value into \
     /etc/rancher/k3s/config.yaml on each, start the servers again in their order, and plan anew";

const AGENT_TOKEN: &str = "all servers must have one agent token, so it cannot change one server at a time: put the \
     old one back; or stop k3s on every server, write the new one into \
     /etc/rancher/k3s/agent-token on each, start the servers again in their order, and plan anew: \
     agents then get it one by one";

/// Shape: `version`: `v1.35.9+k3s1`; `config`: keys of config.yaml, without tokens, join keys and
/// the provider id; `provider_id`: `vsphere://<uuid>`; `token`, `agent_token`: secrets; `mirrors`:
/// registry to URL; `logins`: registry to `username` and `password`, secrets; `service`:
/// `active`; `running`: `current`, or `stale` where the process is not what the disk says;
/// `schedulable`: boma's own cordon is off; `arguments`: `config.yaml`, or `unit` where they stand
/// in the unit, or `founding` where a server with data would begin a cluster were the data lost.
///
/// Used at joins and installation only: `servers`: addresses; `join`: where to join, when not at
/// any live server; `source`: the tree `url` or `directory`; `host_key`: `SHA256:…`;
/// `ready_timeout_s`, `drain_timeout_s`;
/// `previous_token`: a secret, while the token is rotated.
///
/// Volatile: `ready`, `joined`, `server_answers`: `yes` or `no`; `member`: `voter`, `learner` or
/// empty; `node`: `present`, `absent` or `unknown`; `cordoned`: by anybody; `members`: of etcd,
/// healthy or not; `spare_voters`: healthy voters minus quorum; `others_not_ready`,
/// `wrong_provider_ids`: names of nodes; `certificate_expires`; `effective`: arguments as loaded;
/// `last_words`: of a unit that is down; `datastore`: `etcd`, or `other` for SQLite and databases
/// of somebody's.
pub const SERVER: Kind = Kind::new(&KindFacts {
    name: "k3s/server",
    layer: Layer::Hosts,
    fields: &[
        Field::owned("version").effect(Effect::Upgrade),
        Field::owned("config.cluster-cidr").effect(Effect::Fixed(NETWORK)),
        Field::owned("config.service-cidr").effect(Effect::Fixed(NETWORK)),
        Field::owned("config.cluster-dns").effect(Effect::Fixed(NETWORK)),
        Field::owned("config.cluster-domain").effect(Effect::Fixed(NETWORK)),
        Field::owned("config.disable-cloud-controller").effect(Effect::Fixed(ALL_SERVERS)),
        Field::owned("config.disable-helm-controller").effect(Effect::Fixed(ALL_SERVERS)),
        Field::owned("config.disable-network-policy").effect(Effect::Fixed(ALL_SERVERS)),
        Field::owned("config.egress-selector-mode").effect(Effect::Fixed(ALL_SERVERS)),
        Field::owned("config.embedded-registry").effect(Effect::Fixed(ALL_SERVERS)),
        Field::owned("config.flannel-backend").effect(Effect::Fixed(ALL_SERVERS)),
        Field::owned("config.secrets-encryption").effect(Effect::Fixed(ALL_SERVERS)),
        Field::owned("config.secrets-encryption-provider").effect(Effect::Fixed(ALL_SERVERS)),
        Field::owned("config.disable")
            .comparison(Comparison::Set)
            .effect(Effect::FixedItem("servicelb", ALL_SERVERS)),
        Field::owned("config.kubelet-arg").comparison(Comparison::Set).effect(Effect::Restart),
        Field::owned("config.tls-san").comparison(Comparison::Set).effect(Effect::Restart),
        Field::owned("config").effect(Effect::Restart),
        Field::owned("provider_id").effect(Effect::Replace),
        Field::owned("token").effect(Effect::Restart).sensitive(),
        Field::owned("agent_token").effect(Effect::Fixed(AGENT_TOKEN)).sensitive(),
        Field::owned("mirrors").effect(Effect::Restart),
        Field::owned("logins").effect(Effect::Restart).sensitive(),
        Field::owned("running").effect(Effect::Restart),
        Field::owned("servers").mode(Mode::Initial),
        Field::owned("join").mode(Mode::Initial),
        Field::owned("source").mode(Mode::Initial),
        Field::owned("host_key").mode(Mode::Initial),
        Field::owned("ready_timeout_s").mode(Mode::Initial),
        Field::owned("drain_timeout_s").mode(Mode::Initial),
        Field::owned("previous_token").mode(Mode::Initial).sensitive(),
        Field::volatile("ready"),
        Field::volatile("joined"),
        Field::volatile("member"),
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
        Field::volatile("datastore"),
    ],
    holds_data: false,
    identity: Identity::Mark,
    lifecycle: Lifecycle::Server,
    freed_first: false,
    ready: Condition::Is(Cow::Borrowed("ready"), Cow::Borrowed("yes")),
    deletable: Condition::Exists,
    deadline_s: 600,
    weight_s: 90,
});
