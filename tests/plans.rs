//! The decision table, row by row: a spec and two worlds in, the printed plan out.
//!
//! Every case begins with `tests/fixtures/small.toml`, applied in the twin. A directory of
//! `tests/plans/` then says what is different:
//!
//! - `case.json`: `edits` to the text of the spec, planner options, `prior` or `live` `"empty"`;
//! - `prior.json`: a merge patch (RFC 7386) to the state;
//! - `live.json`: a merge patch to the readings, by address;
//! - `plan.txt`: what is printed. `BOMA_BLESS=1` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use boma::apply::{Apply, Stop};
use boma::lower::lower;
use boma::plan::{Basis, Desired, Live, Options, Plan, ReadStats, Review, check, plan};
use boma::render::{TextOptions, plan_text};
use boma::resource::{Address, Glob, Identity, Locator, Reading, Sealer};
use boma::state::State;
use boma::twin::{MemoryLedger, Twin, VirtualClock, World};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

const SPEC: &str = include_str!("fixtures/small.toml");

/// What `case.json` may say.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Case {
    /// Text of the spec and what stands there instead; the text is there once.
    edits: Vec<(String, String)>,
    /// `"empty"`: the state was lost.
    prior: Option<String>,
    /// `"empty"`: nothing stands.
    live: Option<String>,
    replace: BTreeSet<Address>,
    target: Vec<Glob>,
    exclude: Vec<Glob>,
    destroy: bool,
    offline: bool,
}

#[test]
fn plans_are_printed_as_recorded() {
    let base = Base::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let mut cases: Vec<_> =
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 10);
    let mut wrong = Vec::new();
    for case in &cases {
        let printed = base.print(case);
        let file = case.join("plan.txt");
        if std::env::var_os("BOMA_BLESS").is_some() {
            std::fs::write(&file, &printed).unwrap();
        } else if std::fs::read_to_string(&file).unwrap_or_default() != printed {
            wrong.push(format!("{}:\n{printed}", case.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "to accept: BOMA_BLESS=1 cargo test --test plans\n\n{}",
        wrong.join("\n\n")
    );
}

/// The installation that every case begins with.
struct Base {
    prior: State,
    live: Live,
}

impl Base {
    fn new() -> Self {
        let desired = spec(&[]);
        let prior = State::new("lineage-1".into(), &[7; 32]);
        let world = World::new(1);
        world.learn(desired.resources.values());
        let nothing = read(&desired, &prior, &world);
        let made = planned(&desired, &prior, &nothing, &Case::default());
        let prior = applied(made, prior, &world);
        let live = read(&desired, &prior, &world);
        Self { prior, live }
    }

    /// The text of one case's plan.
    fn print(&self, folder: &Path) -> String {
        let case: Case = json_file(&folder.join("case.json"))
            .map(|json| serde_json::from_value(json).unwrap())
            .unwrap_or_default();
        let mut prior = json!(self.prior);
        let mut live = json!(self.live);
        if case.prior.is_some() {
            prior = json!(State::new("lineage-2".into(), &[8; 32]));
        }
        if case.live.is_some() {
            live = self
                .live
                .keys()
                .map(|address| (address.to_string(), json!("Absent")))
                .collect::<serde_json::Map<_, _>>()
                .into();
        }
        patch(&mut prior, &json_file(&folder.join("prior.json")).unwrap_or(json!({})));
        patch(&mut live, &json_file(&folder.join("live.json")).unwrap_or(json!({})));
        let prior: State = serde_json::from_value(prior).unwrap();
        let live: Live = serde_json::from_value(live).unwrap();
        let plan = planned(&spec(&case.edits), &prior, &live, &case);
        assert_eq!(check(&plan), []);
        let text = serde_json::to_string(&plan).unwrap();
        let reread: Plan = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&reread).unwrap(), text);
        let read = (!case.offline).then_some(ReadStats { requests: 37, elapsed_ms: 1200 });
        plan_text(&Review { plan, findings: Vec::new(), read }, &TextOptions::default())
    }
}

fn spec(edits: &[(String, String)]) -> Desired {
    let mut text = SPEC.to_owned();
    for (from, to) in edits {
        assert_eq!(text.matches(from.as_str()).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    let parsed = boma::spec::parse("small.toml", &text);
    lower(&parsed.spec.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics)))
}

fn planned(desired: &Desired, prior: &State, live: &Live, case: &Case) -> Plan {
    let basis = Basis {
        name: "small".into(),
        spec: "small.toml".into(),
        spec_digest: String::new(),
        lineage: prior.lineage.clone(),
        serial: prior.serial,
        lab: false,
        offline: case.offline,
        destroy: case.destroy,
    };
    let options = Options {
        replace: case.replace.clone(),
        target: case.target.clone(),
        exclude: case.exclude.clone(),
        destroy: case.destroy,
        ..Options::default()
    };
    let nothing = Desired { endpoints: desired.endpoints.clone(), ..Desired::default() };
    let desired = if case.destroy { &nothing } else { desired };
    plan(desired, prior, live, &BTreeMap::new(), basis, &options).unwrap()
}

fn read(desired: &Desired, prior: &State, world: &World) -> Live {
    let one = |resource: &boma::resource::Resource| {
        let address = &resource.address;
        let mark = (resource.kind.identity == Identity::Mark).then(|| prior.mark(address));
        let id = prior.resources.get(address).map(|record| record.id.clone());
        let locator = Locator { id, place: resource.place.clone(), mark, notes: Vec::new() };
        let reading: Reading = world.read(address, resource.kind, &locator);
        (address.clone(), reading)
    };
    desired.resources.values().map(one).collect()
}

fn applied(plan: Plan, prior: State, world: &World) -> State {
    let ledger = Arc::new(MemoryLedger::new(prior.clone()).unwrap());
    let clock = Arc::new(VirtualClock::default());
    let twin: Arc<dyn boma::provider::Provider> = Arc::new(Twin::new(world.clone(), clock.clone()));
    let work = Apply {
        plan: Arc::new(plan),
        providers: ["vcenter", "host", "kubernetes"]
            .map(|name| (name.to_owned(), twin.clone()))
            .into(),
        ledger: ledger.clone(),
        clock,
        sealer: Sealer::new(&prior.digest_key),
        secrets: Arc::new(|_: &_| Some(json!("a token"))),
        events: mpsc::unbounded_channel().0,
        stop: Stop::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(boma::apply::apply(work)).failures, []);
    State { serial: 41, ..ledger.state() }
}

fn json_file(path: &Path) -> Option<Json> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// RFC 7386: null removes, objects are patched, everything else replaces.
fn patch(target: &mut Json, with: &Json) {
    let Json::Object(with) = with else {
        *target = with.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(map) = target.as_object_mut() else { return };
    for (key, value) in with {
        match value {
            Json::Null => drop(map.remove(key)),
            value => patch(map.entry(key.clone()).or_insert(Json::Null), value),
        }
    }
}
