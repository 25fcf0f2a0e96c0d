//! `couchdb-nodes`: a database's shards stay on the nodes that were there when it was made, with
//! one copy of each (`q=12 n=1`): a node that goes takes its shards along, one that comes stays
//! empty (medic/cht-docs, `hosting/cht/migration/migration-to-4x-docker.md`).

use std::collections::BTreeMap;

use super::projects::{COPY, Claim, alike, claim_names, claims};
use super::words::{count, names};
use super::{Facts, Problem, Rule, cluster};
use crate::spec::Project;

/// See the file's head.
pub const RULE: Rule = Rule::deny("couchdb-nodes", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let (claims, counts) = (claims(facts), counts(facts));
    let changed = facts.spec.projects.iter().filter_map(|project| {
        let stand = claims.get(project.name.as_str())?;
        let nodes = nodes(facts, project, stand, &counts)?;
        Some(((&project.couchdb.nodes.place, nodes, project.couchdb.nodes.value), project))
    });
    for ((place, have, wanted), projects) in alike(changed) {
        let have_nodes = count(u64::from(have), "CouchDB node");
        let message = format!(
            "the data of {} is on {have_nodes}, and the spec asks for {wanted}",
            names(&projects)
        );
        let help = format!("set `couchdb.nodes` to {have}; to change it, {COPY}");
        report.push(Problem::at(place, message, help));
    }
}

/// How many nodes a project has, where that is not as many as it shall have. Fewer claims than
/// asked for are no sign where boma has recorded them: an interrupted apply leaves that, too.
fn nodes(
    facts: &Facts<'_>,
    project: &Project,
    stand: &[Claim<'_>],
    counts: &BTreeMap<&str, u32>,
) -> Option<u32> {
    let wanted = claim_names(project);
    let foreign = stand.iter().any(|claim| wanted.iter().all(|name| name != claim.address.name()));
    let fewer = stand.len() < wanted.len();
    let have = u32::try_from(stand.len()).unwrap_or(u32::MAX);
    if let Some(count) = counts.get(project.name.as_str())
        && *count != project.couchdb.nodes.value
    {
        return Some(*count);
    }
    let recorded = |claim: &Claim<'_>| {
        facts.prior.is_some_and(|prior| prior.addresses().any(|address| address == claim.address))
    };
    let kept = fewer && !stand.iter().any(recorded) && !counts.contains_key(project.name.as_str());
    (foreign || kept).then_some(have)
}

/// How many nodes each project's CouchDB was told of when it was made.
fn counts<'a>(facts: &Facts<'a>) -> BTreeMap<&'a str, u32> {
    let mut counts = BTreeMap::new();
    for (address, workload) in cluster::live(facts, "Deployment") {
        let couchdb = address.name() == "cht-couchdb" || address.name().starts_with("cht-couchdb-");
        let Some(project) = address.project().filter(|_| couchdb) else { continue };
        let told = cluster::containers(&workload)
            .flat_map(|container| container["env"].as_array().into_iter().flatten())
            .find(|variable| variable["name"] == "NODE_COUNT")
            .and_then(|variable| variable["value"].as_str()?.parse().ok());
        counts.insert(project, told.unwrap_or(1));
    }
    counts
}
