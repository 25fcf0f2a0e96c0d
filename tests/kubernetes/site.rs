//! A whole spec planned and applied: its cluster is a real API server, all else is simulated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use boma::apply::{Apply, Report, Stop, SystemClock, apply};
use boma::plan::{Action, Basis, Desired, Live, Options, Plan, check, plan};
use boma::provider::kubernetes::Kubernetes;
use boma::provider::{Provider, Wanted};
use boma::resource::{
    Address, Attributes, Endpoint, Identity, Locator, Object, Reading, Sealer, SecretSource,
    secrets,
};
use boma::state::State;
use boma::twin::{MemoryLedger, Twin, VirtualClock, World};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::plane::Plane;
use super::rig::Way;

/// No apply of these tests takes longer; that of 50 projects does most of it.
const LIMIT: Duration = Duration::from_secs(900);

/// One installation and its state.
pub struct Site {
    pub desired: Desired,
    state: State,
    world: World,
    cluster: Arc<Kubernetes>,
}

impl Site {
    /// Nothing of it stands yet. The user is the test's own.
    pub fn new(desired: Desired, user: &str) -> Self {
        let (state, world) = (State::new("lineage-1".into(), &[7; 32]), World::new(1));
        world.learn(desired.resources.values());
        let plane = Plane::get();
        let way = Way::to(plane, &plane.watched(user));
        Self { desired, state, world, cluster: Arc::new(Kubernetes::new(Arc::new(way))) }
    }

    /// Applies, and holds the cluster to what is desired.
    pub async fn converge(&mut self) {
        let report = self.apply().await;
        assert_eq!(report.failures, []);
        assert_eq!(report.fatal, None);
        let left = self.differences().await;
        assert!(left.is_empty(), "the second plan is not empty: {left:#?}");
    }

    /// Plans and applies.
    pub async fn apply(&mut self) -> Report {
        let plan = self.plan().await;
        assert_eq!(check(&plan), []);
        let ledger = Arc::new(MemoryLedger::new(self.state.clone()).unwrap());
        let (events, _inbox) = mpsc::unbounded_channel();
        let work = Apply {
            plan: Arc::new(plan),
            providers: self.providers(),
            ledger: ledger.clone(),
            clock: Arc::new(SystemClock::default()),
            sealer: Sealer::new(&self.state.digest_key),
            secrets: Arc::new(|source| Some(json!(secret(source)))),
            events,
            stop: Stop::default(),
        };
        let report = tokio::time::timeout(LIMIT, apply(work)).await.expect("the apply hangs");
        self.state = ledger.state();
        report
    }

    /// What a plan would do, each change as address, action and paths.
    pub async fn differences(&self) -> Vec<String> {
        let plan = self.plan().await;
        assert_eq!(plan.blocked, []);
        let changes = plan.changes.iter().filter(|change| change.action != Action::NoOp);
        let show = |change: &boma::plan::Change| {
            let paths: Vec<&str> =
                change.attributes.iter().map(|difference| difference.path.as_str()).collect();
            format!("{} {:?} {}", change.address, change.action, paths.join(" "))
        };
        changes.map(show).collect()
    }

    /// The plan as things are.
    pub async fn plan(&self) -> Plan {
        let live = self.read().await;
        let sealer = Sealer::new(&self.state.digest_key);
        let all = self.desired.resources.values();
        let all = all.flat_map(|resource| secrets(&resource.attributes.tree()));
        let sealed = all.filter(|source| !source.is_generated()).map(|source| {
            let seal = sealer.seal(&json!(secret(&source)));
            (source, seal)
        });
        let basis = Basis {
            name: "national".into(),
            spec: "national.toml".into(),
            spec_digest: String::new(),
            lineage: self.state.lineage.clone(),
            serial: self.state.serial,
            lab: false,
            offline: false,
            destroy: false,
        };
        let options = Options::default();
        plan(&self.desired, &self.state, &live, &sealed.collect(), basis, &options).unwrap()
    }

    /// Reads everything desired; secrets come sealed.
    async fn read(&self) -> Live {
        let sealer = Sealer::new(&self.state.digest_key);
        let mut live = Live::new();
        for (name, provider) in self.providers() {
            let wanted = self.wanted(&name);
            let kinds: BTreeMap<Address, _> =
                wanted.iter().map(|one| (one.address.clone(), one.kind)).collect();
            for (address, reading) in provider.read(&wanted).await {
                let reading = match reading {
                    Reading::Present(object) => {
                        let tree = sealer.seal_tree(kinds[&address], object.attributes.tree());
                        Reading::Present(Object { attributes: Attributes::new(&tree), ..object })
                    }
                    reading => reading,
                };
                live.insert(address, reading);
            }
        }
        live
    }

    fn wanted(&self, provider: &str) -> Vec<Wanted> {
        let behind = |endpoint: &Endpoint| endpoint.provider() == provider;
        let all = self.desired.resources.values().filter(|one| behind(&one.endpoint));
        let wanted = all.map(|resource| {
            let (address, kind) = (resource.address.clone(), resource.kind);
            let mark = (kind.identity == Identity::Mark).then(|| self.state.mark(&address));
            let id = self.state.locator(&address).and_then(|known| known.id);
            let place = resource.place.clone();
            Wanted { address, kind, locator: Locator { id, place, mark, notes: Vec::new() } }
        });
        wanted.collect()
    }

    fn providers(&self) -> BTreeMap<String, Arc<dyn Provider>> {
        let clock = Arc::new(VirtualClock::default());
        let twin: Arc<dyn Provider> = Arc::new(Twin::new(self.world.clone(), clock));
        let cluster: Arc<dyn Provider> = self.cluster.clone();
        let names = ["vcenter", "host"].map(|name| (name.to_owned(), twin.clone()));
        names.into_iter().chain([("kubernetes".to_owned(), cluster)]).collect()
    }
}

/// What a secret is here: its source's name with what has to be escaped.
fn secret(source: &SecretSource) -> String {
    match source {
        SecretSource::Text(parts) => SecretSource::join(parts, &|part| Some(secret(part))).unwrap(),
        source => format!("\"{source}\" \\ ünquoted: #"),
    }
}

/// The resources of a spec, as the program lowers it.
pub fn lowered(text: &str) -> Desired {
    let parsed = boma::spec::parse("spec.toml", text);
    boma::lower::lower(&parsed.spec.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics)))
}

/// What a spec desires of its cluster, by address.
pub fn in_cluster(desired: &Desired) -> impl Iterator<Item = (&Address, Json)> {
    let all = desired.resources.values();
    let all = all.filter(|resource| resource.endpoint == Endpoint::kubernetes());
    all.map(|resource| (&resource.address, resource.place.tree()))
}
