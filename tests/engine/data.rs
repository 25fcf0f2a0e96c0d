//! What holds a county's data outlives every plan that does not name it.

use std::collections::{BTreeMap, BTreeSet};

use boma::plan::{
    Action, BlockCause, Note, Operation, Plan, Reason, VOLUMES, check, check_saved, give_up,
};
use boma::resource::{Address, Attributes, Kind, Reading};
use boma::spec::parse;
use boma::twin::Standing;
use serde_json::{Value as Json, json};

use crate::engine::system::System;

const SMALL: &str = include_str!("../fixtures/small.toml");

/// The small spec with other projects.
pub fn with_projects(projects: &str) -> String {
    let start = SMALL.find("[projects]").expect("projects");
    format!("{}{projects}", &SMALL[..start])
}

pub fn lowered(text: &str) -> boma::plan::Desired {
    let parsed = parse("small.toml", text);
    let spec = parsed.spec.unwrap_or_else(|| panic!("{:#?}\n{text}", parsed.diagnostics));
    let mut desired = boma::lower::lower(&spec);
    // Plans do not keep the exact span of a line.
    for resource in desired.resources.values_mut() {
        resource.origin.span = (0, 0);
        resource.origins.clear();
    }
    desired
}

fn named(names: &[&str], more: &str) -> String {
    with_projects(&format!(
        "[projects]\nnames = {names:?}\ndomain = \"cht.example.org\"\n[projects.defaults]\n\
         cht = \"5.2.0\"\n{more}"
    ))
}

fn standing(names: &[&str]) -> System {
    let mut system = System::new(lowered(&named(names, "")), 1);
    system.converge();
    system
}

pub fn wish(system: &mut System, text: &str) {
    system.desired = lowered(text);
    system.world.learn(system.desired.resources.values());
}

/// What holds data: places and ids, and of Secrets what is in them.
pub fn data(system: &System) -> BTreeMap<String, (String, Json)> {
    let holds = |one: &Standing| {
        let kinds = ["PersistentVolumeClaim", "PersistentVolume"];
        let place = one.place.tree();
        let kind = place["kind"].as_str().unwrap_or_default();
        one.kind.holds_data || kinds.contains(&kind)
    };
    let all = system.world.standing().into_iter().filter(holds);
    all.map(|one| {
        let content = one.fields.get("data").cloned().unwrap_or_default();
        (one.place.as_str().to_owned(), (one.id, content))
    })
    .collect()
}

fn change<'a>(plan: &'a Plan, address: &str) -> &'a boma::plan::Change {
    let found = plan.changes.iter().find(|change| change.address.as_str() == address);
    found.unwrap_or_else(|| panic!("{address} is not in the plan: {:?}", plan.blocked))
}

#[track_caller]
fn refused(plan: &Plan, address: &str, part: &str) {
    let blocked = plan.blocked.iter().find(|blocked| blocked.address.as_str() == address);
    match blocked.map(|blocked| &blocked.cause) {
        Some(BlockCause::Refused { message, .. }) => assert!(message.contains(part), "{message}"),
        other => panic!("{address}: {other:?}"),
    }
}

/// Where in the order a change is done; 0 for what has no place in it.
fn before(plan: &Plan, first: &str, then: &str) {
    let at = |address: &str| {
        let is_it = |node: &boma::plan::Node| plan.changes[node.change].address.as_str() == address;
        plan.nodes.iter().position(is_it).unwrap_or_else(|| panic!("{address} does nothing"))
    };
    let (first_at, mut open) = (at(first), vec![at(then)]);
    let mut seen = BTreeSet::new();
    while let Some(node) = open.pop() {
        open.extend(plan.nodes[node].after.iter().filter(|need| seen.insert(**need)));
    }
    assert!(seen.contains(&first_at), "{first} does not come before {then}");
}

const SPACE: &str = "project/acacia/Namespace/cht-acacia";
const SECRET: &str = "project/acacia/Secret/cht-couchdb-credentials";
const CLAIM: &str = "project/acacia/PersistentVolumeClaim/couchdb-claim0";
const COUCHDB: &str = "project/acacia/Deployment/cht-couchdb";
const SERVICE: &str = "project/acacia/Service/couchdb";

