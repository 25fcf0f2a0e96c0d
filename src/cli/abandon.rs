//! Projects that are given up with their data: what stands of them, and the plan to remove it.

use std::collections::BTreeSet;

use super::error::{CliError, Exit, chain};
use super::plan::Request;
use super::refresh::{self, Refreshed};
use super::world::World;
use crate::lower::kubernetes::observed::all;
use crate::plan::{
    Desired, Disk, Live, NotGivenUp, Observed, Review, VOLUMES, give_up, namespaces,
};
use crate::provider::Wanted;
use crate::resource::{Kind, Locator};

/// Where all namespaces are read, whoever made them.
const NAMESPACES: &str = "Namespace";

/// Takes names as they were given.
///
/// # Errors
/// One is a pattern or no name at all.
pub fn names(given: &[String]) -> Result<BTreeSet<String>, CliError> {
    let is_name = |text: &str| {
        let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        !text.is_empty() && text.chars().all(letters)
    };
    match given.iter().find(|text| !is_name(text)) {
        Some(text) => Err(CliError::new(
            format!("--abandon-data {text}: this is no name of a project"),
            "name each project whose data shall go, one by one: --abandon-data county-07; nothing \
             was changed",
        )),
        None => Ok(given.iter().cloned().collect()),
    }
}

/// Reads the world and plans the end of projects, data included, and of nothing else. Their disks
/// come with it.
///
/// # Errors
/// Nothing stands of a project, or something that is not to be deleted stands in its namespace.
pub async fn review(
    request: &Request<'_>,
    world: &World,
    projects: &BTreeSet<String>,
) -> Result<(Review, Vec<Disk>), CliError> {
    let way_in = request.desired.observed.iter().filter(|one| one.kind != Kind::site());
    let spaces = all(NAMESPACES, ("Namespace", "namespaces"), None);
    let observed = way_in.cloned().chain([spaces]).collect();
    let desired = Desired { observed, ..request.desired.clone() };
    let Refreshed { mut live, stats } = refresh::live(world, &desired, request.state).await?;
    let mut found: Live = [NAMESPACES, VOLUMES].iter().flat_map(|at| below(&live, at)).collect();
    let spaces = namespaces(request.state, &found);
    let of_projects = spaces.iter().filter(|(project, _)| projects.contains(*project));
    let asked = of_projects.flat_map(|(_, names)| names).flat_map(|name| {
        let kinds = [("PersistentVolumeClaim", "persistentvolumeclaims"), ("Secret", "secrets")];
        kinds.map(|kind| all(&format!("{name}/{}", kind.0), kind, Some(name)))
    });
    found.extend(refresh::more(world, request.state, asked.map(wanted).collect()).await);
    let given_up = give_up(projects, request.state, &found).map_err(refused)?;
    live.extend(given_up.live);
    let request = Request { state: &given_up.prior, options: &given_up.options, ..*request };
    let review = request.review(&Refreshed { live, stats }, false)?;
    Ok((review, given_up.disks))
}

fn wanted(observed: Observed) -> Wanted {
    let locator = Locator { place: observed.place, ..Locator::default() };
    Wanted { address: observed.address, kind: observed.kind, locator }
}

fn below(live: &Live, at: &str) -> Live {
    let prefix = format!("{at}/");
    let covered = live
        .iter()
        .filter(|(address, _)| address.as_str() == at || address.as_str().starts_with(&prefix));
    covered.map(|(address, reading)| (address.clone(), reading.clone())).collect()
}

fn refused(why: NotGivenUp) -> CliError {
    let exit = match why {
        NotGivenUp::Unread { .. } => Exit::Error,
        _ => Exit::Refused,
    };
    CliError::new(chain(&why), "nothing was changed").exit(exit)
}
