//! What is true of every resource of a kind, as tables.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use super::{Address, Condition, Release, kinds, milli};

/// Where a kind stands in the stack; plans are printed in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// vSphere objects.
    Vcenter,
    /// Hosts and k3s.
    Hosts,
    /// What the whole cluster shares.
    Cluster,
    /// CHT projects.
    Projects,
}

impl Layer {
    /// Where a resource stands: an object of the cluster may be a project's.
    pub fn of(address: &Address, kind: Kind) -> Self {
        match kind.layer {
            Self::Cluster if address.project().is_some() => Self::Projects,
            layer => layer,
        }
    }
}

/// Whose a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// boma's where the spec sets it or prior had it.
    Owned,
    /// Written at create; afterwards somebody else's, and the live value is sent back.
    Initial,
    /// As [`Mode::Owned`], unless the live object names somebody under this key who keeps it
    /// instead: then it is not compared, and the live value is sent back.
    Lent(&'static str),
    /// The endpoint's: known after create, and stable from then on.
    Computed,
    /// The endpoint's, and may change at every write.
    Volatile,
    /// The endpoint's, and never compared. Where the spec says what it will be (a text; true for
    /// any), a machine that was turned on is waited for until it is so, this many seconds at most.
    Awaited(u64),
    /// The endpoint's, and changes when one of these owned fields does: a path follows a name.
    Follows(&'static [&'static str]),
}

impl Mode {
    /// Whether the field of this live object is boma's.
    pub fn is_owned(self, live: &Json) -> bool {
        match self {
            Self::Owned => true,
            Self::Lent(keeper) => live[keeper].is_null(),
            _ => false,
        }
    }
}

/// When two values of a field mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal trees.
    Exact,
    /// Kubernetes quantities: `1Gi` is `1024Mi`.
    Quantity,
    /// Text without regard to case.
    CaseInsensitive,
    /// Live may be more than desired: numbers.
    AtLeast,
    /// Lists without order.
    Set,
    /// Lists of maps, matched by the value under this key, order free. A dot leads further down.
    ListBy(&'static str),
    /// Text, shown as a line diff.
    Text,
    /// A part of a Kubernetes object: live has at least what is desired, all the way down; lists have
    /// as many items, and what the API keeps as one has nothing more. Amounts are [`Self::Quantity`]s.
    /// A live value that is not there is the same as nothing, zero, false or an empty text.
    Covered,
}

