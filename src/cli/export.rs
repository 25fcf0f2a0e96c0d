//! `boma secrets export`: the credentials that only the cluster has, for a safe place.

mod recipients;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::ser::SerializeMap;

use super::args::{SecretsCommand, SecretsExportArgs};
use super::error::{CliError, Exit};
use super::load::load;
use super::output::{Terminal, print, say};
use super::whole::{self, Readers};
use super::world::{self, World};
use super::{home, refresh};
use crate::lower::lower_with;
use crate::plan::Desired;
use crate::resource::{Kind, Reading, Resource};
use crate::state::{State, load as load_state};

/// The kinds that are read: the Secrets, and what leads to the cluster.
const KINDS: [&str; 4] = [CREDENTIALS, "vsphere/vm", "k3s/server", "kubernetes/ProjectNamespace"];

/// The kind of a project's Secret.
const CREDENTIALS: &str = "kubernetes/Credentials";

/// Runs one of the commands about secrets.
pub fn run(command: &SecretsCommand, terminal: Terminal) -> Result<Exit, CliError> {
    match command {
        SecretsCommand::Export(args) => export(args, terminal),
    }
}

/// What is written, before it is encrypted.
#[derive(Serialize)]
struct Document {
    /// The spec's name.
    name: String,
    /// By project.
    projects: BTreeMap<String, Credentials>,
}

#[derive(Serialize)]
struct Credentials {
    namespace: String,
    secret: String,
    #[serde(serialize_with = "exposed")]
    data: BTreeMap<String, SecretString>,
}

/// The one place where secrets become text: what comes of it is encrypted at once.
fn exposed<S: serde::Serializer>(
    data: &BTreeMap<String, SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(data.len()))?;
    for (key, value) in data {
        map.serialize_entry(key, value.expose_secret())?;
    }
    map.end()
}

/// Reads the Secrets of projects and writes them encrypted. Nothing is written in plain text.
fn export(args: &SecretsExportArgs, terminal: Terminal) -> Result<Exit, CliError> {
    let recipients = recipients::read(args)?;
    let loaded = load(&args.target.spec, terminal)?;
    let dir = home::state_dir(&args.target.home, &loaded.spec);
    let state = match load_state(&dir)? {
        Some(state) => state,
        None => world::new_state()?,
    };
    let (desired, state) = narrow(lower_with(&loaded.spec, &loaded.sources), state);
    let asked = asked(&desired, &args.project)?;
    let (found, missing) = world::with_reader(&loaded, &args.target.home, async |world| {
        let refreshed = refresh::live(world, &desired, &state).await?;
        let mut readings = refreshed.live.values();
        if let Some(Reading::Unread(reason)) =
            readings.find(|one| matches!(one, Reading::Unread(_)))
        {
            let help = "mend that first: nothing was written";
            return Err(CliError::new(format!("the credentials cannot be read: {reason}"), help));
        }
        read(world, &asked).await
    })?;
    if found.is_empty() {
        let message = format!("there is no Secret of {}", missing.join(", "));
        return Err(CliError::new(message, "apply the spec first: it makes them"));
    }
    let count = found.len();
    let document = Document { name: loaded.spec.name.value.clone(), projects: found };
    let armored = encrypted(&document, &recipients)?;
    match &args.out {
        Some(path) => write(path, &armored)?,
        None => print(&armored)?,
    }
    say(&format!("credentials of {count} projects, for {} recipients", recipients.len()));
    if missing.is_empty() {
        return Ok(Exit::Done);
    }
    say(&format!(
        "error: not there: {}\n  help: apply the spec, or restore them",
        missing.join(", ")
    ));
    Ok(Exit::Error)
}

/// Only what is read, so that nothing else is asked for.
fn narrow(mut desired: Desired, mut state: State) -> (Desired, State) {
    let read = |kind: Kind| KINDS.contains(&kind.name);
    desired.observed.clear();
    desired.resources.retain(|_, resource| read(resource.kind));
    state.resources.retain(|address, _| desired.resources.contains_key(address));
    state.open.retain(|address, _| desired.resources.contains_key(address));
    (desired, state)
}

/// The Secrets of the projects that were asked for; of all where none was.
fn asked<'a>(desired: &'a Desired, names: &[String]) -> Result<Vec<&'a Resource>, CliError> {
    let all = desired.resources.values().filter(|resource| resource.kind.name == CREDENTIALS);
    let all: Vec<&Resource> = all.collect();
    let of = |name: &String| all.iter().any(|one| one.address.project() == Some(name));
    if let Some(unknown) = names.iter().find(|name| !of(name)) {
        let message = format!("the spec has no project {unknown}");
        return Err(CliError::new(message, "see [projects] in the spec; nothing was written"));
    }
    let wanted = |one: &&Resource| {
        let project = one.address.project();
        names.is_empty() || names.iter().any(|name| project == Some(name))
    };
    let wanted: Vec<&Resource> = all.into_iter().filter(wanted).collect();
    if wanted.is_empty() {
        return Err(CliError::new("the spec has no projects", "see [projects] in the README"));
    }
    Ok(wanted)
}

type Found = (BTreeMap<String, Credentials>, Vec<String>);

/// The Secrets, and the names of those that are not there.
async fn read(world: &World, asked: &[&Resource]) -> Result<Found, CliError> {
    let Some(kubernetes) = &world.kubernetes else {
        return Err(CliError::new("the cluster cannot be reached", "see `boma plan`"));
    };
    let (mut found, mut missing) = (BTreeMap::new(), Vec::new());
    for resource in asked {
        let place = resource.place.tree();
        let text = |key: &str| place[key].as_str().unwrap_or_default().to_owned();
        let (namespace, secret) = (text("namespace"), text("name"));
        let project = resource.address.project().unwrap_or_default().to_owned();
        match kubernetes.secret_data(&resource.place).await? {
            Some(data) => drop(found.insert(project, Credentials { namespace, secret, data })),
            None => missing.push(format!("{} (Secret {namespace}/{secret})", resource.address)),
        }
    }
    Ok((found, missing))
}

/// The document for those who may read it, as text.
fn encrypted(
    document: &Document,
    recipients: &[age::x25519::Recipient],
) -> Result<String, CliError> {
    let failed = |error: &dyn std::fmt::Display| {
        let help = "this is a defect of boma: please report it; nothing was written";
        CliError::new(format!("the credentials cannot be encrypted: {error}"), help)
    };
    let plain =
        Zeroizing::new(serde_json::to_vec_pretty(document).map_err(|error| failed(&error))?);
    let all = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(all).map_err(|error| failed(&error))?;
    let mut text = Vec::new();
    let sealed = || -> std::io::Result<()> {
        let form = age::armor::Format::AsciiArmor;
        let armor = age::armor::ArmoredWriter::wrap_output(&mut text, form)?;
        let mut writer = encryptor.wrap_output(armor)?;
        writer.write_all(&plain)?;
        writer.finish()?.finish()?;
        Ok(())
    };
    sealed().map_err(|error| failed(&error))?;
    String::from_utf8(text).map_err(|error| failed(&error))
}

/// Writes the file whole or not at all, for its owner only.
fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let written = whole::replace(path, Readers::Owner, text.as_bytes());
    written.map_err(|error| {
        let message = format!("failed to write {}: {error}", path.display());
        CliError::new(message, "name a file that can be written")
    })
}
