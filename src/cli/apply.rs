//! `boma apply`: plan, ask, do.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::args::{ApplyArgs, Consent, Format, Home, Output, Scope};
use super::error::{CliError, Exit};
use super::ledger::StoreLedger;
use super::load::{Loaded, load};
use super::output::{Terminal, print, print_json, say};
use super::plan::{self, Request};
use super::secrets::Secrets;
use super::signal::{self, Signals};
use super::world::{self, World};
use super::{abandon, disks, home, lock, refresh, saved, sources};
use crate::apply::{Apply, Event, Halted, Report, Stop, SystemClock, apply, catch_up};
use crate::plan::{Desired, Disk, Operation, Plan, Reason, Review, check};
use crate::render::clean;
use crate::render::json::apply_json;
use crate::render::progress::{BarReporter, JsonReporter, PlainReporter, Reporter};
use crate::resource::{Address, Endpoint, Sealer};
use crate::state::{Entry, State, Store};

/// What is to be carried out.
pub struct Work<'a> {
    /// The spec.
    pub loaded: &'a Loaded,
    /// Which world.
    pub home: &'a Home,
    /// What the plan is about.
    pub scope: &'a Scope,
    /// What may be done without asking.
    pub consent: &'a Consent,
    /// How results are printed.
    pub output: &'a Output,
    /// Nothing is desired.
    pub destroy: bool,
    /// Projects that go with their data, and nothing else. Empty: everything but data goes.
    pub abandon: BTreeSet<String>,
    /// The cluster goes although it has volumes with data.
    pub keep_disks: bool,
    /// The plan to carry out. `None`: one is made now.
    pub saved: Option<Review>,
}

/// Applies a spec or a saved plan.
pub fn run(args: &ApplyArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let saved = saved::is_plan(&args.spec).then(|| saved::read(&args.spec)).transpose()?;
    let spec =
        saved.as_ref().map_or(args.spec.clone(), |review| review.basis().spec.clone().into());
    let mut loaded = load(&spec, terminal)?;
    if let Some(review) = &saved {
        check_basis(review, &loaded, args)?;
    }
    let destroy = saved.as_ref().is_some_and(|review| review.basis().destroy);
    let dir = home::state_dir(&args.home, &loaded.spec);
    sources::complete(&mut loaded, &dir, !args.home.lab && !destroy)?;
    if args.home.lab && !destroy {
        sources::demand(&loaded, &dir)?;
    }
    let work = Work {
        loaded: &loaded,
        home: &args.home,
        scope: &args.scope,
        consent: &args.consent,
        output: &args.output,
        destroy,
        abandon: BTreeSet::new(),
        keep_disks: false,
        saved,
    };
    carry_out(&work, terminal)
}

/// A saved plan fits one world, one spec text and no further wishes.
fn check_basis(review: &Review, loaded: &Loaded, args: &ApplyArgs) -> Result<(), CliError> {
    let basis = review.basis();
    let refused =
        |message: String, help: &str| Err(CliError::new(message, help).exit(Exit::Refused));
    if basis.offline {
        return refused(
            "an offline plan cannot be applied: nobody looked at the world".into(),
            "plan again without --offline",
        );
    }
    if basis.lab != args.home.lab {
        let (made, help) = if basis.lab {
            ("the lab", "add --lab")
        } else {
            ("the real world", "leave --lab out")
        };
        return refused(format!("the plan was made for {made}"), help);
    }
    if basis.spec_digest != loaded.digest.to_string() {
        return refused(
            format!("the spec {} has changed since the plan was made", basis.spec),
            "plan again",
        );
    }
    if !(args.scope.target.is_empty()
        && args.scope.exclude.is_empty()
        && args.scope.replace.is_empty()
        && args.scope.dead.is_empty())
    {
        return refused(
            "a saved plan is applied as it is".into(),
            "give --target, --exclude, --replace and --dead to `boma plan`",
        );
    }
    Ok(())
}

