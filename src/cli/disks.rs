//! Disks with data that stay when what knew of them goes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::{CliError, Exit};
use super::whole::{self, Readers};
use crate::plan::{Action, Disk, Live, Plan, VOLUMES};
use crate::render::clean;
use crate::render::json::DiskJson;
use crate::resource::{Address, Lifecycle, Reading};
use crate::state::State;

/// How many projects are named in a message.
const NAMED: usize = 5;

/// The disks of all volumes that a claim of the cluster has.
///
/// # Errors
/// Nobody could look at the volumes, and the plan takes the servers away: with them goes what tells
/// whose a disk is.
pub fn all(plan: &Plan, live: &Live, state: &State) -> Result<Vec<Disk>, CliError> {
    let reading = live.get(&Address::from(VOLUMES));
    if let (Some(Reading::Unread(reason)), true) = (reading, ends_cluster(plan)) {
        let message =
            format!("which volumes hold data is not known, and the servers would go: {reason}");
        let help = "bring a server of the cluster up that answers, then run the command again; \
                    nothing was changed";
        return Err(CliError::new(message, help));
    }
    let spaces = crate::plan::namespaces(state, &Live::new());
    let projects: BTreeMap<&str, &str> = spaces
        .iter()
        .flat_map(|(project, names)| names.iter().map(|name| (name.as_str(), project.as_str())))
        .collect();
    let prefix = format!("{VOLUMES}/");
    let volumes = live.iter().filter(|(address, _)| address.as_str().starts_with(&prefix));
    let mut disks: Vec<Disk> = volumes
        .filter_map(|(address, reading)| {
            let volume = reading.object()?.attributes.tree();
            let namespace = volume["spec"]["claimRef"]["namespace"].as_str()?;
            Disk::of(address, &volume, projects.get(namespace).copied())
        })
        .collect();
    disks.sort();
    Ok(disks)
}

/// Refuses to delete the servers, and with them all that tells whose a disk is, while there are
/// disks with data.
///
/// # Errors
/// There are some.
pub fn refuse(plan: &Plan, disks: &[Disk]) -> Result<(), CliError> {
    if disks.is_empty() || !ends_cluster(plan) {
        return Ok(());
    }
    let (projects, count) = (projects(disks), disks.len());
    let message = format!(
        "{count} volumes hold data of {projects}; with its servers the cluster forgets whose they are"
    );
    let help = "to delete a project's data, name it: `boma destroy SPEC --abandon-data PROJECT`; to \
                remove the cluster and keep the disks on the datastore, add --keep-disks; nothing \
                was changed";
    Err(CliError::new(message, help).exit(Exit::Refused))
}

/// Whether a plan takes the servers away, and with them whatever the cluster knows.
pub fn ends_cluster(plan: &Plan) -> bool {
    let mut deleted = plan.changes.iter().filter(|change| change.action == Action::Delete);
    deleted.any(|change| change.kind.lifecycle == Lifecycle::Server)
}

fn projects(disks: &[Disk]) -> String {
    let mut names: Vec<&str> = disks.iter().map(|disk| disk.project.as_str()).collect();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    let named = names.iter().take(NAMED).map(|name| clean(name)).collect::<Vec<_>>().join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

/// Writes down whose each disk was, where nobody will remember. Gives the file.
///
/// # Errors
/// It cannot be written.
pub fn remember(dir: &Path, serial: u64, disks: &[Disk]) -> Result<PathBuf, CliError> {
    let path = dir.join(format!("disks-{serial}.json"));
    let list: Vec<DiskJson> = disks.iter().map(DiskJson::from).collect();
    let text = serde_json::to_string_pretty(&list).unwrap_or_default() + "\n";
    whole::replace(&path, Readers::Owner, text.as_bytes()).map_err(|error| {
        CliError::new(
            format!("failed to write down whose each disk is to {}: {error}", path.display()),
            "make room or mend the folder; nothing was changed",
        )
    })?;
    Ok(path)
}

/// What stays in vCenter, in words: a line for each disk. Empty where nothing does.
pub fn left(disks: &[Disk], list: Option<&Path>) -> String {
    if disks.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\nLeft on the datastore, with their data: {} disks. vCenter shows them in the cluster's \
         Monitor > Cloud Native Storage > Container Volumes, until somebody deletes them there.\n",
        disks.len()
    );
    for disk in disks {
        let id = disk.id.as_deref().unwrap_or("no id");
        let line = format!("  {}/{}  {}  {id}", disk.project, disk.claim, disk.size);
        text += &format!("{}\n", clean(&line));
    }
    if let Some(list) = list {
        text += &format!(
            "The same list is in {}. An apply of this spec makes new, empty volumes.\n",
            list.display()
        );
    }
    text
}
