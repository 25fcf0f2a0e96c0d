//! Random lives of projects: nothing that holds data is ever deleted unless it was given up by
//! name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use boma::apply::Stop;
use boma::plan::{Action, BlockCause, Change, Plan, check, check_saved, holds_data};
use boma::resource::{Address, Attributes, Glob, Kind};
use boma::state::{State, fold, parse_journal};
use boma::twin::{Fault, Faults, How, Standing, Twin, VirtualClock, When};
use serde_json::{Map, Value as Json, json};

use crate::engine::data::{abandon, data, listing, lowered, provision, wish, with_projects};
use crate::engine::kill::{Death, DyingLedger, DyingProvider, Life};
use crate::engine::system::System;
use crate::seeds::{Dice, each};

const STEPS: usize = 14;
/// What a Secret of a project has that is nobody's secret.
const USER: &str = "COUCHDB_USER";
/// A claim that somebody has in a project's namespace.
const THEIRS: &str = "theirs";
const NAMES: [&str; 3] = ["acacia", "baobab", "cedar"];

/// What a spec says of a project.
#[derive(Clone, Copy, Debug)]
struct Project {
    storage: u32,
    nodes: u32,
    release: &'static str,
    owner: &'static str,
    /// Its namespace is another one than that of its name.
    moved: bool,
    /// The variable that CouchDB's password comes from; made up where there is none.
    password: Option<&'static str>,
    class: &'static str,
}

impl Project {
    fn new(dice: &mut Dice) -> Self {
        let (release, owner) =
            dice.pick(&[("4.21.0", "upgrade-service"), ("4.21.0", "boma"), ("5.2.0", "boma")]);
        let (storage, nodes) = (dice.pick(&[10, 20]), dice.pick(&[1, 1, 3]));
        let (password, class) = (dice.pick(&[None, Some("PASSWORD")]), "vmware-sc");
        Self { storage, nodes, release, owner, moved: false, password, class }
    }

    fn edit(&mut self, dice: &mut Dice) {
        match dice.below(8) {
            0 | 5 => self.storage = dice.pick(&[10, 20, 30]),
            1 => self.nodes = dice.pick(&[1, 3]),
            2 => self.release = dice.pick(&["4.21.0", "5.2.0"]),
            3 => self.moved = !self.moved,
            6 => self.password = dice.pick(&[None, Some("PASSWORD"), Some("NEW_TOKEN")]),
            7 => self.class = dice.pick(&["vmware-sc", "slow-sc"]),
            _ => self.owner = dice.pick(&["upgrade-service", "boma"]),
        }
        if self.release.starts_with('5') {
            self.owner = "boma";
        }
    }
}

type Wish = BTreeMap<&'static str, Project>;

fn spec(projects: &Wish) -> String {
    if projects.is_empty() {
        return with_projects("");
    }
    let names: Vec<&str> = projects.keys().copied().collect();
    let mut text = format!("[projects]\nnames = {names:?}\ndomain = \"cht.example.org\"\n");
    for (name, Project { storage, nodes, release, owner, moved, password, class }) in projects {
        let place = if *moved { "-2" } else { "" };
        let given = |name| format!("credentials.password = {{ env = \"{name}\" }}\n");
        text += &format!(
            "[projects.overrides.{name}]\nnamespace = \"cht-{name}{place}\"\n\
             cht = \"{release}\"\nimage_owner = \"{owner}\"\n\
             couchdb = {{ nodes = {nodes}, storage = \"{storage}GiB\", storage_class = \"{class}\" }}\n"
        );
        text += &password.map(given).unwrap_or_default();
    }
    with_projects(&text)
}

fn edit(projects: &mut Wish, dice: &mut Dice) {
    let name = dice.pick(&NAMES);
    match projects.get_mut(name) {
        Some(_) if dice.chance(25) => {
            projects.remove(name);
        }
        Some(project) => (0..1 + dice.below(2)).for_each(|_| project.edit(dice)),
        None => {
            projects.insert(name, Project::new(dice));
        }
    }
}

