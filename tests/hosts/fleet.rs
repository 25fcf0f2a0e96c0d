//! Planning and applying on the test hosts: the machines are real, their vCenter is simulated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use boma::apply::{
    Apply, Event, Ledger, LedgerError, Report, SecretValues, Stop, SystemClock, apply, catch_up,
};
use boma::plan::{Action, Basis, Desired, Live, Options, Plan, Step, check, plan};
use boma::provider::k3s::Machines;
use boma::provider::{Act, BoxFuture, Inputs, Provider, Run, Wanted};
use boma::resource::{
    Address, Attributes, Endpoint, Identity, Kind, Locator, Object, Reading, Reference, Sealer,
    SecretSource,
};
use boma::state::{Entry, Owner, State, Store};
use boma::twin::{Twin, VirtualClock, World};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::rig::Rig;

const SPEC: &str = include_str!("../fixtures/small.toml");

/// The hosts see whoever runs in their network as their gateway.
const HERE: [(&str, &str); 1] = [("10.20.0.5/32", "10.20.0.1/32")];

const SECRETS: [(&str, &str); 2] =
    [("K3S_TOKEN", "for-servers"), ("K3S_AGENT_TOKEN", "for-agents")];

pub const MACHINES: [&str; 5] = ["server-1", "server-2", "server-3", "agent-1", "agent-2"];

/// What hosts do where no test says otherwise.
pub const REVERT_AFTER: Duration = Duration::from_secs(120);

/// No apply of these tests takes longer.
const LIMIT: Duration = Duration::from_secs(240);

/// Three servers and two agents with one state.
pub struct Fleet {
    pub rig: Rig,
    world: World,
    folder: PathBuf,
    desired: Desired,
    /// How long a host waits with new rules until it takes them back.
    revert: Duration,
}

impl Fleet {
    /// Hosts as they are, and a state in a folder: the one there, or one that knows just the VMs.
    ///
    /// The simulated vCenter does not outlast a process; made anew it is the same one.
    pub async fn over(rig: Rig, folder: &Path) -> Self {
        let (world, desired) = (World::new(1), lowered(&[]));
        world.learn(desired.resources.values());
        let (folder_of, revert) = (folder.to_owned(), REVERT_AFTER);
        let mut fleet = Self { rig, world, folder: folder_of, desired, revert };
        let all = fleet.desired.resources.clone();
        let vms = |address: &Address| address.as_str().starts_with("vsphere/");
        fleet.desired.resources.retain(|address, _| vms(address));
        let scratch = tempfile::tempdir().unwrap();
        fleet.folder = scratch.path().to_owned();
        let report = fleet.apply(|_| {}).await;
        assert_eq!(report.failures, []);
        let made = boma::state::load(scratch.path()).unwrap().unwrap();
        fleet.folder = folder.to_owned();
        fleet.desired.resources = all;
        Store::open(folder, || made, owner()).unwrap().close().unwrap();
        fleet
    }

    /// From now on the spec is another.
    pub fn edit(&mut self, edits: &[(&str, &str)]) {
        self.desired = lowered(edits);
    }

    /// From now on nobody waits long for rules that lock boma out.
    pub fn revert_after(&mut self, revert: Duration) {
        self.revert = revert;
    }

    /// Plans without a lock.
    pub async fn plan(&self) -> Plan {
        let state = boma::state::load(&self.folder).unwrap().unwrap();
        let providers = Providers::of(self);
        let plan = self.plan_with(&providers, &state).await;
        providers.machines.close().await;
        plan
    }

