//! `boma plan`, and what other commands share of it.

use std::collections::BTreeSet;

use super::args::{Format, Home, Output, PlanArgs, Scope};
use super::error::{CliError, Exit};
use super::load::{Loaded, load};
use super::output::{Terminal, print, print_json, say};
use super::refresh::{self, Refreshed};
use super::secrets::Secrets;
use super::world::{self, World};
use super::{abandon, admission, home, preflight, saved, sources};
use crate::lower::kubernetes::observed;
use crate::lower::{lower_with, retain};
use crate::plan::{Basis, BlockCause, Blocked, Desired, Observed, Options, Plan, Review, plan};
use crate::render;
use crate::resource::{Address, Endpoint, Glob, Kind, Resource, Sealer};
use crate::rules;
use crate::state::{State, load as load_state};

/// Shows what would change.
pub fn run(args: &PlanArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let abandoned = abandon::names(&args.abandon_data)?;
    let mut loaded = load(&args.target.spec, terminal)?;
    let dir = home::state_dir(&args.target.home, &loaded.spec);
    sources::complete(&mut loaded, &dir, !args.offline && !args.target.home.lab)?;
    if args.target.home.lab && !args.offline && !args.destroy {
        sources::demand(&loaded, &dir)?;
    }
    let mut state = match load_state(&dir)? {
        Some(state) => state,
        None => world::new_state()?,
    };
    if args.offline && !args.destroy {
        sources::leave_alone(&loaded, &mut state);
    }
    let desired = desired(&loaded, args.destroy);
    let options = options(&args.scope, args.destroy, &desired, &state)?;
    let request = Request {
        loaded: &loaded,
        home: &args.target.home,
        state: &state,
        desired: &desired,
        options: &options,
    };
    let review = if args.offline {
        request.review(&refresh::offline(&desired, &state), true)?
    } else {
        world::with_reader(&loaded, &args.target.home, async |world| {
            if !abandoned.is_empty() {
                let (review, _) = abandon::review(&request, world, &abandoned).await?;
                return Ok(review);
            }
            let (state, refreshed) =
                refresh::unlocked(world, &desired, &dir, state.clone()).await?;
            let request = Request { state: &state, ..request };
            let secrets = request.secrets(false)?;
            let (mut review, _) = request.review_of(world, refreshed, &secrets).await?;
            if args.server_dry_run {
                review.findings.extend(admission::objections(&review, &secrets, world).await);
            }
            Ok(review)
        })?
    };
    if let Some(out) = &args.out {
        saved::write(out, &review)?;
    }
    show(&review, &args.output, terminal)?;
    Ok(exit(&review, args.detailed_exitcode))
}

/// Prints a plan.
pub fn show(review: &Review, output: &Output, terminal: Terminal) -> Result<(), CliError> {
    match output.format {
        Format::Text => print(&render::plan_text(review, &terminal.text(output)))?,
        Format::Json => print_json(&render::json::plan_json(review))?,
    }
    say_unread(unread(review));
    Ok(())
}

/// Says on standard error that something could not be read, for who looks only there.
pub fn say_unread(count: usize) {
    if count > 0 {
        let plural = if count == 1 { "" } else { "s" };
        say(&format!("error: {count} resource{plural} could not be read; the result says why"));
    }
}

fn unread(review: &Review) -> usize {
    let unread = |blocked: &&Blocked| matches!(blocked.cause, BlockCause::Unread(_));
    review.plan.blocked.iter().filter(unread).count()
}

fn exit(review: &Review, detailed: bool) -> Exit {
    if review.is_refused() {
        Exit::Refused
    } else if review.has_unread() {
        Exit::Error
    } else if detailed && !review.plan.is_empty() {
        Exit::Pending
    } else {
        Exit::Done
    }
}

/// Lowers a spec; for a destroy only its endpoints count, what boma's account may do there, and the
/// volumes in the cluster.
pub fn desired(loaded: &Loaded, destroy: bool) -> Desired {
    let desired = lower_with(&loaded.spec, &loaded.sources);
    if !destroy {
        return desired;
    }
    let way = way_in(&desired);
    let site = desired.observed.into_iter().filter(|one| one.kind == Kind::site());
    // Whoever removes the cluster has to know which disks it has.
    let observed = site.chain(way).chain([observed::volumes()]).collect();
    Desired { endpoints: desired.endpoints, observed, ..Desired::default() }
}

/// The servers, and what they live in: where none stands, there is no cluster to be asked.
fn way_in(desired: &Desired) -> Vec<Observed> {
    let opened_by = |endpoint: &Endpoint| {
        let facts = desired.endpoints.get(endpoint);
        facts.into_iter().flat_map(|facts| &facts.opened_by)
    };
    let resource = |address: &Address| desired.resources.get(address);
    let servers: Vec<&Resource> = opened_by(&Endpoint::kubernetes()).filter_map(resource).collect();
    let homes = servers.iter().flat_map(|server| opened_by(&server.endpoint)).filter_map(resource);
    homes
        .chain(servers.iter().copied())
        .map(|one| Observed {
            address: one.address.clone(),
            kind: one.kind,
            endpoint: one.endpoint.clone(),
            place: one.place.clone(),
        })
        .collect()
}