#[test]
fn a_removed_project_leaves_its_data_and_finds_it_again() {
    let mut system = standing(&["acacia", "baobab"]);
    let before_it = data(&system);
    wish(&mut system, &named(&["baobab"], ""));
    let plan = system.plan();
    for address in [SPACE, SECRET, CLAIM] {
        let change = change(&plan, address);
        assert_eq!(
            (change.action, &change.reasons[..]),
            (Action::Forget, &[Reason::HoldsData][..])
        );
    }
    let rest =
        plan.changes.iter().filter(|one| one.address.as_str().starts_with("project/acacia/"));
    let rest = rest.filter(|one| one.action != Action::Forget);
    assert!(rest.clone().all(|one| one.action == Action::Delete) && rest.count() > 8);
    before(&plan, COUCHDB, SERVICE);
    before(&plan, "project/acacia/Deployment/cht-api", COUCHDB);
    system.apply_plan(plan);
    system.expect_converged();
    assert_eq!(data(&system), before_it);
    wish(&mut system, &named(&["acacia", "baobab"], ""));
    let plan = system.plan();
    for address in [SPACE, SECRET, CLAIM] {
        let change = change(&plan, address);
        assert_eq!((change.action, &change.reasons[..]), (Action::Adopt, &[Reason::Marked][..]));
    }
    system.apply_plan(plan);
    system.expect_converged();
    assert_eq!(data(&system), before_it);
}

#[test]
fn replacing_what_holds_data_is_refused() {
    let mut system = standing(&["acacia"]);
    for address in [SPACE, SECRET, CLAIM] {
        system.options.replace = [Address::from(address)].into();
        refused(&system.plan(), address, "--replace names it, and it holds data");
    }
}

#[test]
fn credentials_are_not_made_up_for_volumes_that_know_others() {
    let system = standing(&["acacia"]);
    let place = system.desired.resources[&Address::from(SECRET)].place.clone();
    system.world.remove(Kind::named("kubernetes/Credentials").unwrap(), &place);
    refused(&system.plan(), SECRET, "was made with its secrets");
}

#[test]
fn a_project_keeps_its_namespace_and_its_nodes() {
    let mut system = standing(&["acacia"]);
    let moved = "[projects.overrides.acacia]\nnamespace = \"elsewhere\"\n";
    wish(&mut system, &named(&["acacia"], moved));
    refused(&system.plan(), CLAIM, "the spec puts it at elsewhere/couchdb-claim0");
    let nodes = "couchdb = { nodes = 3 }\n";
    wish(&mut system, &named(&["acacia"], nodes));
    refused(&system.plan(), CLAIM, "would go on without it");
    wish(&mut system, &named(&["acacia"], &format!("{moved}{nodes}")));
    refused(&system.plan(), CLAIM, "project/acacia would go on without it");
    let grown = "couchdb = { storage = \"20GiB\" }\n";
    wish(&mut system, &named(&["acacia"], grown));
    refused(&system.plan(), CLAIM, "cannot change from");
}

#[test]
fn volumes_grow_and_do_not_shrink() {
    let mut system = standing(&["acacia"]);
    let size = |system: &System| {
        let found = system.world.listed("PersistentVolumeClaim");
        let tree = found[0].1.object().unwrap().attributes.tree();
        tree["spec"]["resources"]["requests"]["storage"].clone()
    };
    let of = |size: &str| named(&["acacia"], &format!("couchdb = {{ storage = \"{size}\" }}\n"));
    let before = data(&system);
    wish(&mut system, &of("60GiB"));
    system.converge();
    assert_eq!((size(&system), data(&system)), (json!("60Gi"), before));
    wish(&mut system, &of("55GiB"));
    refused(&system.plan(), CLAIM, "cannot change from");
    system.apply();
    assert_eq!(size(&system), "60Gi");
}

#[test]
fn credentials_that_were_edited_are_put_back_and_not_made_up_anew() {
    let mut system = standing(&["acacia"]);
    let before = data(&system);
    let place = system.desired.resources[&Address::from(SECRET)].place.clone();
    let kind = Kind::named("kubernetes/Credentials").unwrap();
    system.world.edit(kind, &place, |fields| fields["data"]["COUCHDB_USER"] = "somebody".into());
    assert_ne!(data(&system), before);
    system.converge();
    assert_eq!(data(&system), before);
}

