//! Kinds that the product does not have yet: secrets, data, lists by key, refusals.

use std::borrow::Cow;

use boma::plan::{Action, After, BlockCause, Plan};
use boma::resource::{
    Address, Attributes, Comparison, Condition, Effect, Endpoint, EndpointFacts, Field, Identity,
    Kind, KindFacts, Layer, Lifecycle, Resource, SecretSource, Value,
};
use boma::twin::{MemoryLedger, Twin, VirtualClock};
use serde_json::{Value as Json, json};

use crate::engine::scenario::{desired, resource};
use crate::engine::system::{PASSWORD, System};

const FACTS: KindFacts = KindFacts {
    name: "test/thing",
    layer: Layer::Cluster,
    fields: &[
        Field::owned("password").sensitive(),
        Field::owned("memory").comparison(Comparison::Quantity),
        Field::owned("containers").comparison(Comparison::ListBy("name")),
        Field::owned("subnet").effect(Effect::Replace),
        Field::owned("zone").effect(Effect::Refuse("name another zone in the spec")),
        Field::computed("uid"),
        Field::volatile("address"),
    ],
    holds_data: false,
    identity: Identity::Mark,
    lifecycle: Lifecycle::Plain,
    freed_first: false,
    ready: Condition::Exists,
    deletable: Condition::Empty(Cow::Borrowed("users")),
    deadline_s: 30,
    weight_s: 3,
};
const THING: Kind = Kind::new(&FACTS);
const VOLUME: Kind = Kind::new(&KindFacts { name: "test/volume", holds_data: true, ..FACTS });

fn thing(kind: Kind, name: &str, attributes: Value) -> Resource {
    resource(kind, name, attributes, json!({"name": name}), &[])
}

fn place(name: &str) -> Attributes {
    Attributes::new(&json!({"name": name}))
}

fn system(resources: Vec<Resource>) -> System {
    let mut desired = desired(resources);
    desired
        .endpoints
        .insert(Endpoint::named("test"), EndpointFacts { limit: 1, opened_by: Vec::new() });
    System::new(desired, 1)
}

/// These kinds cannot be read back from a file, so their plans are applied as made.
fn converge(system: &mut System) {
    let run = system.apply_plan(system.plan());
    assert_eq!(run.report.failures, []);
    system.expect_converged();
}

fn change(system: &mut System, name: &str, attributes: Value) {
    let resource = thing(THING, name, attributes);
    system.desired.resources.insert(resource.address.clone(), resource);
}

fn only(plan: &Plan) -> &boma::plan::Change {
    let acting: Vec<_> =
        plan.changes.iter().filter(|change| change.action != Action::NoOp).collect();
    assert_eq!(acting.len(), 1, "{acting:#?}");
    acting[0]
}

fn refused(plan: &Plan, part: &str) {
    let causes: Vec<_> = plan.blocked.iter().map(|blocked| &blocked.cause).collect();
    let fits = |cause: &&&BlockCause| matches!(cause, BlockCause::Refused { message, .. } if message.contains(part));
    assert!(causes.iter().any(|cause| fits(&cause)), "{causes:?}");
    assert!(plan.changes.iter().all(|change| change.action == Action::NoOp));
}

fn fields(system: &System, name: &str) -> Json {
    let standing = system.world.standing().into_iter().find(|one| one.place == place(name));
    Json::Object(standing.unwrap().fields)
}