/// Plans under the lock, asks, and applies.
///
/// # Errors
/// Nothing was begun; what fails after that is reported with exit code 4.
pub fn carry_out(work: &Work<'_>, terminal: Terminal) -> Result<Exit, CliError> {
    let dir = home::state_dir(work.home, &work.loaded.spec);
    let fresh = world::new_state()?;
    let mut store = Store::open(&dir, || fresh, home::owner())?;
    world::with(work.loaded, work.home, async |world| {
        let mut signals = Signals::listen();
        let desired = plan::desired(work.loaded, work.destroy);
        let Prepared { review, disks } = tokio::select! {
            prepared = prepare(work, world, &desired, store.state()) => prepared?,
            () = signals.next() => return Err(world::interrupted()),
        };
        if work.saved.is_none() || work.output.format == Format::Text {
            show(&review, work, terminal)?;
        }
        refuse(&review, work)?;
        let disks = match disks {
            Err(unread) if work.destroy => return Err(unread),
            disks => disks.unwrap_or_default(),
        };
        if work.destroy && !work.keep_disks {
            disks::refuse(&review.plan, &disks)?;
        }
        if review.plan.is_empty() {
            pin(work)?;
            record_unchanged(&review.plan, &mut store)?;
            store.close()?;
            return finish(&review, &Report::default(), work, &[]);
        }
        tokio::select! {
            asked = ask(&review, work) => asked?,
            () = signals.next() => return Err(world::interrupted()),
        }
        pin(work)?;
        let ends = work.destroy && disks::ends_cluster(&review.plan);
        let list = (ends && !disks.is_empty())
            .then(|| disks::remember(&dir, store.state().serial, &disks))
            .transpose()?;
        let report = execute(&review, work, world, &desired, store, signals).await?;
        let gone = (ends || !work.abandon.is_empty()) && exit(&review, &report) == Exit::Done;
        let kept: Vec<Disk> = disks.into_iter().filter(|disk| gone && disk.retained).collect();
        let exit = finish(&review, &report, work, &kept)?;
        if work.output.format == Format::Text {
            print(&disks::left(&kept, list.as_deref()))?;
        }
        Ok(exit)
    })
}

/// A plan, and the disks with data that it leaves or gives up, where those could be looked at.
struct Prepared {
    review: Review,
    disks: Result<Vec<Disk>, CliError>,
}

/// What is applied to the real world is taken down, so that another boma applies the same.
fn pin(work: &Work<'_>) -> Result<(), CliError> {
    if work.home.lab || work.destroy { Ok(()) } else { lock::complete(work.loaded) }
}

/// The plan to carry out, made from the world as it is now.
async fn prepare(
    work: &Work<'_>,
    world: &World,
    desired: &Desired,
    state: &State,
) -> Result<Prepared, CliError> {
    let Some(saved) = &work.saved else {
        let options = plan::options(work.scope, work.destroy, desired, state)?;
        let request =
            Request { loaded: work.loaded, home: work.home, state, desired, options: &options };
        if !work.abandon.is_empty() {
            let (review, disks) = abandon::review(&request, world, &work.abandon).await?;
            return Ok(Prepared { review, disks: Ok(disks) });
        }
        let refreshed = refresh::live(world, desired, state).await?;
        let secrets = request.secrets(false)?;
        let (review, refreshed) = request.review_of(world, refreshed, &secrets).await?;
        let disks = disks::all(&review.plan, &refreshed.live, state);
        return Ok(Prepared { review, disks });
    };
    let basis = saved.basis();
    let moved =
        |what: String| CliError::new(what, "plan again; nothing was changed").exit(Exit::Refused);
    let is_first = state.is_empty() && state.serial <= 1;
    if !is_first && (state.lineage != basis.lineage || state.serial != basis.serial) {
        return Err(moved(format!(
            "the state has moved since the plan was made: serial {} then, {} now",
            basis.serial, state.serial
        )));
    }
    let refreshed = refresh::live(world, desired, state).await?;
    // A state that is yet to be made seals secrets with another key each time.
    let names = crate::plan::moved(&saved.plan, &refreshed.live, !is_first);
    if let Some(first) = names.first() {
        let more = names.len() - 1;
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        return Err(moved(format!("the world has moved since the plan was made: {first}{more}")));
    }
    let disks = disks::all(&saved.plan, &refreshed.live, state);
    Ok(Prepared { review: saved.clone(), disks })
}

/// Prints the plan: the result of `apply` is what it did, so in JSON the plan goes to nobody.
fn show(review: &Review, work: &Work<'_>, terminal: Terminal) -> Result<(), CliError> {
    match work.output.format {
        Format::Text => plan::show(review, work.output, terminal),
        Format::Json => Ok(()),
    }
}