#[test]
fn an_edited_plan_deletes_no_data() {
    let mut system = standing(&["acacia"]);
    wish(&mut system, &named(&[], "").replace("names = []\n", "names = [\"other\"]\n"));
    let sound = system.plan();
    assert_eq!(check_saved(&sound), []);
    let edit = |address: &str, edit: &dyn Fn(&mut boma::plan::Change)| {
        let mut plan = sound.clone();
        let delete = change(&plan, SERVICE).clone();
        let one = plan.changes.iter_mut().find(|one| one.address.as_str() == address).unwrap();
        one.action = Action::Delete;
        one.steps = delete.steps;
        for step in &mut one.steps {
            (step.address, step.kind) = (one.address.clone(), one.kind);
        }
        edit(one);
        check_saved(&plan)
    };
    for address in [SPACE, SECRET, CLAIM] {
        let note = Note::Protected(Address::from(address));
        assert!(edit(address, &|_| {}).contains(&note), "{address}");
        let given_up = edit(address, &|one| {
            one.reasons = vec![Reason::Abandoned];
            one.steps[0].operation = Operation::Abandon;
        });
        assert!(given_up.contains(&Note::Abandons(Address::from(address))), "{given_up:?}");
    }
    for (address, kind) in [(SPACE, "kubernetes/Namespace"), (CLAIM, "kubernetes/Object")] {
        let kind = Kind::named(kind).unwrap();
        let notes = edit(address, &|one| {
            one.kind = kind;
            one.steps[0].kind = kind;
        });
        assert!(notes.contains(&Note::Protected(Address::from(address))), "{notes:?}");
    }
    let strayed = edit(COUCHDB, &|one| one.steps[0].address = Address::from(CLAIM));
    assert!(strayed.contains(&Note::Strayed(Address::from(COUCHDB))), "{strayed:?}");
}

/// Readings of what a cluster has, as a provider gives them.
pub fn listing(system: &System) -> boma::plan::Live {
    let mut found = boma::plan::Live::new();
    for kind in ["Namespace", "PersistentVolume", "PersistentVolumeClaim", "Secret"] {
        for (place, reading) in system.world.listed(kind) {
            let (name, space) = (place["name"].as_str().unwrap(), place["namespace"].as_str());
            let at = match (kind, space) {
                ("PersistentVolume", _) => format!("{VOLUMES}/{name}"),
                (_, Some(space)) => format!("{space}/{kind}/{name}"),
                (_, None) => format!("{kind}/{name}"),
            };
            found.insert(Address::from(at), reading);
        }
    }
    found
}

/// Puts a volume behind every claim, as a driver does.
pub fn provision(system: &System, policy: &str) {
    for (claim, _) in system.world.listed("PersistentVolumeClaim") {
        let (space, name) = (claim["namespace"].as_str().unwrap(), claim["name"].as_str().unwrap());
        let volume = format!("pvc-{space}-{name}");
        let place = json!({"api": "v1", "kind": "PersistentVolume", "plural": "persistentvolumes",
            "name": volume});
        let standing = system.world.listed("PersistentVolume");
        if standing.iter().any(|(found, _)| found["name"] == volume.as_str()) {
            continue;
        }
        let spec = json!({"claimRef": {"namespace": space, "name": name},
            "persistentVolumeReclaimPolicy": policy, "capacity": {"storage": "10Gi"},
            "csi": {"volumeHandle": format!("disk of {volume}")}});
        let fields = [("spec".to_owned(), spec)].into_iter().collect();
        let kind = Kind::named("kubernetes/PersistentVolume").unwrap();
        system.world.put(kind, &Attributes::new(&place), fields, None);
    }
}

/// Gives projects up, and applies that.
pub fn abandon(system: &mut System, names: &[&str]) -> Vec<boma::plan::Disk> {
    let names: BTreeSet<String> = names.iter().map(|&name| name.to_owned()).collect();
    let given_up = give_up(&names, &system.state, &listing(system)).expect("given up");
    let mut giving = system.clone();
    giving.desired.resources.clear();
    (giving.state, giving.options) = (given_up.prior, given_up.options);
    let plan = giving.plan();
    assert_eq!(check(&plan), []);
    assert_eq!(check_saved(&plan).is_empty(), plan.is_empty());
    let ledger = std::sync::Arc::new(system.ledger(&plan));
    let clock = std::sync::Arc::new(boma::twin::VirtualClock::default());
    let twin = boma::twin::Twin::new(system.world.clone(), clock.clone());
    let run = system.run(
        plan,
        std::sync::Arc::new(twin),
        ledger.clone(),
        clock,
        boma::apply::Stop::default(),
    );
    assert_eq!(run.report.failures, [], "{:?}", run.events);
    system.state = ledger.state();
    given_up.disks
}

