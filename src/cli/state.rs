//! `boma state`

use super::args::{Format, StateCommand, StateListArgs, StateMoveArgs, StateShowArgs, Target};
use super::error::{CliError, Exit};
use super::home;
use super::load::load;
use super::output::{Terminal, print, print_json, say};
use crate::render::json::{Recorded, StateItemJson, StateListJson, state_show_json};
use crate::resource::{Address, Kind};
use crate::spec::Spec;
use crate::state::{Entry, Lock, Record, State, Store, load as load_state};

/// Runs one of the state commands.
pub fn run(command: &StateCommand, terminal: Terminal) -> Result<Exit, CliError> {
    match command {
        StateCommand::List(args) => list(args, terminal),
        StateCommand::Show(args) => show(args, terminal),
        StateCommand::Rm(args) => remove(args, terminal),
        StateCommand::Mv(args) => rename(args, terminal),
        StateCommand::Unlock(target) => unlock(target, terminal),
    }
}

fn list(args: &StateListArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let (spec, state) = read(&args.target, terminal)?;
    let items = state.resources.iter().map(|(address, record)| StateItemJson {
        address: address.to_string(),
        kind: record.kind.name,
        id: record.id.clone(),
    });
    match args.output.format {
        Format::Json => print_json(&StateListJson {
            name: spec.name.value.clone(),
            lineage: state.lineage.clone(),
            serial: state.serial,
            resources: items.collect(),
        })?,
        Format::Text => {
            print(&items.map(|item| format!("{}\n", item.address)).collect::<String>())?
        }
    }
    Ok(Exit::Done)
}

fn show(args: &StateShowArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let (_, state) = read(&args.target, terminal)?;
    let address = Address::from(args.address.as_str());
    let record = state.resources.get(&address).ok_or_else(|| unknown(&address))?;
    let shown = state_show_json(&Recorded {
        address: &address,
        kind: record.kind,
        endpoint: &record.endpoint,
        id: &record.id,
        attributes: &record.attributes,
        outputs: &record.outputs,
        edges: &record.edges,
        protected: record.protected,
    });
    match args.output.format {
        Format::Json => print_json(&shown)?,
        Format::Text => {
            let mut text = format!(
                "{address}\n  kind: {}\n  endpoint: {}\n  id: {}\n",
                shown.kind, shown.endpoint, shown.id
            );
            for tree in [&shown.attributes, &shown.outputs] {
                for (key, value) in tree.as_object().into_iter().flatten() {
                    text += &format!("  {key}: {}\n", crate::render::clean(&value.to_string()));
                }
            }
            print(&text)?;
        }
    }
    Ok(Exit::Done)
}

fn remove(args: &StateShowArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let address = Address::from(args.address.as_str());
    let mut store = open(&args.target, terminal)?;
    if !store.state().addresses().any(|known| *known == address) {
        return Err(unknown(&address));
    }
    store.append(Entry::Remove { address: address.clone() })?;
    store.close()?;
    say(&format!("{address} is forgotten; the object itself is left alone"));
    Ok(Exit::Done)
}

fn rename(args: &StateMoveArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let (from, to) = (Address::from(args.from.as_str()), Address::from(args.to.as_str()));
    let mut store = open(&args.target, terminal)?;
    let record: &Record = store.state().resources.get(&from).ok_or_else(|| unknown(&from))?;
    check_move(&to, record.kind, store.state())?;
    store.append(Entry::Move { from: from.clone(), to: to.clone() })?;
    store.close()?;
    say(&format!("{from} is now {to}"));
    Ok(Exit::Done)
}

fn check_move(to: &Address, kind: Kind, state: &State) -> Result<(), CliError> {
    if state.addresses().any(|known| known == to) {
        return Err(CliError::new(
            format!("{to} is recorded already"),
            "`boma state rm` it first, or name another address",
        ));
    }
    if !to.as_str().starts_with(&format!("{}/", kind.name)) {
        return Err(CliError::new(
            format!("{to} is no address of a {}", kind.name),
            format!("name one that begins with {}/", kind.name),
        ));
    }
    Ok(())
}

fn unlock(target: &Target, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&target.spec, terminal)?;
    match Lock::clear(&home::state_dir(&target.home, &loaded.spec))? {
        Some(owner) => say(&format!("cleared the note of {owner}; nobody held the lock")),
        None => say("nobody held the lock, and there was no note"),
    }
    Ok(Exit::Done)
}

fn read(target: &Target, terminal: Terminal) -> Result<(Spec, State), CliError> {
    let loaded = load(&target.spec, terminal)?;
    let dir = home::state_dir(&target.home, &loaded.spec);
    let state = load_state(&dir)?.ok_or_else(|| none(&dir))?;
    Ok((loaded.spec, state))
}

fn open(target: &Target, terminal: Terminal) -> Result<Store, CliError> {
    let loaded = load(&target.spec, terminal)?;
    let dir = home::state_dir(&target.home, &loaded.spec);
    let state = load_state(&dir)?.ok_or_else(|| none(&dir))?;
    Ok(Store::open(&dir, || state, home::owner())?)
}

fn none(dir: &std::path::Path) -> CliError {
    CliError::new(
        format!("there is no state in {}", dir.display()),
        "apply the spec first, or name the state's folder with --state (the lab's with --lab)",
    )
}

fn unknown(address: &Address) -> CliError {
    CliError::new(format!("the state has no {address}"), "`boma state list` shows what it has")
}