fn refuse(review: &Review, work: &Work<'_>) -> Result<(), CliError> {
    let refused = |message: &str, help: &str| Err(CliError::new(message, help).exit(Exit::Refused));
    if review.is_refused() {
        return refused(
            "the plan is refused",
            "see what the plan says above (or `boma plan`); nothing was changed",
        );
    }
    if let Some(note) = check(&review.plan).first() {
        return refused(
            &format!("the plan is unsound: {note}"),
            "this is a defect of boma: please report it; nothing was changed",
        );
    }
    let destroyed = |address: &Address| {
        let change = review.plan.changes.iter().find(|change| change.address == *address);
        change.is_some_and(|change| change.reasons.contains(&Reason::Destroyed))
    };
    let disturbed: Vec<&Address> = review
        .plan
        .windows
        .iter()
        .filter(|window| window.disrupts)
        .map(|window| &window.machine)
        .filter(|machine| !destroyed(machine))
        .collect();
    if !disturbed.is_empty() && !work.consent.allow_disruption {
        let machines: Vec<&str> = disturbed.iter().map(|machine| machine.name()).collect();
        let message = format!("machines that run would be disturbed: {}", machines.join(", "));
        return refused(
            &message,
            "add --allow-disruption where that is meant; nothing was changed",
        );
    }
    Ok(())
}

async fn ask(review: &Review, work: &Work<'_>) -> Result<(), CliError> {
    if work.consent.yes {
        return Ok(());
    }
    let declined = |message: &str, help: &str| Err(CliError::new(message, help));
    if !std::io::stdin().is_terminal() {
        return declined(
            "nobody can be asked: standard input is no terminal",
            "add --yes where the plan was reviewed; nothing was changed",
        );
    }
    let names: Vec<&str> = work.abandon.iter().map(String::as_str).collect();
    let (question, wanted) = match (work.destroy, names.is_empty()) {
        (_, false) => ("Delete all this, data included?", names.join(" ")),
        (true, true) => ("Remove all this?", "yes".to_owned()),
        (false, true) => ("Do this?", "yes".to_owned()),
    };
    let one = if names.is_empty() { "one" } else { "a yes" };
    say(&format!("\n{question} Only `{wanted}` is taken for {one} ({}).", review.basis().name));
    if answer().await.split_whitespace().eq(wanted.split_whitespace()) {
        return Ok(());
    }
    declined(&format!("the answer was not `{wanted}`"), "nothing was changed")
}

/// A line of standard input; empty where there is none. It is read by a thread of its own: an
/// answer that never comes keeps nobody from ending.
async fn answer() -> String {
    let (sender, line) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        // Nobody waits any more where this fails.
        let _ = sender.send(read.map_or_else(|_| String::new(), |_| line));
    });
    line.await.unwrap_or_default()
}

async fn execute(
    review: &Review,
    work: &Work<'_>,
    world: &World,
    desired: &Desired,
    mut store: Store,
    signals: Signals,
) -> Result<Report, CliError> {
    let secrets = secrets(work, desired)?;
    store.recover(&review.basis().lineage)?;
    remember_identity(world, &mut store).await?;
    forget_cluster(&review.plan, &mut store)?;
    let sealer = Sealer::new(&store.state().digest_key);
    record_unchanged(&review.plan, &mut store)?;
    let ledger = Arc::new(StoreLedger::new(store));
    let plan: Arc<Plan> = Arc::new(review.plan.clone());
    let stop = Stop::default();
    let (events, inbox) = mpsc::unbounded_channel();
    let job = Apply {
        plan,
        providers: world.providers.clone(),
        ledger: ledger.clone(),
        clock: Arc::new(SystemClock::default()),
        sealer,
        secrets: Arc::new(move |source| secrets.value(source)),
        events,
        stop: stop.clone(),
    };
    let reporting = tokio::spawn(report(inbox, work.output.format));
    let pressing = tokio::spawn(signal::press(stop, signals));
    let report = apply(job).await;
    pressing.abort();
    // A reporter that broke has nothing to do with what was done.
    let _ = reporting.await;
    remember_cluster(&review.plan, world, &ledger).await?;
    if let Ok(ledger) = Arc::try_unwrap(ledger) {
        ledger.close()?;
    }
    Ok(report)
}

fn secrets(work: &Work<'_>, desired: &Desired) -> Result<Secrets, CliError> {
    if work.home.lab {
        return Ok(Secrets::of_lab(desired, &work.loaded.spec.name));
    }
    Secrets::of(desired, work.loaded)
}

/// The state belongs to the vCenter that its first objects were made in.
async fn remember_identity(world: &World, store: &mut Store) -> Result<(), CliError> {
    let endpoint = Endpoint::vcenter().to_string();
    if store.state().identities.contains_key(&endpoint) {
        return Ok(());
    }
    let identity = world.vcenter.instance_uuid().await?;
    Ok(store.append(Entry::Identity { endpoint, identity })?)
}

