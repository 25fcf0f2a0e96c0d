//! `boma inventory`

mod document;

use serde_json::{Value as Json, json};

use super::args::{Format, InventoryArgs, InventoryFormat, Output};
use super::error::{CliError, Exit};
use super::load::load;
use super::output::{Terminal, print, print_json};
use super::refresh::{self, Refreshed};
use super::{home, world};
use crate::lower::lower_with;
use crate::plan::Desired;
use crate::render::{inventory_text, nginx_text};
use crate::resource::{Attributes, Endpoint, Kind};
use crate::state::{State, load as load_state};

/// Says what stands of a spec's vCenter, and how it is named.
pub fn run(args: &InventoryArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let loaded = load(&args.target.spec, terminal)?;
    let dir = home::state_dir(&args.target.home, &loaded.spec);
    let state = match load_state(&dir)? {
        Some(state) => state,
        None => world::new_state()?,
    };
    let (desired, state) = narrow(lower_with(&loaded.spec, &loaded.sources), state);
    // Addresses and hosts are the spec's, so that the proxy can be made before the machines are.
    let alone = args.offline || args.format == InventoryFormat::Nginx;
    let (refreshed, identity) = if alone {
        let known = state.identities.get(Endpoint::vcenter().as_str()).cloned();
        (refresh::offline(&desired, &state), known)
    } else {
        world::with_reader(&loaded, &args.target.home, async |world| {
            let refreshed = refresh::live(world, &desired, &state).await?;
            // Who cannot be asked is reported by the readings.
            Ok((refreshed, world.vcenter.instance_uuid().await.ok()))
        })?
    };
    let Refreshed { live, stats } = refreshed;
    let found = document::Found { live: &live, read: stats, identity, lab: args.target.home.lab };
    let document = document::of(&loaded.spec, &found);
    match args.format {
        InventoryFormat::Json => print_json(&document)?,
        InventoryFormat::Nginx => print(&nginx_text(&document))?,
        InventoryFormat::Text => {
            let output = Output { format: Format::Text, full: false };
            print(&inventory_text(&document, &terminal.text(&output)))?;
        }
    }
    Ok(if document::has_unread(&document) { Exit::Error } else { Exit::Done })
}

/// The look at what stands already, without what only clones need and what boma may do.
fn named(place: &Json) -> Attributes {
    let shown = |one: &&Json| matches!(one["what"].as_str(), Some("cluster" | "datastore"));
    let objects = place["objects"].as_array().into_iter().flatten().filter(shown);
    let objects: Vec<&Json> = objects.collect();
    Attributes::new(&json!({ "datacenter": place["datacenter"], "objects": objects }))
}

/// Only what an inventory shows, so that nothing else is asked for.
fn narrow(mut desired: Desired, mut state: State) -> (Desired, State) {
    let shown = |kind: Kind| document::KINDS.contains(&kind.name);
    desired.observed.retain(|one| one.kind == Kind::site());
    for site in &mut desired.observed {
        site.place = named(&site.place.tree());
    }
    desired.resources.retain(|_, resource| shown(resource.kind));
    state.resources.retain(|address, _| desired.resources.contains_key(address));
    state.open.retain(|address, _| desired.resources.contains_key(address));
    (desired, state)
}
