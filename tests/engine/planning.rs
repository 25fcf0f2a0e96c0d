//! What the planner says about worlds that are not as recorded.

use boma::plan::{Action, BlockCause, Plan, Reason};
use boma::resource::{Address, Attributes};
use serde_json::json;

use crate::engine::scenario::{eventful, kind, small, standing};
use crate::engine::system::System;

/// Everything that is not a no-op, in words.
fn acts(plan: &Plan) -> Vec<(String, Action, Vec<Reason>)> {
    let acting = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    acting
        .map(|change| (change.address.to_string(), change.action, change.reasons.clone()))
        .collect()
}

fn check(system: &System, expected: &[(&str, Action, Reason)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(address, action, reason)| ((*address).to_owned(), *action, vec![reason.clone()]))
        .collect();
    assert_eq!(acts(&system.plan()), expected);
}

fn vm_place(name: &str) -> Attributes {
    Attributes::new(&json!({"path": format!("/DC1/vm/cht/{name}")}))
}

#[test]
fn what_lives_in_a_machine_follows_it() {
    let system = standing(&[("a", 4)]);
    system.world.remove(kind("vsphere/vm"), &vm_place("a"));
    let because = Reason::Dependency(Address::from("vsphere/vm/a"));
    check(
        &system,
        &[
            ("vsphere/permission/vm/a", Action::Create, because),
            ("vsphere/vm/a", Action::Create, Reason::DeletedOutside),
        ],
    );
}

#[test]
fn an_eventful_apply_has_every_action() {
    let because = || Reason::Dependency(Address::from("vsphere/vm/b"));
    check(
        &eventful(),
        &[
            ("vsphere/permission/vm/b", Action::Create, because()),
            ("vsphere/permission/vm/c", Action::Delete, Reason::RemovedFromSpec),
            ("vsphere/permission/vm/d", Action::Create, Reason::New),
            ("vsphere/permission/vm/e", Action::Create, Reason::New),
            ("vsphere/permission/vm/gone", Action::Forget, Reason::GoneAlready),
            ("vsphere/role/CNS-VM", Action::Update, Reason::Drift),
            ("vsphere/vm/a", Action::Update, Reason::SpecChanged),
            ("vsphere/vm/b", Action::Replace, Reason::Requested),
            ("vsphere/vm/c", Action::Delete, Reason::RemovedFromSpec),
            ("vsphere/vm/d", Action::Create, Reason::New),
            ("vsphere/vm/e", Action::Adopt, Reason::AdoptAsked),
            ("vsphere/vm/gone", Action::Forget, Reason::GoneAlready),
        ],
    );
}

#[test]
fn a_lost_state_is_recovered_from_marks() {
    let mut system = standing(&[("a", 4)]);
    let before = system.world.standing().len();
    system.state = boma::state::State::new("lineage-2".into(), &[8; 32]);
    let actions: Vec<Action> =
        acts(&system.plan()).into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(actions, [Action::Adopt; 4]);
    system.converge();
    assert_eq!(
        (system.state.lineage.as_str(), system.world.standing().len()),
        ("lineage-1", before)
    );
}

#[test]
fn what_stands_in_the_place_is_refused() {
    let system = System::new(small(&[("a", 4)]), 1);
    system.world.put(kind("vsphere/vm"), &vm_place("a"), serde_json::Map::new(), None);
    let plan = system.plan();
    let refused = |cause: &BlockCause| matches!(cause, BlockCause::Refused { help, .. } if help.contains("import"));
    assert!(plan.blocked.iter().any(|blocked| refused(&blocked.cause)), "{:?}", plan.blocked);
    assert!(plan.changes.iter().all(|change| !change.address.as_str().contains("vm/a")));
}

#[test]
fn nothing_is_done_to_what_was_not_read() {
    let system = eventful();
    system.world.hide_all("the vCenter does not answer");
    let plan = system.plan();
    assert_eq!(plan.changes, []);
    // Six machines with their permissions, the role and the folder.
    assert_eq!(plan.blocked.len(), 14);
}

#[test]
fn one_unread_machine_blocks_what_needs_it_and_nothing_else() {
    let system = standing(&[("a", 4), ("b", 4)]);
    system.world.remove(kind("vsphere/vm"), &vm_place("b"));
    system.world.hide(&"vsphere/vm/a".into(), "timeout");
    let plan = system.plan();
    let blocked: Vec<_> = plan.blocked.iter().map(|blocked| blocked.address.as_str()).collect();
    assert_eq!(blocked, ["vsphere/permission/vm/a", "vsphere/vm/a"]);
    assert_eq!(acts(&plan).len(), 2);
}

#[test]
fn what_others_still_need_is_not_deleted_while_they_are_unread() {
    let mut system = standing(&[("a", 4)]);
    system.desired = small(&[]);
    system.desired.resources.clear();
    system.world.hide(&"vsphere/permission/vm/a".into(), "timeout");
    let plan = system.plan();
    let deleted: Vec<_> = plan.changes.iter().map(|change| change.address.as_str()).collect();
    assert!(!deleted.contains(&"vsphere/role/CNS-VM"), "{deleted:?}");
    assert!(!deleted.contains(&"vsphere/vm/a"), "{deleted:?}");
}

#[test]
fn protection_is_recorded_before_it_is_needed() {
    let mut system = standing(&[("a", 4)]);
    let vm = Address::from("vsphere/vm/a");
    system.desired.resources.get_mut(&vm).unwrap().protected = true;
    system.apply();
    system.expect_converged();
    system.desired.resources.clear();
    let plan = system.plan();
    let of_vm = plan.changes.iter().find(|change| change.address == vm).unwrap();
    assert_eq!(
        (of_vm.action, of_vm.reasons.as_slice()),
        (Action::Forget, [Reason::Protected].as_slice())
    );
}

#[test]
fn an_edit_that_the_spec_took_over_is_recorded() {
    let mut system = standing(&[("a", 4)]);
    system.world.edit(kind("vsphere/vm"), &vm_place("a"), |fields| {
        fields.insert("cpus".into(), json!(8));
    });
    system.desired = small(&[("a", 8)]);
    system.apply();
    system.expect_converged();
    assert_eq!(system.state.resources[&Address::from("vsphere/vm/a")].attributes.tree()["cpus"], 8);
}

#[test]
fn a_dependency_may_be_turned_round() {
    use crate::engine::scenario::{desired, role};
    use boma::resource::{Edge, EdgeKind};
    let after = |resource: boma::resource::Resource, to: &str| boma::resource::Resource {
        edges: vec![Edge { kind: EdgeKind::After, to: Address::of("vsphere/role", to) }],
        ..resource
    };
    let mut system = System::new(desired([after(role("a", &["X"]), "b"), role("b", &["X"])]), 1);
    system.converge();
    system.desired = desired([role("a", &["Y"]), after(role("b", &["Y"]), "a")]);
    system.converge();
}