/// Where a cluster is begun anew, whichever was there before is no longer meant, however this run
/// ends: an empty identity stands for one that is not known yet.
fn forget_cluster(plan: &Plan, store: &mut Store) -> Result<(), CliError> {
    let mut steps = plan.changes.iter().flat_map(|change| &change.steps);
    let endpoint = Endpoint::kubernetes().to_string();
    let known = store.state().identities.contains_key(&endpoint);
    if known && steps.any(|step| step.operation == Operation::InitCluster) {
        store.append(Entry::Identity { endpoint, identity: String::new() })?;
    }
    Ok(())
}

/// The objects of a cluster belong to that cluster; one that was begun anew is another. Where it
/// does not answer now, a later apply asks again.
async fn remember_cluster(
    plan: &Plan,
    world: &World,
    ledger: &StoreLedger,
) -> Result<(), CliError> {
    let endpoint = Endpoint::kubernetes();
    let steps = || plan.changes.iter().flat_map(|change| &change.steps);
    let works = steps().any(|step| step.endpoint == endpoint);
    let known = ledger.identity(&endpoint).is_some();
    let Some(kubernetes) = world.kubernetes.as_ref().filter(|_| works && !known) else {
        return Ok(());
    };
    match kubernetes.cluster_uid().await {
        Ok(identity) => Ok(ledger.remember(&endpoint, identity)?),
        Err(_) => Ok(()),
    }
}

fn record_unchanged(plan: &Plan, store: &mut Store) -> Result<(), CliError> {
    for entry in catch_up(plan, store.state()) {
        store.append(entry)?;
    }
    Ok(())
}

/// Prints events as they come.
async fn report(mut inbox: mpsc::UnboundedReceiver<Event>, format: Format) {
    let bars = BarReporter::stderr();
    let mut reporter: Box<dyn Reporter + Send> = match format {
        Format::Json => Box::new(JsonReporter::new(std::io::stderr())),
        Format::Text if bars.is_hidden() => Box::new(PlainReporter::new(std::io::stderr())),
        Format::Text => Box::new(bars),
    };
    while let Some(event) = inbox.recv().await {
        reporter.event(&event);
    }
}

/// Prints what a run came to. `left` are the disks that nothing but vCenter knows of any more.
fn finish(
    review: &Review,
    report: &Report,
    work: &Work<'_>,
    left: &[Disk],
) -> Result<Exit, CliError> {
    match work.output.format {
        Format::Json => print_json(&apply_json(report, left))?,
        Format::Text if review.plan.is_empty() => {}
        Format::Text => print(&result(report))?,
    }
    if let Some(fatal) = &report.fatal {
        let message = format!("the state cannot be written: {fatal}");
        let help =
            "nothing more was begun; mend that and apply again: it goes on from where this ended";
        return Err(CliError::new(message, help).exit(Exit::Partly));
    }
    Ok(exit(review, report))
}

fn exit(review: &Review, report: &Report) -> Exit {
    if report.outcome.interrupted {
        Exit::Interrupted
    } else if report.outcome.failed > 0
        || report.fatal.is_some()
        || review.has_unread() && report.outcome.done > 0
    {
        Exit::Partly
    } else if review.has_unread() {
        Exit::Error
    } else {
        Exit::Done
    }
}

/// What an apply came to, for people.
fn result(report: &Report) -> String {
    let outcome = report.outcome;
    let whole = outcome.failed == 0 && outcome.skipped == 0 && report.fatal.is_none();
    if whole {
        return format!("\nApplied: {} done.\n", outcome.done);
    }
    let mut text = format!(
        "\nPartly applied: {} done, {} failed, {} not begun.\n",
        outcome.done, outcome.failed, outcome.skipped
    );
    for failure in &report.failures {
        text += &format!("  {}: {}\n", failure.address, clean(&failure.message));
        text += &format!("    help: {}\n", clean(&failure.help));
    }
    text += &report.halted.as_ref().map(unreached).unwrap_or_default();
    text + "What was done is saved; the next apply goes on from there.\n"
}

/// The projects that had no turn, all of them: each is a county to come back to.
fn unreached(halted: &Halted) -> String {
    let list = |names: &[String]| clean(&names.join(", "));
    let left = halted.failed.first().map_or(String::new(), |name| {
        format!("; to leave one out, add --exclude 'project/{}/**'", clean(name))
    });
    format!(
        "Not reached, because of {}: {}\n    help: mend what failed and apply again{left}\n",
        list(&halted.failed),
        list(&halted.unreached),
    )
}