/// Turns the command line into options.
///
/// # Errors
/// `--replace` names an address that nobody knows; a target covers nothing.
pub fn options(
    scope: &Scope,
    destroy: bool,
    desired: &Desired,
    state: &State,
) -> Result<Options, CliError> {
    let globs = |texts: &[String]| texts.iter().map(Glob::new).collect::<Vec<_>>();
    let known = |glob: &Glob| {
        desired.resources.keys().chain(state.addresses()).any(|address| glob.matches(address))
    };
    let options = Options {
        replace: scope.replace.iter().map(|text| Address::from(text.as_str())).collect(),
        target: globs(&scope.target),
        exclude: globs(&scope.exclude),
        dead: scope.dead.iter().cloned().collect(),
        abandon: BTreeSet::new(),
        destroy,
    };
    for machine in &scope.dead {
        check_dead(machine, desired, state)?;
    }
    let replaced: Vec<Glob> = scope.replace.iter().map(Glob::new).collect();
    for glob in options.target.iter().chain(&options.exclude).chain(&replaced) {
        if !known(glob) {
            let message = format!("no resource has the address {}", glob.as_str());
            return Err(CliError::new(
                message,
                "`boma plan --offline --full SPEC` lists all addresses; `*` stays within one segment, `**` does not",
            ));
        }
    }
    Ok(options)
}

/// Only an agent that left the spec is removed unseen: nothing else could be made good again.
fn check_dead(machine: &str, desired: &Desired, state: &State) -> Result<(), CliError> {
    let agent = Address::of("k3s/agent", machine);
    let vm = Address::of("vsphere/vm", machine);
    let help = if desired.resources.contains_key(&agent) {
        format!("take it out of the spec first; to have it made anew, use --replace {vm}")
    } else if state.resources.contains_key(&agent) {
        return Ok(());
    } else {
        "name an agent of the state that is not in the spec: `boma state list` shows k3s/agent/NAME"
            .to_owned()
    };
    Err(CliError::new(format!("--dead {machine}: this is no agent that left the spec"), help))
}

/// The day on which rules are checked.
pub fn today() -> jiff::civil::Date {
    jiff::Zoned::now().date()
}

/// Everything a plan is made from, but the world.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The spec.
    pub loaded: &'a Loaded,
    /// Which world.
    pub home: &'a Home,
    /// Prior.
    pub state: &'a State,
    /// Desired.
    pub desired: &'a Desired,
    /// The user's wishes.
    pub options: &'a Options,
}

impl Request<'_> {
    /// Plans on what was read.
    ///
    /// # Errors
    /// Resources need each other in a circle; a secret is missing.
    pub fn review(&self, refreshed: &Refreshed, offline: bool) -> Result<Review, CliError> {
        let desired = self.retained(refreshed);
        let request = Request { desired: &desired, ..*self };
        request.review_desired(refreshed, offline, &request.secrets(offline)?)
    }

    /// Plans on what was read, once machines that are to join the cluster have asked whether they
    /// can, and the cluster whether it takes changes of what is not boma's own to know. Gives back
    /// what was read with the machines' answers.
    ///
    /// # Errors
    /// Resources need each other in a circle.
    pub async fn review_of(
        &self,
        world: &World,
        refreshed: Refreshed,
        secrets: &Secrets,
    ) -> Result<(Review, Refreshed), CliError> {
        let desired = self.retained(&refreshed);
        let request = Request { desired: &desired, ..*self };
        let refreshed = preflight::ask(world, &request, secrets, refreshed).await;
        let mut review = request.review_desired(&refreshed, false, secrets)?;
        review.findings.extend(admission::refusals(&review, secrets, world).await);
        Ok((review, refreshed))
    }

    fn retained(&self, refreshed: &Refreshed) -> Desired {
        let recorded = |address: &Address| self.state.resources.contains_key(address);
        retain(&self.loaded.spec, self.desired.clone(), &refreshed.live, &recorded)
    }

    fn review_desired(
        &self,
        refreshed: &Refreshed,
        offline: bool,
        secrets: &Secrets,
    ) -> Result<Review, CliError> {
        let sealed = secrets.sealed(&Sealer::new(&self.state.digest_key));
        let plan = plan(
            self.desired,
            self.state,
            &refreshed.live,
            &sealed,
            self.basis(offline),
            self.options,
        )
        .map_err(|cycle| {
            CliError::new(
                format!("resources need each other in a circle: {cycle}"),
                "this is a defect of boma: please report it",
            )
        })?;
        let findings = self.findings(&plan, refreshed);
        Ok(Review { plan, findings, read: refreshed.stats })
    }

    /// The secrets that it is made with; none offline.
    ///
    /// # Errors
    /// One cannot be had.
    pub fn secrets(&self, offline: bool) -> Result<Secrets, CliError> {
        Ok(match (offline, self.home.lab) {
            (true, _) => Secrets::default(),
            (_, true) => Secrets::of_lab(self.desired, &self.loaded.spec.name),
            (_, false) => Secrets::of(self.desired, self.loaded)?,
        })
    }

    fn findings(&self, plan: &Plan, refreshed: &Refreshed) -> Vec<crate::diag::Finding> {
        rules::run(&rules::Facts {
            spec: &self.loaded.spec,
            lock: Some(&self.loaded.standing),
            desired: self.desired,
            prior: Some(self.state),
            live: Some(&refreshed.live),
            plan: Some(plan),
            today: today(),
        })
    }

    fn basis(&self, offline: bool) -> Basis {
        Basis {
            name: self.loaded.spec.name.value.clone(),
            spec: self.loaded.file.clone(),
            spec_digest: self.loaded.digest.to_string(),
            lineage: self.state.lineage.clone(),
            serial: self.state.serial,
            lab: self.home.lab,
            offline,
            destroy: self.options.destroy,
        }
    }
}