/// What a user may add to a command.
fn options(system: &mut System, dice: &mut Dice) {
    let known: Vec<Address> =
        system.desired.resources.keys().chain(system.state.addresses()).cloned().collect();
    let pick = |dice: &mut Dice| known[dice.below(known.len())].clone();
    if dice.chance(40) {
        let data = known.iter().filter(|one| one.as_str().contains("/PersistentVolumeClaim/"));
        system.options.replace.extend(data.take(1).cloned());
        system.options.replace.extend((0..2).map(|_| pick(dice)));
    }
    let globs = ["project/*/Deployment/**", "project/acacia/**", "cluster/**", "**/Namespace/*"];
    if dice.chance(25) {
        system.options.target = vec![Glob::new(dice.pick(&globs))];
    }
    if dice.chance(15) {
        system.options.exclude = vec![Glob::new(pick(dice).as_str())];
    }
}

fn is_refused(plan: &Plan) -> bool {
    let refused = |cause: &BlockCause| matches!(cause, BlockCause::Refused { .. });
    plan.blocked.iter().any(|blocked| refused(&blocked.cause))
}

/// Whether only the world knows of volumes that a project's credentials would not open: those that
/// its spec had once, before it was taken out and put back with other nodes.
fn is_unforeseen(plan: &Plan, address: &Address) -> bool {
    let is_claim = |one: &&Change| one.address.as_str().contains("/PersistentVolumeClaim/");
    let of_project = plan.changes.iter().filter(|one| one.address.project() == address.project());
    let mut claims = of_project.filter(is_claim);
    address.as_str().contains("/Secret/") && claims.all(|one| one.action == Action::Create)
}

/// Applies in one of the ways in which an apply ends.
fn apply(system: &mut System, dice: &mut Dice) {
    let plan = system.plan();
    assert_eq!(check_saved(&plan), []);
    // The command would not go on; whoever goes on all the same loses nothing either.
    if is_refused(&plan) && dice.chance(50) {
        return;
    }
    let plan = System::reread(&plan);
    let death = match dice.below(4) {
        0 => Some(Death::AfterCall(1 + dice.below(40))),
        1 => Some(Death::AfterAppend(1 + dice.below(120))),
        _ => None,
    };
    let quiet = death.is_some() || dice.chance(40);
    let rule = |how| Fault { when: When::PerMille(if quiet { 0 } else { 10 }), how };
    let rules = [How::LostBefore, How::LostAfter, How::Refused].map(rule).to_vec();
    let faults = Faults { seed: dice.below(1_000_000) as u64, rules };
    let life = Life::until(death);
    let ledger = system.ledger(&plan);
    let before = ledger.state();
    let ledger = Arc::new(DyingLedger { ledger, life: life.clone() });
    let clock = Arc::new(VirtualClock::default());
    let twin = Twin::new(system.world.clone(), clock.clone()).with_faults(faults);
    let provider = Arc::new(DyingProvider { twin, life });
    let run = system.run(plan.clone(), provider, ledger.clone(), clock, Stop::default());
    // No guard of the world's has to stop what is planned for data.
    let foreseen = |address: &Address| {
        let change = plan.changes.iter().find(|change| change.address == *address);
        change.is_some_and(holds_data) && !is_unforeseen(&plan, address)
    };
    let mut failures = run.report.failures.iter().filter(|one| foreseen(&one.address));
    assert!(!quiet || death.is_some() || failures.next().is_none(), "{:?}", run.report);
    system.state = fold(before, &parse_journal(&ledger.ledger.journal()).unwrap()).unwrap();
}

