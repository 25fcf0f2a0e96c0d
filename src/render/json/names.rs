//! Schemas of the closed sets that outputs name things from. A test holds them to the enums.

use schemars::{Schema, SchemaGenerator, json_schema};

/// What happens to a resource.
pub fn action(_: &mut SchemaGenerator) -> Schema {
    one_of(&["create", "update", "replace", "delete", "adopt", "forget", "no-op"])
}

/// Who caused a difference.
pub fn cause(_: &mut SchemaGenerator) -> Schema {
    one_of(&["spec", "drift"])
}

/// What a difference costs.
pub fn impact(_: &mut SchemaGenerator) -> Schema {
    one_of(&["in-place", "restart", "power-cycle", "replace"])
}

/// What a step does.
pub fn operation(_: &mut SchemaGenerator) -> Schema {
    one_of(&[
        "create",
        "update",
        "delete",
        "abandon",
        "power-off",
        "upgrade-hardware",
        "power-on",
        "wait",
        "init-cluster",
        "join",
        "start",
        "restart",
        "drain",
        "uncordon",
        "etcd-snapshot",
        "expel",
        "rotate-token",
    ])
}

/// Which part of a change.
pub fn half(_: &mut SchemaGenerator) -> Schema {
    one_of(&["whole", "delete", "create", "open", "close"])
}

/// How bad a diagnostic is.
pub fn severity(_: &mut SchemaGenerator) -> Schema {
    one_of(&["error", "warning"])
}

/// What a finding leads to.
pub fn level(_: &mut SchemaGenerator) -> Schema {
    one_of(&["allow", "warn", "deny"])
}

/// Why a resource is behind another.
pub fn edge(_: &mut SchemaGenerator) -> Schema {
    one_of(&["refers", "after", "lives-in"])
}

/// Why a resource is behind another: each kind at most once.
pub fn edges(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": edge(generator), "minItems": 1 })
}

/// Where a kind stands.
pub fn layer(_: &mut SchemaGenerator) -> Schema {
    one_of(&["vcenter", "hosts", "cluster", "projects"])
}

/// Why an action was chosen.
pub fn reason(_: &mut SchemaGenerator) -> Schema {
    one_of(&[
        "new",
        "deleted-outside",
        "spec-changed",
        "drift",
        "dependency",
        "requested",
        "marked",
        "interrupted",
        "adopt-asked",
        "removed-from-spec",
        "destroyed",
        "abandoned",
        "holds-data",
        "protected",
        "gone-already",
        "equal",
    ])
}

/// Why a resource is blocked.
pub fn block(_: &mut SchemaGenerator) -> Schema {
    one_of(&["unread", "refused", "dependency"])
}

fn one_of(names: &[&str]) -> Schema {
    json_schema!({ "type": "string", "enum": names })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::diag::{Level, Severity};
    use crate::plan::{Action, Cause, Half, Impact, Operation, Reason};
    use crate::render::json::ReasonJson;
    use crate::resource::{Address, EdgeKind, Layer};

    fn check<T: Serialize>(schema: fn(&mut SchemaGenerator) -> Schema, all: &[T]) {
        let named = schema(&mut SchemaGenerator::default());
        assert_eq!(named.get("enum"), Some(&serde_json::to_value(all).unwrap()));
    }

    #[test]
    fn names_are_those_of_the_enums() {
        use Action::{Adopt, Create, Delete, Forget, NoOp, Replace, Update};
        check(action, &[Create, Update, Replace, Delete, Adopt, Forget, NoOp]);
        check(cause, &[Cause::Spec, Cause::Drift]);
        check(impact, &[Impact::InPlace, Impact::Restart, Impact::PowerCycle, Impact::Replace]);
        check(half, &[Half::Whole, Half::Delete, Half::Create, Half::Open, Half::Close]);
        check(severity, &[Severity::Error, Severity::Warning]);
        check(level, &[Level::Allow, Level::Warn, Level::Deny]);
        check(edge, &[EdgeKind::Refers, EdgeKind::After, EdgeKind::LivesIn]);
        check(layer, &[Layer::Vcenter, Layer::Hosts, Layer::Cluster, Layer::Projects]);
    }

    #[test]
    fn operations() {
        use Operation::{
            Abandon, Create, Delete, Drain, EtcdSnapshot, Expel, InitCluster, Join, PowerOff,
            PowerOn, Restart, RotateToken, Start, Uncordon, Update, UpgradeHardware, Wait,
        };
        let machines = [Create, Update, Delete, Abandon, PowerOff, UpgradeHardware, PowerOn, Wait];
        let nodes = [InitCluster, Join, Start, Restart, Drain, Uncordon, EtcdSnapshot, Expel];
        check(operation, &[&machines[..], &nodes[..], &[RotateToken]].concat());
    }

    #[test]
    fn reasons() {
        let all = [
            Reason::New,
            Reason::DeletedOutside,
            Reason::SpecChanged,
            Reason::Drift,
            Reason::Dependency(Address::from("a")),
            Reason::Requested,
            Reason::Marked,
            Reason::Interrupted,
            Reason::AdoptAsked,
            Reason::RemovedFromSpec,
            Reason::Destroyed,
            Reason::Abandoned,
            Reason::HoldsData,
            Reason::Protected,
            Reason::GoneAlready,
            Reason::Equal,
        ];
        check(reason, &all.map(|reason| ReasonJson::from(&reason).reason));
    }
}
