//! `boma import`

mod search;

use super::args::{Format, Home, ImportArgs};
use super::error::{CliError, Exit};
use super::load::{Loaded, load};
use super::output::{Terminal, print, print_json};
use super::plan::Request;
use super::world::{self, World};
use super::{home, refresh, sources};
use crate::apply::record;
use crate::lower::lower_with;
use crate::plan::{Action, BlockCause, Change, Desired, Options, Plan};
use crate::render::import_text;
use crate::render::json::import_json;
use crate::resource::{Address, Endpoint, Object, Reading, Resource};
use crate::state::{Entry, State, Store};
use search::Search;

/// Records an object that stands already. It is read, and never changed.
pub fn run(args: &ImportArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let mut loaded = load(&args.target.spec, terminal)?;
    let dir = home::state_dir(&args.target.home, &loaded.spec);
    sources::complete(&mut loaded, &dir, !args.target.home.lab)?;
    let mut desired = lower_with(&loaded.spec, &loaded.sources);
    let address = Address::from(args.address.as_str());
    let wanted = desired.resources.get_mut(&address).ok_or_else(|| not_in_spec(&address))?;
    // The command is the permission that an `adopt` key would be.
    wanted.adopt = true;
    let resource = wanted.clone();
    let search = Search::of(&resource, &args.id)?;
    let fresh = world::new_state()?;
    let mut store = Store::open(&dir, || fresh, home::owner())?;
    let import = Import {
        loaded: &loaded,
        home: &args.target.home,
        desired: &desired,
        resource: &resource,
        state: store.state(),
    };
    import.check_unrecorded()?;
    let found = world::with_reader(&loaded, &args.target.home, async |world| {
        import.find(world, &search).await
    })?;
    keep(&found, &mut store)?;
    store.close()?;
    let id = &found.object.id;
    match args.output.format {
        Format::Json => print_json(&import_json(&found.change, id))?,
        Format::Text => print(&import_text(&found.change, id, &terminal.text(&args.output)))?,
    }
    Ok(Exit::Done)
}

/// What an import works with.
struct Import<'a> {
    loaded: &'a Loaded,
    home: &'a Home,
    desired: &'a Desired,
    resource: &'a Resource,
    state: &'a State,
}

/// What is recorded.
struct Found {
    change: Change,
    object: Object,
    /// The vCenter's instance UUID.
    identity: String,
}

impl Import<'_> {
    fn check_unrecorded(&self) -> Result<(), CliError> {
        let address = &self.resource.address;
        if let Some(record) = self.state.resources.get(address) {
            return Err(refused(
                format!("{address} is recorded already, as {}", record.id),
                "`boma state rm` forgets that, where it is wrong",
            ));
        }
        if self.state.open.contains_key(address) {
            return Err(refused(
                format!("an interrupted apply was at work on {address}"),
                "apply again: it goes on from there",
            ));
        }
        Ok(())
    }

    /// Reads the object, and plans as if the spec let boma take it over.
    async fn find(&self, world: &World, search: &Search) -> Result<Found, CliError> {
        let mut refreshed = refresh::live(world, self.desired, self.state).await?;
        let locator = search.locator(self.resource);
        let reading = refresh::one(world, self.resource, locator, self.state).await;
        let object = search.check(self.resource, reading)?;
        self.check_free(&object)?;
        let address = &self.resource.address;
        refreshed.live.insert(address.clone(), Reading::Present(object.clone()));
        let options = Options::default();
        let request = Request {
            loaded: self.loaded,
            home: self.home,
            state: self.state,
            desired: self.desired,
            options: &options,
        };
        let plan = request.review(&refreshed, false)?.plan;
        self.check_lineage(&plan)?;
        let change = change(address, plan)?;
        let identity = world.vcenter.instance_uuid().await?;
        Ok(Found { change, object, identity })
    }

    /// An object is one resource's.
    fn check_free(&self, object: &Object) -> Result<(), CliError> {
        let kind = self.resource.kind;
        let same = |id: &str| id.to_lowercase() == object.id.to_lowercase();
        let mut records = self.state.resources.iter();
        let recorded = records.find(|(_, record)| record.kind == kind && same(&record.id));
        let marked = object.mark.as_ref().filter(|mark| {
            mark.lineage == self.state.lineage && mark.address != self.resource.address
        });
        let owner = recorded.map(|(owner, _)| owner).or(marked.map(|mark| &mark.address));
        match owner {
            None => Ok(()),
            Some(owner) => Err(refused(
                format!("{} is {owner} already", object.id),
                "`boma state mv` gives a record another address",
            )),
        }
    }

    /// A state that was lost is recovered as a whole, from the marks; a state that knows one
    /// thing no longer looks lost.
    fn check_lineage(&self, plan: &Plan) -> Result<(), CliError> {
        let lineage = &plan.basis.lineage;
        if *lineage == self.state.lineage {
            return Ok(());
        }
        Err(refused(
            format!("the state is empty, and objects of this spec bear boma's marks ({lineage})"),
            "bring the state back, or `boma apply`: it takes over all that bears the marks; import \
             what is left afterwards",
        ))
    }
}

/// What the plan does with the resource.
fn change(address: &Address, plan: Plan) -> Result<Change, CliError> {
    let planned = plan.changes.into_iter().find(|change| change.address == *address);
    if let Some(change) = planned {
        // A container that is not there has nothing in it, whatever was read.
        return match change.action {
            Action::Create => Err(refused(
                format!("what {address} lives in is not there yet"),
                "import or apply that first: `boma plan` shows it",
            )),
            _ => Ok(change),
        };
    }
    let blocked = plan.blocked.into_iter().find(|blocked| blocked.address == *address);
    Err(match blocked.map(|blocked| blocked.cause) {
        Some(BlockCause::Refused { message, help }) => refused(
            format!("what stands can never be {address}: {message}"),
            &format!("write into the spec what stands, and import again ({help})"),
        ),
        Some(BlockCause::Dependency(needed)) => refused(
            format!("{address} needs {needed}, which is not boma's or could not be read"),
            &format!("import {needed} first; `boma plan` says what is the matter with it"),
        ),
        Some(BlockCause::Unread(reason)) => CliError::new(
            format!("{address} could not be read: {reason}"),
            "nothing was recorded; try again when that is mended",
        ),
        None => CliError::new(
            format!("nothing was planned for {address}"),
            "this is a defect of boma: please report it",
        ),
    })
}

fn keep(found: &Found, store: &mut Store) -> Result<(), CliError> {
    let endpoint = Endpoint::vcenter().to_string();
    if !store.state().identities.contains_key(&endpoint) {
        store.append(Entry::Identity { endpoint, identity: found.identity.clone() })?;
    }
    let change = &found.change;
    let record = record(change, &change.desired.tree(), &found.object);
    Ok(store.append(Entry::Put { address: change.address.clone(), record })?)
}

fn refused(message: String, help: &str) -> CliError {
    CliError::new(message, format!("{help}; nothing was recorded")).exit(Exit::Refused)
}

fn not_in_spec(address: &Address) -> CliError {
    refused(
        format!("the spec has no resource {address}"),
        "write it into the spec first; `boma graph --format json SPEC` lists all addresses",
    )
}