/// One thing that a user, or somebody else, does. Says what, and which project was given up.
fn step(
    system: &mut System,
    projects: &mut Wish,
    dice: &mut Dice,
) -> (String, Option<&'static str>) {
    system.options = Default::default();
    wish(system, &spec(projects));
    match dice.below(24) {
        0 => {
            system.desired.resources.clear();
            system.options.destroy = true;
            apply(system, dice);
            ("destroy".into(), None)
        }
        1 | 2 => {
            let standing = system.world.standing();
            let theirs = standing.iter().find(|one| one.place.as_str().contains(THEIRS));
            let beside = |name: &&&str| {
                theirs.is_some_and(|one| one.place.as_str().contains(&format!("cht-{name}")))
            };
            let named = NAMES.iter().find(beside).filter(|_| dice.chance(70));
            let name = named.copied().unwrap_or_else(|| dice.pick(&NAMES));
            let names: BTreeSet<String> = [name.to_owned()].into();
            let given = boma::plan::give_up(&names, &system.state, &listing(system)).is_ok();
            if given {
                abandon(system, &[name]);
            }
            (format!("destroy --abandon-data {name}: {given}"), given.then_some(name))
        }
        3 => {
            system.state = State::new(format!("lineage {}", dice.below(1000)), &[7; 32]);
            ("lost the state".into(), None)
        }
        4 => (by_hand(system, dice), None),
        // Credentials are what only an apply right after the deed could spoil.
        20..=23 => {
            let said = credentials_by_hand(system, dice);
            apply(system, dice);
            (said, None)
        }
        5..=7 => {
            options(system, dice);
            let said = format!("{:?}", system.options);
            apply(system, dice);
            (format!("apply with {said}"), None)
        }
        8 => {
            assert_eq!(check(&system.plan()), []);
            ("plan".into(), None)
        }
        _ => {
            edit(projects, dice);
            wish(system, &spec(projects));
            apply(system, dice);
            provision(system, dice.pick(&["Retain", "Delete"]));
            (format!("apply of {projects:?}"), None)
        }
    }
}

/// Somebody deletes something by hand, a Secret of a project among others, or edits one, or has a
/// claim in a project's namespace.
fn by_hand(system: &System, dice: &mut Dice) -> String {
    if dice.chance(30) {
        return credentials_by_hand(system, dice);
    }
    if dice.chance(30) {
        return claim_by_hand(system, dice);
    }
    let standing = system.world.standing();
    let loose = |one: &&Standing| {
        let place = one.place.as_str();
        place.contains("\"namespace\":\"cht-") && !place.contains("PersistentVolumeClaim")
    };
    let loose: Vec<_> = standing.iter().filter(loose).collect();
    let picked = loose.get(dice.below(loose.len().max(1)));
    picked.map_or_else(String::new, |one| {
        system.world.remove(one.kind, &one.place);
        format!("deleted {} by hand", one.place.as_str())
    })
}

/// Somebody makes a claim beside a project's, or deletes it again with its volume.
fn claim_by_hand(system: &System, dice: &mut Dice) -> String {
    let kind = Kind::named("kubernetes/PersistentVolumeClaim").unwrap();
    let claims = system.world.listed("PersistentVolumeClaim");
    let is_theirs = |one: &Standing| one.place.as_str().contains(THEIRS);
    let theirs: Vec<_> = system.world.standing().into_iter().filter(is_theirs).collect();
    if !theirs.is_empty() {
        for one in &theirs {
            system.world.remove(one.kind, &one.place);
        }
        let places: Vec<&str> = theirs.iter().map(|one| one.place.as_str()).collect();
        return format!("deleted {} by hand", places.join(" and "));
    }
    let Some((beside, _)) = claims.get(dice.below(claims.len().max(1))) else {
        return String::new();
    };
    let mut place = beside.clone();
    place["name"] = THEIRS.into();
    let place = Attributes::new(&place);
    let spec = json!({"resources": {"requests": {"storage": "1Gi"}}});
    system.world.put(kind, &place, [("spec".to_owned(), spec)].into_iter().collect(), None);
    format!("made {} by hand", place.as_str())
}

/// Somebody deletes the credentials of a project, or edits the user's name in them.
fn credentials_by_hand(system: &System, dice: &mut Dice) -> String {
    let standing = system.world.standing();
    let has_user = |one: &&Standing| one.fields.get("data").is_some_and(|it| it[USER].is_string());
    let all: Vec<_> = standing.iter().filter(has_user).collect();
    let Some(one) = all.get(dice.below(all.len().max(1))) else { return String::new() };
    if dice.chance(50) {
        let edit = |fields: &mut Map<String, Json>| fields["data"][USER] = "somebody".into();
        system.world.edit(one.kind, &one.place, edit);
        return format!("edited {} by hand", one.place.as_str());
    }
    system.world.remove(one.kind, &one.place);
    format!("deleted {} by hand", one.place.as_str())
}