#[test]
fn data_that_is_given_up_goes_in_order_and_nothing_else_does() {
    for forgotten in [false, true] {
        let mut system = standing(&["acacia", "baobab"]);
        provision(&system, "Retain");
        if forgotten {
            wish(&mut system, &named(&["baobab"], ""));
            system.converge();
        }
        let of_other = |data: &BTreeMap<String, (String, Json)>| -> BTreeSet<String> {
            data.keys().filter(|place| place.contains("baobab")).cloned().collect()
        };
        let kept = of_other(&data(&system));
        let disks = abandon(&mut system, &["acacia"]);
        assert_eq!(disks.len(), 1);
        assert_eq!((&*disks[0].project, &*disks[0].claim), ("acacia", "couchdb-claim0"));
        let left = data(&system);
        assert_eq!(
            (left.keys().filter(|place| place.contains("acacia")).count(), left.len()),
            (0, kept.len())
        );
        assert_eq!(of_other(&left), kept);
        assert!(system.state.addresses().all(|address| address.project() != Some("acacia")));
    }
}

#[test]
fn data_goes_after_what_uses_it() {
    let system = standing(&["acacia"]);
    provision(&system, "Retain");
    let names = ["acacia".to_owned()].into();
    let given_up = give_up(&names, &system.state, &listing(&system)).unwrap();
    let mut giving = system.clone();
    giving.desired.resources.clear();
    (giving.state, giving.options) = (given_up.prior, given_up.options);
    let plan = giving.plan();
    let volume = "cluster/PersistentVolume/pvc-cht-acacia-couchdb-claim0";
    before(&plan, COUCHDB, CLAIM);
    before(&plan, CLAIM, volume);
    before(&plan, volume, SPACE);
    before(&plan, SECRET, SPACE);
    let outside = plan.changes.iter().filter(|change| {
        change.address.project() != Some("acacia") && change.address.as_str() != volume
    });
    assert_eq!(outside.count(), 0);
}

#[test]
fn claims_of_others_keep_a_namespace() {
    let system = standing(&["acacia"]);
    let place = json!({"api": "v1", "kind": "PersistentVolumeClaim",
        "plural": "persistentvolumeclaims", "namespace": "cht-acacia", "name": "theirs"});
    let kind = Kind::named("kubernetes/PersistentVolumeClaim").unwrap();
    system.world.put(kind, &Attributes::new(&place), serde_json::Map::new(), None);
    let names = ["acacia".to_owned()].into();
    let error = give_up(&names, &system.state, &listing(&system)).unwrap_err();
    assert!(error.to_string().contains("the claim theirs"), "{error}");
    let names = ["acacias".to_owned()].into();
    let error = give_up(&names, &system.state, &listing(&system)).unwrap_err();
    assert!(error.to_string().contains("nothing stands of the project acacias"), "{error}");
    let unread = [(Address::from(VOLUMES), Reading::Unread("no".into()))].into();
    let error = give_up(&names, &system.state, &unread).unwrap_err();
    assert!(error.to_string().contains("could not be read: no"), "{error}");
}

#[test]
fn a_whole_destroy_waits_for_volumes_before_anything_below_them_goes() {
    let mut system = standing(&["acacia"]);
    system.desired.resources.clear();
    system.options.destroy = true;
    let plan = system.plan();
    let claim = change(&plan, CLAIM);
    assert_eq!(claim.action, Action::Forget);
    assert_eq!(
        claim.steps.iter().map(|step| step.operation).collect::<Vec<_>>(),
        [Operation::Wait]
    );
    before(&plan, COUCHDB, CLAIM);
    for then in [
        "cluster/csi/DaemonSet/vsphere-csi-node",
        "cluster/csi/Deployment/vsphere-csi-controller",
        "k3s/agent/agent-1",
        "k3s/server/server-1",
        "vsphere/vm/agent-1",
        "vsphere/vm/server-3",
    ] {
        before(&plan, CLAIM, then);
    }
    let kept = data(&system);
    let run = system.apply_plan(plan);
    assert_eq!(run.report.failures, []);
    assert_eq!(data(&system), kept);
    assert!(system.state.is_empty());
}
