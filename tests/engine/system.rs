//! One small installation: a world, a state and what is desired of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use boma::apply::{Apply, Event, Ledger, Report, Stop};
use boma::plan::{Action, Basis, Desired, Difference, Live, Options, Plan, check, plan};
use boma::provider::Provider;
use boma::resource::{
    Address, Attributes, Identity, Kind, Locator, Object, Reading, Sealer, SecretSource, secrets,
};
use boma::state::State;
use boma::twin::{MemoryLedger, Twin, VirtualClock, World};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

/// Every secret of these tests, in plain text.
pub const PASSWORD: &str = "correct horse";

/// The variables that specs of these tests take secrets from.
const SECRETS: [&str; 4] = ["PASSWORD", "K3S_TOKEN", "K3S_AGENT_TOKEN", "NEW_TOKEN"];

/// What one of them is in plain text.
fn plain(name: &str) -> Json {
    let other = format!("{PASSWORD}, the new one");
    json!(if name == "NEW_TOKEN" { &other } else { PASSWORD })
}

/// Counts applies: what is made up in one is never made up again.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// A secret in plain text, in one apply.
fn resolve(source: &SecretSource, run: u64) -> Option<String> {
    match source {
        SecretSource::Env(name) => {
            SECRETS.contains(&name.as_str()).then(|| plain(name).as_str().map(str::to_owned))?
        }
        SecretSource::Generated(generated) => Some(format!("{} of run {run}", generated.name)),
        SecretSource::Text(parts) => SecretSource::join(parts, &|part| resolve(part, run)),
        SecretSource::File(_) | SecretSource::Command(_) => None,
    }
}

#[derive(Clone)]
pub struct System {
    pub desired: Desired,
    pub state: State,
    pub world: World,
    pub options: Options,
}

/// See [`System::outcome`].
pub type Outcome = Vec<(String, String, Json, bool)>;

/// What came of one apply.
pub struct Run {
    pub report: Report,
    pub events: Vec<Event>,
}

impl System {
    pub fn new(desired: Desired, seed: u64) -> Self {
        let state = State::new("lineage-1".into(), &[7; 32]);
        let world = World::new(seed);
        world.learn(desired.resources.values());
        Self { desired, state, world, options: Options::default() }
    }

    pub fn sealer(&self) -> Sealer {
        Sealer::new(&self.state.digest_key)
    }

    /// Where to look for one address: where the spec says, else as recorded.
    fn locator(&self, address: &Address) -> Option<(Kind, Locator)> {
        let known = self.state.locator(address);
        if let Some(resource) = self.desired.resources.get(address) {
            let mark = (resource.kind.identity == Identity::Mark).then(|| self.state.mark(address));
            let (id, notes) = known.map(|known| (known.id, known.notes)).unwrap_or_default();
            return Some((
                resource.kind,
                Locator { id, place: resource.place.clone(), mark, notes },
            ));
        }
        let record = self.state.resources.get(address).map(|record| record.kind);
        let open = self.state.open.get(address).map(|open| open.kind);
        Some((record.or(open)?, known?))
    }

    /// Reads everything desired or recorded; secrets come sealed.
    pub fn read(&self) -> Live {
        let addresses: Vec<&Address> =
            self.desired.resources.keys().chain(self.state.addresses()).collect();
        let sealer = self.sealer();
        let read = |address: &&Address| {
            let (kind, locator) = self.locator(address)?;
            let reading = match self.world.read(address, kind, &locator) {
                Reading::Present(object) => {
                    let tree = sealer.seal_tree(kind, object.attributes.tree());
                    Reading::Present(Object { attributes: Attributes::new(&tree), ..object })
                }
                reading => reading,
            };
            Some(((*address).clone(), reading))
        };
        addresses.iter().filter_map(read).collect()
    }

    /// Plans, checks the plan for soundness, and that the same inputs give the same bytes.
    pub fn plan(&self) -> Plan {
        let live = self.read();
        let once = self.plan_from(&live);
        assert_eq!(check(&once), [], "{once:#?}");
        let again = self.plan_from(&live);
        assert_eq!(serde_json::to_string(&once).unwrap(), serde_json::to_string(&again).unwrap());
        once
    }

    /// Plans with readings of the caller's.
    pub fn plan_from(&self, live: &Live) -> Plan {
        let sealer = self.sealer();
        let chosen = self.desired.resources.values();
        let chosen = chosen.flat_map(|resource| secrets(&resource.attributes.tree()));
        let sealed = |source: SecretSource| {
            let text = resolve(&source, 0).filter(|_| !source.is_generated())?;
            Some((source, sealer.seal(&text.into())))
        };
        let secrets = chosen.filter_map(sealed).collect();
        let basis = Basis {
            name: "small".into(),
            spec: "small.toml".into(),
            spec_digest: String::new(),
            lineage: self.state.lineage.clone(),
            serial: self.state.serial,
            lab: false,
            offline: false,
            destroy: self.options.destroy,
        };
        plan(&self.desired, &self.state, live, &secrets, basis, &self.options).unwrap()
    }

