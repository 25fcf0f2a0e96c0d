//! What the cluster's own checks say of a plan: quotas, policies, validation.

use super::secrets::Secrets;
use super::world::World;
use crate::diag::{Finding, Level};
use crate::plan::{Action, Change, Review, to_write};
use crate::provider::kubernetes::Trial;
use crate::resource::{Endpoint, Lifecycle, references, resolve};

/// The name that findings of the server have. They refuse the plan: the apply would fail there.
const RULE: &str = "admission";

/// Has the cluster check everything that a plan would write; nothing is changed. What needs values
/// that are not known yet, and what is made anew, is not tried.
///
/// What the server says may quote what it was sent; no secret of it is passed on.
pub async fn objections(review: &Review, secrets: &Secrets, world: &World) -> Vec<Finding> {
    let Some(kubernetes) = &world.kubernetes else { return Vec::new() };
    let changes = review.plan.changes.iter();
    let trials = changes.filter_map(|change| trial(change, secrets)).collect();
    let verdicts = kubernetes.server_dry_run(trials).await;
    let findings = verdicts.into_iter().filter_map(|(address, verdict)| {
        let objection = verdict.err()?;
        let change = review.plan.changes.iter().find(|change| change.address == address);
        Some(Finding {
            rule: RULE,
            level: Level::Deny,
            message: format!(
                "the cluster would refuse it: {}",
                secrets.struck_out(&objection.message)
            ),
            help: objection.help,
            place: change.and_then(|change| change.origin.clone()),
            address: Some(address),
            waived: None,
        })
    });
    findings.collect()
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