#[test]
fn a_secret_is_written_and_appears_nowhere_else() {
    let secret = || Value::map([("password", Value::Secret(SecretSource::Env("PASSWORD".into())))]);
    let mut system = system(vec![thing(THING, "a", secret())]);
    let plan = system.plan();
    let ledger = std::sync::Arc::new(MemoryLedger::new(system.state.clone()).unwrap());
    let clock = std::sync::Arc::new(VirtualClock::default());
    let twin = Twin::new(system.world.clone(), clock.clone());
    let run = system.run(
        plan.clone(),
        std::sync::Arc::new(twin),
        ledger.clone(),
        clock,
        Default::default(),
    );
    assert_eq!(run.report.failures, []);
    system.state = ledger.state();
    assert_eq!(fields(&system, "a")["password"], PASSWORD);
    let journal = String::from_utf8(ledger.journal()).unwrap();
    let told =
        [serde_json::to_string(&plan).unwrap(), journal, format!("{:?}", run.events)].concat();
    assert!(!told.contains(PASSWORD), "{told}");
    assert!(!serde_json::to_string(&plan).unwrap().contains("$sealed"));
    system.expect_converged();
}

#[test]
fn a_changed_secret_is_planned_without_its_digest() {
    let secret = Value::map([("password", Value::Secret(SecretSource::Env("PASSWORD".into())))]);
    let mut system = system(vec![thing(THING, "a", secret)]);
    converge(&mut system);
    system.world.edit(THING, &place("a"), |fields| {
        fields.insert("password".into(), "guessed".into());
    });
    let plan = system.plan();
    let found = only(&plan);
    assert_eq!((found.action, found.attributes[0].sensitive), (Action::Update, true));
    assert_eq!(found.attributes[0].after, After::Known(json!("(secret)")));
    assert!(!format!("{:?}{:?}", found.attributes, found.desired).contains("$sealed"));
    converge(&mut system);
    assert_eq!(fields(&system, "a")["password"], PASSWORD);
}

#[test]
fn what_holds_data_is_never_deleted() {
    let volume = |size: &str| thing(VOLUME, "data", Value::map([("subnet", size.into())]));
    let mut system = system(vec![volume("x")]);
    converge(&mut system);
    let address = Address::from("test/volume/data");
    system.options.replace.insert(address.clone());
    refused(&system.plan(), "holds data");
    system.options.replace.clear();
    system.desired.resources.insert(address.clone(), volume("y"));
    refused(&system.plan(), "subnet cannot change in place");
    for destroy in [false, true] {
        system.desired.resources.clear();
        system.options.destroy = destroy;
        assert_eq!(only(&system.plan()).action, Action::Forget);
    }
    system.apply_plan(system.plan());
    assert_eq!((system.world.standing().len(), system.state.resources.len()), (1, 0));
}

#[test]
fn what_is_protected_is_not_made_anew() {
    let mut system =
        system(vec![Resource { protected: true, ..thing(THING, "a", Value::map([])) }]);
    converge(&mut system);
    system.options.replace.insert(Address::from("test/thing/a"));
    refused(&system.plan(), "is protected");
}

#[test]
fn a_field_that_cannot_change_is_refused_and_one_that_demands_it_replaces() {
    let with =
        |zone: &str, subnet: &str| Value::map([("zone", zone.into()), ("subnet", subnet.into())]);
    let mut system = system(vec![thing(THING, "a", with("1", "x"))]);
    converge(&mut system);
    let before = fields(&system, "a");
    change(&mut system, "a", with("2", "x"));
    refused(&system.plan(), "zone cannot change");
    change(&mut system, "a", with("1", "y"));
    assert_eq!(only(&system.plan()).action, Action::Replace);
    converge(&mut system);
    assert_ne!(fields(&system, "a")["uid"], before["uid"]);
}

#[test]
fn an_adoption_that_demands_a_replace_is_refused() {
    let resource =
        Resource { adopt: true, ..thing(THING, "a", Value::map([("subnet", "x".into())])) };
    let system = system(vec![resource]);
    system.world.put(
        THING,
        &place("a"),
        [("subnet".to_owned(), json!("y"))].into_iter().collect(),
        None,
    );
    refused(&system.plan(), "is not boma's yet");
}

