//! Random lives of projects: nothing that holds data is ever deleted unless it was given up by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use boma::apply::Stop;
use boma::plan::{BlockCause, Plan, check, check_saved};
use boma::resource::{Address, Glob};
use boma::state::{State, fold, parse_journal};
use boma::twin::{Fault, Faults, How, Twin, VirtualClock, When};
use serde_json::{Map, Value as Json};

use crate::engine::data::{abandon, data, listing, lowered, provision, wish, with_projects};
use crate::engine::kill::{Death, DyingLedger, DyingProvider, Life};
use crate::engine::system::System;
use crate::seeds::{Dice, each};

const STEPS: usize = 14;
/// What a Secret of a project has that is nobody's secret.
const USER: &str = "COUCHDB_USER";
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
}

impl Project {
    fn new(dice: &mut Dice) -> Self {
        let (release, owner) =
            dice.pick(&[("4.21.0", "upgrade-service"), ("4.21.0", "boma"), ("5.2.0", "boma")]);
        let (storage, nodes) = (dice.pick(&[10, 20]), dice.pick(&[1, 1, 3]));
        Self { storage, nodes, release, owner, moved: false }
    }

    fn edit(&mut self, dice: &mut Dice) {
        match dice.below(6) {
            0 | 5 => self.storage = dice.pick(&[10, 20, 30]),
            1 => self.nodes = dice.pick(&[1, 3]),
            2 => self.release = dice.pick(&["4.21.0", "5.2.0"]),
            3 => self.moved = !self.moved,
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
    for (name, Project { storage, nodes, release, owner, moved }) in projects {
        let place = if *moved { "-2" } else { "" };
        text += &format!(
            "[projects.overrides.{name}]\nnamespace = \"cht-{name}{place}\"\n\
             cht = \"{release}\"\nimage_owner = \"{owner}\"\n\
             couchdb = {{ nodes = {nodes}, storage = \"{storage}GiB\" }}\n"
        );
    }
    with_projects(&text)
}

fn edit(projects: &mut Wish, dice: &mut Dice) {
    let name = dice.pick(&NAMES);
    match projects.get_mut(name) {
        Some(_) if dice.chance(25) => {
            projects.remove(name);
        }
        Some(project) => project.edit(dice),
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
    let rule = |how| Fault { when: When::PerMille(if death.is_none() { 10 } else { 0 }), how };
    let rules = [How::LostBefore, How::LostAfter, How::Refused].map(rule).to_vec();
    let faults = Faults { seed: dice.below(1_000_000) as u64, rules };
    let life = Life::until(death);
    let ledger = system.ledger(&plan);
    let before = ledger.state();
    let ledger = Arc::new(DyingLedger { ledger, life: life.clone() });
    let clock = Arc::new(VirtualClock::default());
    let twin = Twin::new(system.world.clone(), clock.clone()).with_faults(faults);
    let provider = Arc::new(DyingProvider { twin, life });
    system.run(plan, provider, ledger.clone(), clock, Stop::default());
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
            let name = dice.pick(&NAMES);
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

/// Somebody deletes something by hand, a Secret of a project among others, or edits one.
fn by_hand(system: &System, dice: &mut Dice) -> String {
    if dice.chance(40) {
        return credentials_by_hand(system, dice);
    }
    let standing = system.world.standing();
    let loose = |one: &&boma::twin::Standing| {
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

/// Somebody deletes the credentials of a project, or edits the user's name in them.
fn credentials_by_hand(system: &System, dice: &mut Dice) -> String {
    let standing = system.world.standing();
    let has_user =
        |one: &&boma::twin::Standing| one.fields.get("data").is_some_and(|it| it[USER].is_string());
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
                let gone = what.contains(place.as_str()) && !after.contains_key(place);
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

/// What holds data, without the user's name, which somebody may have edited by hand.
fn held(system: &System) -> BTreeMap<String, (String, Json)> {
    let mut held = data(system);
    for (_, content) in held.values_mut() {
        content.as_object_mut().map(|content| content.remove(USER));
    }
    held
}

/// What every standing claim asks for, in GiB.
fn sizes(system: &System) -> BTreeMap<String, u32> {
    let claims = system.world.standing().into_iter();
    let claims = claims.filter(|one| one.kind.name == "kubernetes/PersistentVolumeClaim");
    let size = |one: &boma::twin::Standing| {
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

/// Whoever has a volume has the credentials that it was made with, or none.
fn credentials_fit(system: &System, made: &mut BTreeMap<String, Json>, what: &str) {
    let standing = held(system);
    let space = |place: &str| {
        let place: Json = serde_json::from_str(place).unwrap();
        place["namespace"].as_str().map(str::to_owned)
    };
    let claims = standing.keys().filter(|place| place.contains("PersistentVolumeClaim"));
    let used: BTreeSet<String> = claims.filter_map(|place| space(place)).collect();
    made.retain(|place, _| space(place).is_some_and(|space| used.contains(&space)));
    for (place, (_, content)) in standing {
        if !content.is_null() && space(&place).is_some_and(|space| used.contains(&space)) {
            let was = made.entry(place.clone()).or_insert_with(|| content.clone());
            assert_eq!(*was, content, "{what}: {place}");
        }
    }
}
