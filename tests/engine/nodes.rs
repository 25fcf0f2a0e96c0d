//! Clusters of k3s nodes in the twin: one cluster, one window at a time.

use boma::plan::{Action, BlockCause, Half, Operation, Plan};
use boma::resource::{Address, Attributes, Glob, Kind, Reading};
use boma::spec::parse;
use serde_json::{Value as Json, json};

use crate::engine::system::System;

const SMALL: &str = include_str!("../fixtures/small.toml");

/// One agent less.
const FEWER: &[(&str, &str)] =
    &[("[agents]\ncount     = 2", "[agents]\ncount     = 1"), ("10.20.0.21-22", "10.20.0.21")];

pub fn lowered(edits: &[(&str, &str)]) -> boma::plan::Desired {
    let mut text = SMALL.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let parsed = parse("small.toml", &text);
    let spec = parsed.spec.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let mut desired = boma::lower::lower(&spec);
    // Plans do not keep the exact span of a line.
    for resource in desired.resources.values_mut() {
        resource.origin.span = (0, 0);
        resource.origins.clear();
    }
    desired
}

/// 3 servers and 2 agents that run.
pub fn standing() -> System {
    let mut system = System::new(lowered(&[]), 1);
    system.converge();
    system
}

pub fn edited(edits: &[(&str, &str)]) -> System {
    let mut system = standing();
    system.desired = lowered(edits);
    system
}

fn kind(name: &str) -> Kind {
    Kind::named(name).expect("a kind of the product")
}

fn place(system: &System, address: &str) -> Attributes {
    system.desired.resources[&Address::from(address)].place.clone()
}

/// Sets fields of a node behind boma's back.
pub fn edit(system: &System, address: &str, fields: Json) {
    let kind = system.desired.resources[&Address::from(address)].kind;
    let edited = system.world.edit(kind, &place(system, address), |live| {
        live.extend(fields.as_object().expect("fields").clone());
    });
    assert!(edited, "{address}");
}

fn remove(system: &System, vm: &str) {
    let place = place(system, vm);
    assert!(system.world.remove(kind("vsphere/vm"), &place));
}

/// The calls of an address, window included.
fn calls(plan: &Plan, address: &str) -> Vec<Operation> {
    let mut halves: Vec<_> = plan
        .nodes
        .iter()
        .filter(|node| plan.changes[node.change].address.as_str() == address)
        .collect();
    let rank = |half| match half {
        Half::Open => 0,
        Half::Delete | Half::Whole => 1,
        Half::Create => 2,
        Half::Close => 3,
    };
    halves.sort_by_key(|node| rank(node.half));
    halves.iter().flat_map(|node| plan.steps(node)).map(|step| step.operation).collect()
}

fn acting(plan: &Plan) -> Vec<&str> {
    let acting = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    acting.map(|change| change.address.as_str()).collect()
}

pub fn refusal(plan: &Plan, address: &str) -> String {
    let blocked = plan.blocked.iter().find(|blocked| blocked.address.as_str() == address);
    match blocked.map(|blocked| &blocked.cause) {
        Some(BlockCause::Refused { message, .. }) => message.clone(),
        other => format!("{other:?}"),
    }
}

#[test]
fn one_server_begins_the_cluster_and_all_others_join_it() {
    use Operation::{Create, InitCluster, Join};
    let system = System::new(lowered(&[]), 1);
    let plan = system.plan();
    assert_eq!(calls(&plan, "k3s/server/server-1"), [Create, InitCluster]);
    assert_eq!(calls(&plan, "k3s/server/server-2"), [Create, Join]);
    assert_eq!(calls(&plan, "k3s/agent/agent-2"), [Create, Join]);
    assert!(plan.windows.is_empty());
    standing();
}

#[test]
fn a_first_server_that_is_lost_joins_the_others() {
    use Operation::{Create, Expel, Join};
    let mut system = standing();
    remove(&system, "vsphere/vm/server-1");
    assert_eq!(calls(&system.plan(), "k3s/server/server-1"), [Expel, Create, Join]);
    system.converge();
}