    /// A plan as it comes back from its file.
    pub fn reread(plan: &Plan) -> Plan {
        let text = serde_json::to_string(plan).unwrap();
        let back: Plan = serde_json::from_str(&text).unwrap();
        assert_eq!(back, *plan);
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
        back
    }

    /// A state whose lineage the plan recovered from marks begins under the recovered one.
    pub fn ledger(&self, plan: &Plan) -> MemoryLedger {
        let state = match self.state.is_empty() {
            true => State { lineage: plan.basis.lineage.clone(), ..self.state.clone() },
            false => self.state.clone(),
        };
        MemoryLedger::new(state).unwrap()
    }

    /// Plans and applies without any disturbance.
    pub fn apply(&mut self) -> Run {
        let plan = Self::reread(&self.plan());
        self.apply_plan(plan)
    }

    pub fn apply_plan(&mut self, plan: Plan) -> Run {
        let ledger = Arc::new(self.ledger(&plan));
        let clock = Arc::new(VirtualClock::default());
        let twin = Twin::new(self.world.clone(), clock.clone());
        let run = self.run(plan, Arc::new(twin), ledger.clone(), clock, Stop::default());
        self.state = ledger.state();
        run
    }

    /// Applies with a provider and a ledger of the caller's; the state stays as it is.
    pub fn run(
        &self,
        plan: Plan,
        provider: Arc<dyn Provider>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<VirtualClock>,
        stop: Stop,
    ) -> Run {
        let (events, mut inbox) = mpsc::unbounded_channel();
        let providers = ["vcenter", "host", "kubernetes", "test"]
            .map(|name| (name.to_owned(), provider.clone()))
            .into();
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let known = move |source: &SecretSource| resolve(source, run).map(Json::from);
        let work = Apply {
            plan: Arc::new(plan),
            providers,
            ledger,
            clock,
            sealer: self.sealer(),
            secrets: Arc::new(known),
            events,
            stop,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let limited = async {
            tokio::time::timeout(std::time::Duration::from_secs(60), boma::apply::apply(work)).await
        };
        let report = runtime.block_on(limited).expect("the apply hangs");
        let events = std::iter::from_fn(|| inbox.try_recv().ok()).collect();
        Run { report, events }
    }

    /// Applies until nothing is left to do, and holds the world to what is desired.
    pub fn converge(&mut self) {
        let run = self.apply();
        assert_eq!(run.report.failures, [], "{:?}", run.events);
        assert_eq!(run.report.fatal, None);
        self.expect_converged();
    }

    /// The second plan is empty, the state knows what the world says, and nothing is left over.
    pub fn expect_converged(&self) {
        let plan = self.plan();
        let left: Vec<String> = plan
            .changes
            .iter()
            .filter(|change| change.action != Action::NoOp)
            .map(|change| {
                let show =
                    |one: &Difference| format!("{}: {:?} -> {:?}", one.path, one.before, one.after);
                let differs: Vec<String> = change.attributes.iter().map(show).collect();
                format!("{} {:?} {:?} {differs:?}", change.address, change.action, change.reasons)
            })
            .collect();
        assert!(left.is_empty() && plan.blocked.is_empty(), "left: {left:#?} {:?}", plan.blocked);
        assert_eq!(self.state.open, BTreeMap::new());
        let recorded: Vec<&Address> = self.state.resources.keys().collect();
        let desired: Vec<&Address> = self.desired.resources.keys().collect();
        assert_eq!(recorded, desired);
        for (address, reading) in self.read() {
            let record = &self.state.resources[&address];
            let object = reading.object().unwrap();
            assert_eq!(record.id, object.id, "{address}");
            assert!(
                boma::plan::equal(
                    record.kind,
                    &record.attributes.tree(),
                    &object.attributes.tree()
                ),
                "{address}"
            );
        }
    }

    /// Everything that stands, as kind, place, owned fields and mark, without ids and derived
    /// values.
    pub fn outcome(&self) -> Outcome {
        use boma::resource::Mode;
        let show = |standing: boma::twin::Standing| {
            let mut fields = standing.fields.clone();
            fields.retain(|key, _| {
                matches!(standing.kind.field(key).mode, Mode::Owned | Mode::Initial)
            });
            (
                standing.kind.name.to_owned(),
                standing.place.as_str().to_owned(),
                fields.into(),
                standing.mark.is_some(),
            )
        };
        self.world.standing().into_iter().map(show).collect()
    }
}