#[test]
fn lists_by_key_leave_what_is_not_boma_s() {
    let containers = |names: &[&str]| {
        let items: Vec<Json> =
            names.iter().map(|name| json!({"name": name, "memory": "1Gi"})).collect();
        Value::map([("containers", Json::from(items).into()), ("memory", "1Gi".into())])
    };
    let mut system = system(vec![thing(THING, "a", containers(&["x", "y"]))]);
    converge(&mut system);
    system.world.edit(THING, &place("a"), |fields| {
        fields.insert("memory".into(), json!("1024Mi"));
        fields["containers"].as_array_mut().unwrap().insert(0, json!({"name": "theirs"}));
    });
    system.expect_converged();
    change(&mut system, "a", containers(&["y", "z"]));
    converge(&mut system);
    let names: Vec<Json> = fields(&system, "a")["containers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].clone())
        .collect();
    assert_eq!(names, ["theirs", "y", "z"]);
    // Nothing but a removal, which no written field shows.
    change(&mut system, "a", containers(&["z"]));
    converge(&mut system);
    assert_eq!(fields(&system, "a")["containers"].as_array().unwrap().len(), 2);
}

#[test]
fn a_guard_stops_a_delete_and_says_why() {
    let mut system = system(vec![thing(THING, "a", Value::map([]))]);
    converge(&mut system);
    system.desired.resources.clear();
    let plan = system.plan();
    system.world.edit(THING, &place("a"), |fields| {
        fields.insert("users".into(), json!(["pod"]));
    });
    let run = system.apply_plan(plan);
    assert!(run.report.failures[0].message.contains("users is not empty"), "{:?}", run.report);
    assert_eq!((system.world.standing().len(), system.state.open.len()), (1, 0));
}

#[test]
fn a_successor_at_the_same_place_is_not_deleted() {
    let mut system = system(vec![thing(THING, "a", Value::map([]))]);
    converge(&mut system);
    system.desired.resources.clear();
    let plan = system.plan();
    system.world.put(THING, &place("a"), serde_json::Map::new(), None);
    let run = system.apply_plan(plan);
    assert!(
        run.report.failures[0].message.contains("another object stands in its place"),
        "{:?}",
        run.report
    );
    assert_eq!(system.world.standing().len(), 1);
}

/// Two things of which the second needs a value of the first.
fn pair(path: &str, size: u64) -> Vec<Resource> {
    let a = thing(THING, "a", Value::map([("size", size.into())]));
    let text = Value::Template(vec!["//".into(), Value::reference(&a.address, path)]);
    let b = thing(THING, "b", Value::map([("peer", text)]));
    vec![a, b]
}

#[test]
fn a_value_of_what_is_made_in_the_same_apply_arrives() {
    let mut system = system(pair("uid", 1));
    converge(&mut system);
    let uid = fields(&system, "a")["uid"].as_str().unwrap().to_owned();
    assert_eq!(fields(&system, "b")["peer"], format!("//{uid}"));
}

#[test]
fn a_value_that_moved_by_itself_is_taken_as_read() {
    let mut system = system(pair("address", 1));
    converge(&mut system);
    system.world.edit(THING, &place("a"), |fields| {
        fields.insert("address".into(), json!("10.0.0.9"));
    });
    converge(&mut system);
    assert_eq!(fields(&system, "b")["peer"], "//10.0.0.9");
}

#[test]
fn a_value_that_contradicts_the_plan_stops_the_change() {
    let mut system = system(pair("size", 1));
    converge(&mut system);
    system.desired.resources = desired(pair("size", 2)).resources;
    let mut plan = system.plan();
    let b = plan.changes.iter_mut().find(|change| change.address.name() == "b").unwrap();
    b.assumed[0].value = json!(3);
    let run = system.apply_plan(plan);
    assert_eq!(run.report.failures.len(), 1);
    assert!(
        run.report.failures[0].message.contains("is no longer what the plan says"),
        "{:?}",
        run.report
    );
    assert_eq!(
        (&fields(&system, "a")["size"], &fields(&system, "b")["peer"]),
        (&json!(2), &json!("//1"))
    );
}