    /// Plans and applies, and shows what happens to somebody.
    pub async fn apply(&self, seen: impl Fn(&Event)) -> Report {
        let new = || State::new("lineage-1".into(), &[7; 32]);
        let mut store = Store::open(&self.folder, new, owner()).unwrap();
        let providers = Providers::of(self);
        let plan = self.plan_with(&providers, store.state()).await;
        assert_eq!(check(&plan), []);
        for entry in catch_up(&plan, store.state()) {
            store.append(entry).unwrap();
        }
        let sealer = Sealer::new(&store.state().digest_key);
        let ledger = Arc::new(Books(Mutex::new(store)));
        let (events, mut inbox) = mpsc::unbounded_channel();
        let work = Apply {
            plan: Arc::new(plan),
            providers: providers.by_name(),
            ledger: ledger.clone(),
            clock: Arc::new(SystemClock::default()),
            sealer,
            secrets: secrets(),
            events,
            stop: Stop::default(),
        };
        let tell = async {
            while let Some(event) = inbox.recv().await {
                seen(&event);
            }
        };
        let both = async { tokio::join!(apply(work), tell).0 };
        let report = tokio::time::timeout(LIMIT, both).await.expect("the apply hangs");
        providers.machines.close().await;
        let ledger = Arc::into_inner(ledger).expect("the apply is over");
        ledger.0.into_inner().unwrap().close().unwrap();
        report
    }

    /// Applies, and holds the hosts to what is desired.
    pub async fn converge(&self) {
        let report = self.apply(|_| {}).await;
        assert_eq!(report.failures, []);
        assert_eq!(report.fatal, None);
        let left = self.differences().await;
        assert!(left.is_empty(), "the second plan is not empty: {left:#?}");
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
                .trim_end()
                .to_owned()
        };
        changes.map(show).collect()
    }

    async fn plan_with(&self, providers: &Providers, state: &State) -> Plan {
        let live = self.read(providers, state).await;
        let sealer = Sealer::new(&state.digest_key);
        let sealed = SECRETS
            .map(|(name, value)| (SecretSource::Env(name.into()), sealer.seal(&json!(value))));
        let basis = Basis {
            name: "small".into(),
            spec: "small.toml".into(),
            spec_digest: String::new(),
            lineage: state.lineage.clone(),
            serial: state.serial,
            lab: false,
            offline: false,
            destroy: false,
        };
        plan(&self.desired, state, &live, &sealed.into(), basis, &Options::default()).unwrap()
    }

    /// Reads everything desired or recorded; secrets come sealed.
    async fn read(&self, providers: &Providers, state: &State) -> Live {
        let sealer = Sealer::new(&state.digest_key);
        let mut live = Live::new();
        for (name, provider) in providers.by_name() {
            let wanted: Vec<Wanted> = wanted(&self.desired, state, &name);
            let kinds: BTreeMap<Address, Kind> =
                wanted.iter().map(|one| (one.address.clone(), one.kind)).collect();
            for (address, reading) in provider.read(&wanted).await {
                let kind = kinds[&address];
                let reading = match reading {
                    Reading::Present(object) => {
                        let tree = sealer.seal_tree(kind, object.attributes.tree());
                        Reading::Present(Object { attributes: Attributes::new(&tree), ..object })
                    }
                    reading => reading,
                };
                live.insert(address, reading);
            }
        }
        live
    }
}

