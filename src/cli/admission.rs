//! What the cluster's own checks say of a plan: quotas, policies, validation.

use std::collections::BTreeSet;

use super::secrets::Secrets;
use super::world::World;
use crate::diag::{Finding, Level};
use crate::plan::{Action, Change, Review, to_write};
use crate::provider::kubernetes::{Objection, Trial};
use crate::resource::{Address, Endpoint, Kind, Lifecycle, references, resolve};

/// The name that findings of the server have. They refuse the plan: the apply would fail there.
const RULE: &str = "admission";

/// Has the cluster check everything that a plan would write; nothing is changed. What needs values
/// that are not known yet, and what is made anew, is not tried, nor what was tried already.
///
/// What the server says may quote what it was sent; no secret of it is passed on.
pub async fn objections(review: &Review, secrets: &Secrets, world: &World) -> Vec<Finding> {
    let is_told = |change: &Change| {
        let mut told = review.findings.iter().filter(|finding| finding.rule == RULE);
        told.any(|finding| finding.address.as_ref() == Some(&change.address))
    };
    let objections = ask(review, secrets, world, &|change| !is_told(change)).await;
    objections.into_iter().map(|one| one.finding()).collect()
}

/// Has the cluster check changes of standing objects of kinds that only come in somebody's own
/// manifest: which of their fields may change at all depends on definitions that boma does not know,
/// and on the cluster's release. Asks nothing where there are none, nor of what is defined anew in the
/// same plan.
pub async fn refusals(review: &Review, secrets: &Secrets, world: &World) -> Vec<Finding> {
    let changes = review.plan.changes.iter().filter(|change| change.action != Action::NoOp);
    let defines = |change: &&Change| change.kind == Kind::definition();
    let defined: BTreeSet<&Address> =
        changes.filter(defines).map(|change| &change.address).collect();
    let is_foreign = |change: &Change| {
        let is_known_anew = change.edges.iter().any(|edge| defined.contains(&edge.to));
        change.kind.is_foreign() && change.live.is_some() && !is_known_anew
    };
    let objections = ask(review, secrets, world, &is_foreign).await;
    let lasting = objections.into_iter().filter(|one| one.objection.is_lasting);
    lasting.map(|one| one.or_made_anew().finding()).collect()
}

/// What the cluster says of one change.
struct Said<'a> {
    change: &'a Change,
    objection: Objection,
}

impl Said<'_> {
    /// Names the other way out of a field that does not change.
    fn or_made_anew(mut self) -> Self {
        self.objection.help = format!(
            "take back the edit; or have the object deleted and made anew, with --replace {}",
            self.change.address
        );
        self
    }

    fn finding(self) -> Finding {
        Finding {
            rule: RULE,
            level: Level::Deny,
            message: format!("the cluster would refuse it: {}", self.objection.message),
            help: self.objection.help,
            place: self.change.origin.clone(),
            address: Some(self.change.address.clone()),
            waived: None,
        }
    }
}

async fn ask<'a>(
    review: &'a Review,
    secrets: &Secrets,
    world: &World,
    is_meant: &dyn Fn(&Change) -> bool,
) -> Vec<Said<'a>> {
    let Some(kubernetes) = &world.kubernetes else { return Vec::new() };
    let changes = review.plan.changes.iter().filter(|change| is_meant(change));
    let trials: Vec<Trial> = changes.filter_map(|change| trial(change, secrets)).collect();
    let verdicts = kubernetes.server_dry_run(trials).await;
    let said = verdicts.into_iter().filter_map(|(address, verdict)| {
        let mut objection = verdict.err()?;
        objection.message = secrets.struck_out(&objection.message);
        let change = review.plan.changes.iter().find(|change| change.address == address)?;
        Some(Said { change, objection })
    });
    said.collect()
}

fn trial(change: &Change, secrets: &Secrets) -> Option<Trial> {
    let writes = matches!(change.action, Action::Create | Action::Update | Action::Adopt);
    if !writes
        || change.endpoint != Endpoint::kubernetes()
        || change.kind.lifecycle != Lifecycle::Applied
        || change.steps.is_empty()
    {
        return None;
    }
    let desired = resolve(&change.desired.tree(), &|_| None, &|source| secrets.value(source));
    if !references(&desired).is_empty() {
        return None;
    }
    let attributes = match &change.live {
        Some(live) => to_write(change.kind, &desired, &live.tree()),
        None => desired,
    };
    Some(Trial {
        address: change.address.clone(),
        place: change.locator.place.clone(),
        attributes,
        mark: change.locator.mark.clone(),
        fields: change.attributes.iter().map(|one| one.path.clone()).collect(),
    })
}