#[test]
fn no_empty_cluster_takes_the_place_of_a_lost_one() {
    let system = standing();
    for server in ["vsphere/vm/server-1", "vsphere/vm/server-2", "vsphere/vm/server-3"] {
        remove(&system, server);
    }
    let plan = system.plan();
    assert!(refusal(&plan, "k3s/server/server-1").contains("an empty one would take its place"));
    assert!(calls(&plan, "k3s/server/server-2").is_empty());
}

#[test]
fn nothing_is_made_while_a_server_is_silent() {
    let system = standing();
    remove(&system, "vsphere/vm/server-3");
    system.world.hide(&Address::from("k3s/server/server-1"), "no answer");
    let plan = system.plan();
    let third = plan.blocked.iter().any(|one| one.address.as_str() == "k3s/server/server-3");
    assert!(third, "{:#?}", plan.blocked);
    assert!(!acting(&plan).iter().any(|address| address.starts_with("k3s/")));
}

#[test]
fn a_new_version_goes_through_the_nodes_one_by_one() {
    use Operation::{Drain, EtcdSnapshot, Restart, Uncordon, Update, Wait};
    let mut system = edited(&[("v1.35.9+k3s1", "v1.36.1+k3s1")]);
    let plan = system.plan();
    let server = [EtcdSnapshot, Drain, Update, Restart, Wait, Uncordon];
    assert_eq!(calls(&plan, "k3s/server/server-2"), server);
    assert_eq!(calls(&plan, "k3s/agent/agent-1"), [Drain, Update, Restart, Wait, Uncordon]);
    assert_eq!(plan.windows.len(), 5);
    system.converge();
}

#[test]
fn a_power_cycle_drains_the_node_that_it_takes_down() {
    use Operation::{Drain, Uncordon, Wait};
    let mut system = edited(&[("cpus      = 8", "cpus      = 16")]);
    let plan = system.plan();
    assert_eq!(calls(&plan, "k3s/agent/agent-1"), [Drain, Wait, Uncordon]);
    system.converge();
}

#[test]
fn a_node_that_boma_cordoned_is_given_back() {
    let mut system = standing();
    edit(&system, "k3s/agent/agent-1", json!({ "schedulable": false }));
    let plan = system.plan();
    assert_eq!(calls(&plan, "k3s/agent/agent-1"), [Operation::Uncordon]);
    assert!(plan.windows.is_empty());
    system.converge();
}

#[test]
fn a_service_that_was_stopped_is_started_without_a_window() {
    let mut system = standing();
    edit(&system, "k3s/server/server-2", json!({ "service": "inactive", "ready": "no" }));
    let plan = system.plan();
    assert_eq!(calls(&plan, "k3s/server/server-2"), [Operation::Start]);
    assert!(plan.windows.is_empty());
    system.converge();
}

#[test]
fn an_installation_that_was_cut_short_is_finished() {
    use Operation::{Join, Update};
    let mut system = standing();
    let fields = json!({ "joined": "no", "service": "inactive", "ready": "no", "member": "",
        "config": {}, "agent_token": null });
    edit(&system, "k3s/server/server-2", fields);
    assert_eq!(calls(&system.plan(), "k3s/server/server-2"), [Update, Join]);
    system.converge();
}

/// boma's mark and nothing else: the first file of an installation.
#[test]
fn a_first_server_that_was_hardly_begun_is_finished() {
    use Operation::{InitCluster, Join, Update};
    let hardly = |system: &System, node: &str| {
        let fields = json!({ "joined": "no", "service": "inactive", "ready": "no", "member": "",
            "node": "unknown", "server_answers": "no", "version": null, "config": {},
            "provider_id": null, "token": null, "agent_token": null, "arguments": null });
        edit(system, node, fields);
    };
    let mut system = standing();
    for node in ["k3s/server/server-2", "k3s/agent/agent-1"] {
        hardly(&system, node);
        assert_eq!(calls(&system.plan(), node), [Update, Join], "{node}");
    }
    system.converge();

    let mut system = System::new(lowered(&[]), 1);
    system.options.target = vec![Glob::new("k3s/server/server-1")];
    system.apply();
    system.options.target.clear();
    hardly(&system, "k3s/server/server-1");
    // Nothing was recorded of it yet.
    system.state.resources.remove(&Address::from("k3s/server/server-1"));
    assert_eq!(calls(&system.plan(), "k3s/server/server-1"), [Update, InitCluster]);
    system.converge();
}