fn lowered(edits: &[(&str, &str)]) -> Desired {
    let mut text = SPEC.to_owned();
    for (from, to) in HERE.iter().chain(edits) {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let parsed = boma::spec::parse("small.toml", &text);
    let spec = parsed.spec.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let mut desired = boma::lower::lower(&spec);
    // The stand-in k3s has no API of its own.
    desired.resources.retain(|_, resource| resource.endpoint != Endpoint::kubernetes());
    desired
}

fn wanted(desired: &Desired, state: &State, provider: &str) -> Vec<Wanted> {
    let behind = |endpoint: &Endpoint| endpoint.provider() == provider;
    let specified = desired.resources.values().filter(|resource| behind(&resource.endpoint));
    let specified = specified.map(|resource| {
        let (address, kind) = (resource.address.clone(), resource.kind);
        let mark = (kind.identity == Identity::Mark).then(|| state.mark(&address));
        let known = state.locator(&address);
        let (id, notes) = known.map(|known| (known.id, known.notes)).unwrap_or_default();
        let locator = Locator { id, place: resource.place.clone(), mark, notes };
        Wanted { address, kind, locator }
    });
    let recorded = state.addresses().filter(|address| !desired.resources.contains_key(*address));
    let recorded = recorded.filter_map(|address| {
        let record = state.resources.get(address).map(|record| (record.kind, &record.endpoint));
        let open = || state.open.get(address).map(|open| (open.kind, &open.endpoint));
        let (kind, endpoint) = record.or_else(open)?;
        let locator = state.locator(address)?;
        behind(endpoint).then(|| Wanted { address: address.clone(), kind, locator })
    });
    specified.chain(recorded).collect()
}

fn secrets() -> SecretValues {
    Arc::new(|source| {
        let named = |name: &str| *source == SecretSource::Env(name.into());
        SECRETS.iter().find(|(name, _)| named(name)).map(|(_, value)| json!(value))
    })
}

fn owner() -> Owner {
    Owner {
        pid: std::process::id(),
        host: "here".into(),
        user: "test".into(),
        command: "test".into(),
        since: "now".into(),
    }
}

/// Who answers in one run.
struct Providers {
    vcenter: Arc<Vcenter>,
    machines: Arc<Machines>,
}

impl Providers {
    fn of(fleet: &Fleet) -> Self {
        let clock = Arc::new(VirtualClock::default());
        let facts = MACHINES.map(|name| {
            let host = fleet.rig.host(name);
            let facts = json!({"bios_uuid": host["bios_uuid"], "host_key": host["fingerprint"]});
            (Address::of("vsphere/vm", name), facts)
        });
        let twin = Twin::new(fleet.world.clone(), clock);
        let vcenter = Arc::new(Vcenter { twin, facts: facts.into() });
        let machines = fleet.rig.machines().with_firewall_revert(fleet.revert);
        Self { vcenter, machines: Arc::new(machines) }
    }

    fn by_name(&self) -> BTreeMap<String, Arc<dyn Provider>> {
        let vcenter: Arc<dyn Provider> = self.vcenter.clone();
        let machines: Arc<dyn Provider> = self.machines.clone();
        [("vcenter".to_owned(), vcenter), ("host".to_owned(), machines)].into()
    }
}

/// A simulated vCenter that tells of its machines what the test hosts say of themselves.
struct Vcenter {
    twin: Twin,
    facts: BTreeMap<Address, Json>,
}

impl Vcenter {
    fn told(&self, address: &Address, reading: Reading) -> Reading {
        match (reading, self.facts.get(address).and_then(Json::as_object)) {
            (Reading::Present(object), Some(facts)) => {
                let mut tree = object.attributes.tree();
                tree.as_object_mut().unwrap().extend(facts.clone());
                Reading::Present(Object { attributes: Attributes::new(&tree), ..object })
            }
            (reading, _) => reading,
        }
    }
}

impl Provider for Vcenter {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        Box::pin(async move {
            let readings = self.twin.read(wanted).await.into_iter();
            let told = readings.map(|(address, reading)| {
                let reading = self.told(&address, reading);
                (address, reading)
            });
            told.collect()
        })
    }

    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act> {
        Box::pin(async move {
            let reading = self.twin.act(step, inputs, run).await?;
            Ok(self.told(&step.address, reading))
        })
    }
}

/// A state on disk as an apply's ledger.
struct Books(Mutex<Store>);

impl Ledger for Books {
    fn append(&self, entry: Entry) -> Result<(), LedgerError> {
        self.0.lock().unwrap().append(entry).map_err(|error| LedgerError(error.to_string()))
    }

    fn value(&self, reference: &Reference) -> Option<Json> {
        let store = self.0.lock().unwrap();
        let record = store.state().resources.get(&reference.address)?;
        let trees = [record.outputs.tree(), record.attributes.tree()];
        let find = |tree: &Json| {
            let found = reference.path.split('.').try_fold(tree, |tree, key| tree.get(key));
            found.filter(|found| !found.is_null()).cloned()
        };
        trees.iter().find_map(find)
    }
}