/// What changing a field of a live object does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Nobody notices.
    InPlace,
    /// The process behind it restarts.
    Restart,
    /// The machine is off for a while.
    PowerCycle,
    /// In place where the number grows and this field of the live object is true, else as
    /// [`Effect::PowerCycle`].
    PowerCycleUnless(&'static str),
    /// The object is deleted and made anew.
    Replace,
    /// As [`Effect::Replace`] where this field of the live object is true, else as
    /// [`Effect::InPlace`].
    ReplaceIf(&'static str),
    /// In place where the number grows, else as [`Effect::Refuse`].
    GrowOnly(&'static str),
    /// Text, a release of k3s: as [`Effect::Restart`] where it becomes a later one of the same
    /// minor or the next, else as [`Effect::Refuse`].
    Upgrade,
    /// As [`Effect::Restart`] where somebody else moved it and it is put back, else as
    /// [`Effect::Refuse`].
    Fixed(&'static str),
    /// As [`Effect::InPlace`] where somebody else moved it and it is put back, else as
    /// [`Effect::Refuse`].
    Kept(&'static str),
    /// A list: as [`Effect::Fixed`] where this item comes or goes, else as [`Effect::Restart`].
    FixedItem(&'static str, &'static str),
    /// Not possible, and why.
    Refuse(&'static str),
}

const NO_DOWNGRADE: &str = "etcd's data cannot be read by an older k3s: set `version` to the release that is \
     installed or a later one; the only way back is a restore of a snapshot from before the upgrade";
const NO_SKIP: &str = "Kubernetes is upgraded one minor version at a time: set `version` to a release of the \
     next minor, apply, and go on from there";

impl Effect {
    /// The effect on one object: what depends on it is decided.
    pub fn on(self, live: &Json, before: Option<&Json>, after: Option<&Json>) -> Self {
        let grows = amount(after) > amount(before) && before.is_some();
        // A k3s node that was never part of a cluster: an installation that was cut short.
        let unused = live["joined"] == "no";
        match self {
            Self::Upgrade | Self::Fixed(_) | Self::FixedItem(..) | Self::Replace if unused => {
                Self::InPlace
            }
            Self::PowerCycleUnless(field) if grows && live[field] == true => Self::InPlace,
            Self::PowerCycleUnless(_) => Self::PowerCycle,
            Self::ReplaceIf(field) if live[field] == true => Self::Replace,
            Self::ReplaceIf(_) => Self::InPlace,
            Self::GrowOnly(_) if grows => Self::InPlace,
            Self::GrowOnly(reason) => Self::Refuse(reason),
            Self::Upgrade => upgrade(release(before), release(after)),
            Self::FixedItem(item, reason) if has(before, item) != has(after, item) => {
                Self::Fixed(reason)
            }
            Self::FixedItem(..) => Self::Restart,
            effect => effect,
        }
    }

    /// The effect, once it is known whether only what somebody else moved is put back.
    pub fn of_drift(self, drift: bool) -> Self {
        match self {
            Self::Fixed(_) if drift => Self::Restart,
            Self::Kept(_) if drift => Self::InPlace,
            Self::Fixed(reason) | Self::Kept(reason) => Self::Refuse(reason),
            effect => effect,
        }
    }
}

/// A number, or a text that is an amount.
fn amount(value: Option<&Json>) -> Option<i128> {
    match value? {
        Json::String(text) => milli(text),
        number => number.as_u64().map(i128::from),
    }
}

fn release(value: Option<&Json>) -> Option<Release> {
    Release::parse(value?.as_str()?)
}

/// What is no release cannot be compared: the new one is installed over it.
fn upgrade(before: Option<Release>, after: Option<Release>) -> Effect {
    match (before, after) {
        (Some(before), Some(after)) if after < before => Effect::Refuse(NO_DOWNGRADE),
        (Some(before), Some(after)) if before.skips_to(&after) => Effect::Refuse(NO_SKIP),
        _ => Effect::Restart,
    }
}

fn has(list: Option<&Json>, item: &str) -> bool {
    list.and_then(Json::as_array).is_some_and(|items| items.iter().any(|one| one == item))
}

/// The facts of one field, or of all fields a pattern covers.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Keys joined by dots; `*` stands for any one key.
    pub path: &'static str,
    /// Whose it is.
    pub mode: Mode,
    /// When it is equal.
    pub comparison: Comparison,
    /// What a change does.
    pub effect: Effect,
    /// Printed masked, stored as a keyed digest.
    pub sensitive: bool,
    /// Which items of a list by key are nobody's but the spec's: they go, whoever put them there.
    /// `None`: those that boma did not write stay.
    pub stray: Option<fn(&str) -> bool>,
}

impl Field {
    /// An owned field, compared exactly, changed in place.
    pub const fn owned(path: &'static str) -> Self {
        Self {
            path,
            mode: Mode::Owned,
            comparison: Comparison::Exact,
            effect: Effect::InPlace,
            sensitive: false,
            stray: None,
        }
    }

    /// A field that the endpoint fills in and that stays.
    pub const fn computed(path: &'static str) -> Self {
        Self { mode: Mode::Computed, ..Self::owned(path) }
    }

    /// A field that the endpoint may change at any write.
    pub const fn volatile(path: &'static str) -> Self {
        Self { mode: Mode::Volatile, ..Self::owned(path) }
    }

    /// A field that the endpoint fills in, and that is waited for after power-on.
    pub const fn awaited(path: &'static str, deadline_s: u64) -> Self {
        Self { mode: Mode::Awaited(deadline_s), ..Self::owned(path) }
    }

    /// A field that the endpoint derives from owned ones.
    pub const fn follows(path: &'static str, owned: &'static [&'static str]) -> Self {
        Self { mode: Mode::Follows(owned), ..Self::owned(path) }
    }

    /// The same field with another mode.
    pub const fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// The same field with another comparison.
    pub const fn comparison(self, comparison: Comparison) -> Self {
        Self { comparison, ..self }
    }

    /// The same field with another effect.
    pub const fn effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// The same list by key, of which such items go although boma never wrote them.
    pub const fn stray(self, stray: fn(&str) -> bool) -> Self {
        Self { stray: Some(stray), ..self }
    }

    /// The same field, secret.
    pub const fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    fn covers(&self, path: &str) -> bool {
        let mut pattern = self.path.split('.');
        let mut keys = path.split('.');
        loop {
            match (pattern.next(), keys.next()) {
                (None, _) => return true,
                (Some("*"), Some(_)) => {}
                (Some(expected), Some(key)) if expected == key => {}
                _ => return false,
            }
        }
    }
}

/// How boma finds an object again that no state knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// By boma's mark on it.
    Mark,
    /// By its natural key: the kind cannot carry a mark.
    NaturalKey,
}

/// Which steps a change of the kind is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// Create, update, delete.
    Plain,
    /// The same with power: off around what needs it, on at the end, off before delete.
    Machine,
    /// A k3s server: begins a cluster or joins one, restarts for what needs it, and is a voter.
    Server,
    /// A k3s agent: the same without a vote.
    Agent,
    /// An object of Kubernetes: create and update are one call that sends everything desired, and
    /// both end when it is ready.
    Applied,
    /// None: it is read for the rules, and never made, changed, recorded or planned.
    Observed,
}

impl Lifecycle {
    /// Whether it is a node of a cluster.
    pub fn is_node(self) -> bool {
        matches!(self, Self::Server | Self::Agent)
    }
}

/// All facts of one kind.
#[derive(Debug)]
pub struct KindFacts {
    /// The kind's name, the first segments of its addresses: `vsphere/vm`.
    pub name: &'static str,
    /// Where it stands.
    pub layer: Layer,
    /// Field facts, the first that covers a path counts; a path no row covers is
    /// [`Field::owned`].
    pub fields: &'static [Field],
    /// Holds what nobody can make again: never deleted by plan, destroy or replace.
    pub holds_data: bool,
    /// How it is found without a recorded id.
    pub identity: Identity,
    /// Its steps.
    pub lifecycle: Lifecycle,
    /// Its endpoint refuses to delete it while others refer to it, so a replace replaces them too.
    pub freed_first: bool,
    /// True of a live object that others may rely on.
    pub ready: Condition,
    /// A delete may go ahead only while this is true of the live object.
    pub deletable: Condition,
    /// How long one step may take until its done condition holds, in seconds.
    pub deadline_s: u64,
    /// Expected time of creation in seconds, which orders the work (longest path first).
    pub weight_s: u64,
}

impl KindFacts {
    /// The facts of one path (keys joined by dots).
    pub fn field(&self, path: &str) -> Field {
        self.fields
            .iter()
            .find(|field| field.covers(path))
            .copied()
            .unwrap_or(const { Field::owned("") })
    }
}

/// A kind: a pointer to its facts. Two kinds are the same if their names are.
#[derive(Clone, Copy)]
pub struct Kind(&'static KindFacts);

impl Kind {
    /// Takes a table of facts. Kinds of the product are listed in `resource/kinds`; tests may
    /// bring their own.
    pub const fn new(facts: &'static KindFacts) -> Self {
        Self(facts)
    }

    /// Finds a kind of the product by name. `None` for kinds this version does not know.
    pub fn named(name: &str) -> Option<Self> {
        let observed = kinds::OBSERVED.iter().copied();
        Self::all().chain(observed).find(|kind| kind.0.name == name)
    }

    /// What stands of a vCenter before anything is made. It is only looked at.
    pub const fn site() -> Self {
        kinds::SITE
    }

    /// Any object of Kubernetes that has no kind of its own here.
    pub const fn object() -> Self {
        kinds::OBJECT
    }

    /// What defines kinds of Kubernetes.
    pub const fn definition() -> Self {
        kinds::DEFINITION
    }

    /// Whether boma makes nothing of the kind itself: its objects come in manifests that somebody
    /// supplies, and what may change of them the cluster knows best.
    pub fn is_foreign(self) -> bool {
        kinds::FOREIGN.contains(&self)
    }

    /// Every kind of the product that is made, so none that is only observed.
    pub fn all() -> impl Iterator<Item = Self> {
        kinds::ALL.iter().copied().flatten().copied()
    }
}

impl std::ops::Deref for Kind {
    type Target = KindFacts;

    fn deref(&self) -> &KindFacts {
        self.0
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Kind {}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            serde::de::Error::custom(format!("unknown kind \"{name}\": written by a newer boma"))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(effect: Effect, live: Json, before: Json, after: Json, expected: Effect) {
        assert_eq!(effect.on(&live, Some(&before), Some(&after)), expected);
    }

    #[test]
    fn what_a_change_does_depends_on_the_object_and_the_direction() {
        let hot = Effect::PowerCycleUnless("hot_add");
        let on = || json!({"hot_add": true});
        check(hot, on(), json!(4), json!(8), Effect::InPlace);
        check(hot, on(), json!(8), json!(4), Effect::PowerCycle);
        check(hot, json!({"hot_add": false}), json!(4), json!(8), Effect::PowerCycle);
        check(hot, json!({}), json!(4), json!(8), Effect::PowerCycle);
        let disk = Effect::GrowOnly("no");
        check(disk, json!({}), json!(20), json!(50), Effect::InPlace);
        check(disk, json!({}), json!(50), json!(20), Effect::Refuse("no"));
        check(disk, json!({}), json!("51200Mi"), json!("60Gi"), Effect::InPlace);
        check(disk, json!({}), json!("50Gi"), json!("20Gi"), Effect::Refuse("no"));
        check(Effect::Replace, on(), json!(4), json!(8), Effect::Replace);
        let sealed = Effect::ReplaceIf("immutable");
        check(sealed, json!({"immutable": true}), json!("a"), json!("b"), Effect::Replace);
        check(sealed, json!({"immutable": false}), json!("a"), json!("b"), Effect::InPlace);
        check(sealed, json!({}), json!("a"), json!("b"), Effect::InPlace);
    }

    #[test]
    fn k3s_goes_up_by_one_minor_at_most_and_never_down() {
        let version = |before: &str, after: &str, expected| {
            check(Effect::Upgrade, json!({}), json!(before), json!(after), expected);
        };
        version("v1.35.9+k3s1", "v1.35.10+k3s1", Effect::Restart);
        version("v1.35.9+k3s1", "v1.35.9+k3s2", Effect::Restart);
        version("v1.35.9+k3s1", "v1.36.0+k3s1", Effect::Restart);
        version("v1.35.9+k3s1", "v1.37.0+k3s1", Effect::Refuse(NO_SKIP));
        version("v1.35.9+k3s1", "v1.35.8+k3s1", Effect::Refuse(NO_DOWNGRADE));
        version("v1.35.9+k3s2", "v1.35.9+k3s1", Effect::Refuse(NO_DOWNGRADE));
        version("v1.36.0+k3s1", "v1.35.9+k3s1", Effect::Refuse(NO_DOWNGRADE));
        version("a build of our own", "v1.35.9+k3s1", Effect::Restart);
        assert_eq!(
            Effect::Upgrade.on(&json!({}), None, Some(&json!("v1.35.9+k3s1"))),
            Effect::Restart
        );
    }

    #[test]
    fn a_fixed_item_may_neither_come_nor_go() {
        let disable = Effect::FixedItem("servicelb", "no");
        let list = |before: &[&str], after: &[&str], expected| {
            check(disable, json!({}), json!(before), json!(after), expected);
        };
        list(&["traefik"], &["traefik", "servicelb"], Effect::Fixed("no"));
        list(&["servicelb"], &["traefik"], Effect::Fixed("no"));
        list(&["servicelb"], &["traefik", "servicelb"], Effect::Restart);
        list(&[], &["traefik"], Effect::Restart);
        assert_eq!(disable.on(&json!({}), Some(&json!(["servicelb"])), None), Effect::Fixed("no"));
    }

    #[test]
    fn half_an_installation_is_finished_whatever_it_has() {
        let cut_short = || json!({"joined": "no"});
        let (old, new) = (json!("v1.36.0+k3s1"), json!("v1.35.9+k3s1"));
        check(Effect::Upgrade, cut_short(), old, new, Effect::InPlace);
        check(Effect::Fixed("no"), cut_short(), json!("a"), json!("b"), Effect::InPlace);
        check(Effect::Replace, cut_short(), json!("a"), json!("b"), Effect::InPlace);
        for effect in [Effect::Fixed("no"), Effect::Replace] {
            assert_eq!(effect.on(&cut_short(), None, Some(&json!("b"))), Effect::InPlace);
        }
        let joined = json!({"joined": "yes"});
        check(Effect::Replace, joined, json!("a"), json!("b"), Effect::Replace);
    }

    #[test]
    fn what_is_fixed_is_put_back_and_never_edited() {
        assert_eq!(Effect::Fixed("no").of_drift(true), Effect::Restart);
        assert_eq!(Effect::Fixed("no").of_drift(false), Effect::Refuse("no"));
        assert_eq!(Effect::Kept("no").of_drift(true), Effect::InPlace);
        assert_eq!(Effect::Kept("no").of_drift(false), Effect::Refuse("no"));
        assert_eq!(Effect::Replace.of_drift(true), Effect::Replace);
    }
}