#[test]
fn a_machine_is_not_disturbed_without_its_node() {
    let mut system = edited(&[("cpus      = 4", "cpus      = 6")]);
    system.options.target = vec![Glob::new("vsphere/vm/server-1")];
    let plan = system.plan();
    assert!(refusal(&plan, "vsphere/vm/server-1").contains("its pods would not be moved away"));
    assert!(plan.windows.is_empty());
    system.options.target.push(Glob::new("k3s/server/server-1"));
    let plan = system.plan();
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    assert!(calls(&plan, "k3s/server/server-1").contains(&Operation::Drain));
    system.options.target = Vec::new();
    system.options.exclude = vec![Glob::new("k3s/**")];
    assert!(refusal(&system.plan(), "vsphere/vm/server-1").contains("k3s/server/server-1"));
}

/// A node that boma has not taken over yet has pods, too.
#[test]
fn nor_without_a_node_that_is_not_boma_s_yet() {
    let mut system = edited(&[("cpus      = 8", "cpus      = 16")]);
    system.state.resources.remove(&Address::from("k3s/agent/agent-1"));
    system.options.target = vec![Glob::new("vsphere/vm/agent-1")];
    let plan = system.plan();
    assert!(refusal(&plan, "vsphere/vm/agent-1").contains("its pods would not be moved away"));
    assert!(acting(&plan).is_empty() && plan.windows.is_empty());
    // Nobody can move them where it may not be taken over either.
    system.options.target.clear();
    let mut live = system.read();
    let Some(Reading::Present(node)) = live.get_mut(&Address::from("k3s/agent/agent-1")) else {
        panic!("{live:?}");
    };
    node.mark = None;
    let plan = system.plan_from(&live);
    assert!(
        refusal(&plan, "k3s/agent/agent-1").contains("boma did not make"),
        "{:?}",
        plan.blocked
    );
    let blocked = plan.blocked.iter().any(|one| one.address.as_str() == "vsphere/vm/agent-1");
    assert!(blocked && acting(&plan) == ["vsphere/vm/agent-2"], "{:?}", acting(&plan));
}

#[test]
fn a_window_is_not_opened_where_the_cluster_cannot_spare_the_node() {
    let mut system = edited(&[("v1.35.9+k3s1", "v1.36.1+k3s1")]);
    edit(&system, "k3s/server/server-1", json!({ "spare_voters": 0 }));
    let run = system.apply();
    let failed: Vec<&str> =
        run.report.failures.iter().map(|failure| failure.address.as_str()).collect();
    assert_eq!(failed, ["k3s/server/server-1"]);
    assert!(run.report.failures[0].message.contains("spare_voters"), "{:?}", run.report.failures);
}

/// Fewer than three never have a voter to spare: nobody would wait for one but in vain.
#[test]
fn a_small_cluster_does_not_wait_for_a_voter_to_spare() {
    let one = &[("count     = 3", "count     = 1"), ("10.20.0.11-13", "10.20.0.11")];
    let up = ("v1.35.9+k3s1", "v1.36.1+k3s1");
    let check = |members: u64, fails: &[&str]| {
        let mut system = System::new(lowered(one), 1);
        system.converge();
        edit(&system, "k3s/server/server-1", json!({ "members": members, "spare_voters": 0 }));
        system.desired = lowered(&[one[0], one[1], up]);
        let run = system.apply();
        let failures = &run.report.failures;
        let failed: Vec<&str> = failures.iter().map(|one| one.address.as_str()).collect();
        assert_eq!(failed, fails, "{members}: {failures:?}");
    };
    check(1, &[]);
    check(2, &[]);
    check(3, &["k3s/server/server-1"]);
}