#[test]
fn data_survives_whatever_is_done() {
    each("engine::survival::data_survives_whatever_is_done", "BOMA_SEEDS", 3, |seed| {
        let mut dice = Dice::new(seed, "survival");
        let mut projects: Wish =
            NAMES[..2].iter().map(|&one| (one, Project::new(&mut dice))).collect();
        let mut system = System::new(lowered(&spec(&projects)), seed);
        system.converge();
        provision(&system, "Retain");
        let mut made = BTreeMap::new();
        for number in 0..STEPS {
            let (before, standing) = (held(&system), sizes(&system));
            let recorded = records(&system);
            let (what, given_up) = step(&mut system, &mut projects, &mut dice);
            let after = held(&system);
            for (place, was) in &before {
                let named = given_up.is_some_and(|name| place.contains(&format!("cht-{name}")));
                let named = named && !place.contains(THEIRS);
                // Where no volume was made with them yet, others may be made up.
                let is_lost = !after.contains_key(place) || !used(&before).contains(&space(place));
                let gone = what.contains(place.as_str()) && is_lost;
                assert!(
                    named || gone || after.get(place) == Some(was),
                    "step {number}, {what}: {place} was {was:?} and is {:?}",
                    after.get(place)
                );
            }
            credentials_fit(&system, &mut made, &what);
            for (place, size) in sizes(&system) {
                let before = standing.get(&place).copied().unwrap_or_default();
                assert!(size >= before, "step {number}, {what}: {place} shrank from {before}");
            }
            if what != "destroy" && what != "lost the state" {
                let stays = |project: &str| projects.contains_key(project);
                let own =
                    recorded.iter().filter(|(address, _)| address.project().is_some_and(stays));
                let own = own.filter(|(address, _)| address.project() != given_up);
                let now = records(&system);
                for (address, id) in own {
                    assert_eq!(now.get(address), Some(id), "step {number}, {what}: {address}");
                }
            }
        }
    });
}

/// What holds data, and of claims their class; without the user's name, which somebody may have
/// edited by hand.
fn held(system: &System) -> BTreeMap<String, (String, Json)> {
    let mut held = data(system);
    for one in system.world.standing() {
        if let Some((_, content)) = held.get_mut(one.place.as_str())
            && let Some(class) =
                one.fields.get("spec").and_then(|spec| spec.get("storageClassName"))
        {
            *content = json!({"class": class});
        }
    }
    for (_, content) in held.values_mut() {
        content.as_object_mut().map(|content| content.remove(USER));
    }
    held
}

/// What every standing claim asks for, in GiB.
fn sizes(system: &System) -> BTreeMap<String, u32> {
    let claims = system.world.standing().into_iter();
    let claims = claims.filter(|one| one.kind.name == "kubernetes/PersistentVolumeClaim");
    let size = |one: &Standing| {
        let asked = one.fields["spec"]["resources"]["requests"]["storage"].as_str()?;
        asked.strip_suffix("Gi")?.parse().ok()
    };
    claims.map(|one| (one.place.as_str().to_owned(), size(&one).expect("a size"))).collect()
}

/// Which claims the state knows, and as which objects: they are neither forgotten nor others while
/// their project is in the spec.
fn records(system: &System) -> BTreeMap<Address, String> {
    let records = system.state.resources.iter();
    let claims = |name: &str| name == "kubernetes/PersistentVolumeClaim";
    let records = records.filter(|(_, record)| claims(record.kind.name));
    records.map(|(address, record)| (address.clone(), record.id.clone())).collect()
}

/// The namespace of a place; empty where it has none.
fn space(place: &str) -> String {
    let place: Json = serde_json::from_str(place).unwrap();
    place["namespace"].as_str().unwrap_or_default().to_owned()
}

/// The namespaces in which claims are.
fn used(held: &BTreeMap<String, (String, Json)>) -> BTreeSet<String> {
    let claims = held.keys().filter(|place| place.contains("PersistentVolumeClaim"));
    claims.map(|place| space(place)).collect()
}

/// Whoever has a volume has the credentials that it was made with, or none.
fn credentials_fit(system: &System, made: &mut BTreeMap<String, Json>, what: &str) {
    let standing = held(system);
    let used = used(&standing);
    made.retain(|place, _| used.contains(&space(place)));
    for (place, (_, content)) in standing {
        if !content.is_null() && used.contains(&space(&place)) {
            let was = made.entry(place.clone()).or_insert_with(|| content.clone());
            assert_eq!(*was, content, "{what}: {place}");
        }
    }
}