/// Another server token; agents have the servers' own.
const NEW_TOKEN: (&str, &str) = ("{ env = \"K3S_TOKEN\" }", "{ env = \"NEW_TOKEN\" }");
const ONE_TOKEN: (&str, &str) = ("agent_token = { env = \"K3S_AGENT_TOKEN\" }\n", "");

#[test]
fn one_server_rotates_the_token_and_all_that_have_it_restart() {
    use Operation::{Drain, EtcdSnapshot, Restart, RotateToken, Uncordon, Update, Wait};
    let previous = "{ env = \"NEW_TOKEN\" }\nprevious_token = { env = \"K3S_TOKEN\" }";
    let mut system = System::new(lowered(&[ONE_TOKEN]), 1);
    system.converge();
    system.desired = lowered(&[ONE_TOKEN, (NEW_TOKEN.0, previous)]);
    let plan = system.plan();
    let restarts = [EtcdSnapshot, Drain, Update, Restart, Wait, Wait, Uncordon];
    let rotates = [EtcdSnapshot, Drain, RotateToken, Update, Restart, Wait, Wait, Uncordon];
    assert_eq!(calls(&plan, "k3s/server/server-1"), rotates);
    assert_eq!(calls(&plan, "k3s/server/server-2"), restarts);
    assert_eq!(calls(&plan, "k3s/agent/agent-1"), restarts[1..]);
    assert_eq!(plan.windows.len(), 5);
    system.converge();
}

#[test]
fn a_server_token_is_not_changed_behind_the_clusters_back() {
    let mut system = System::new(lowered(&[ONE_TOKEN]), 1);
    system.converge();
    system.desired = lowered(&[ONE_TOKEN, NEW_TOKEN]);
    let plan = system.plan();
    assert!(refusal(&plan, "k3s/server/server-1").contains("server token"));
    assert!(calls(&plan, "k3s/agent/agent-1").is_empty());
    assert!(plan.windows.is_empty());
}

#[test]
fn a_wrong_provider_id_is_left_unless_the_node_is_named() {
    use Operation::{Create, Delete, Drain, Expel, Join, Uncordon, Wait};
    let mut system = standing();
    let wrong = json!({ "provider_id": "vsphere://other", "wrong_provider_ids": ["agent-1"] });
    edit(&system, "k3s/agent/agent-1", wrong);
    assert!(calls(&system.plan(), "k3s/agent/agent-1").is_empty());
    system.options.replace.insert("k3s/agent/agent-1".into());
    let plan = system.plan();
    let anew = calls(&plan, "k3s/agent/agent-1");
    assert_eq!(anew.first(), Some(&Drain), "{anew:?}");
    for operation in [Expel, Delete, Create, Join, Wait, Uncordon] {
        assert!(anew.contains(&operation), "{operation:?} in {anew:?}");
    }
}

#[test]
fn an_agent_that_leaves_the_spec_leaves_the_cluster_first() {
    use Operation::{Delete, Drain, Expel};
    let mut system = edited(FEWER);
    let plan = system.plan();
    assert_eq!(calls(&plan, "k3s/agent/agent-2"), [Drain, Expel, Delete]);
    system.converge();
}

#[test]
fn a_dead_agent_that_leaves_the_spec_is_taken_out_of_the_cluster() {
    let mut system = standing();
    remove(&system, "vsphere/vm/agent-2");
    system.desired = lowered(FEWER);
    assert_eq!(calls(&system.plan(), "k3s/agent/agent-2"), [Operation::Expel]);
    system.converge();
}

#[test]
fn everything_can_be_destroyed() {
    let mut system = standing();
    system.desired =
        boma::plan::Desired { endpoints: system.desired.endpoints, ..Default::default() };
    system.options.destroy = true;
    let plan = system.plan();
    assert_eq!(calls(&plan, "k3s/server/server-1"), [Operation::Delete]);
    system.converge();
    // Definitions stay: with them would go every snapshot that somebody else made. So does what
    // holds data.
    let standing = system.world.standing();
    let stays = |kind: Kind| kind.holds_data || kind.name == "kubernetes/CustomResourceDefinition";
    assert!(standing.iter().all(|one| stays(one.kind)));
}
