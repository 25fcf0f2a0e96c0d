//! How many pods the old and the new template may have, at each step of a rollout.

use serde_json::Value as Json;

use super::json::{Stored, number, text};
use super::work::Work;
use crate::lab::kubernetes::Key;

/// The pods that a Deployment wants.
pub(super) fn replicas(deployment: &Json) -> i64 {
    number(deployment, "/spec/replicas").unwrap_or(1)
}

/// ReplicaSets and their next numbers of pods.
pub(super) fn step(
    work: &Work<'_>,
    deployment: &Json,
    new: &Stored,
    old: &[Stored],
) -> Vec<(Key, i64)> {
    if text(deployment, "/spec/strategy/type") == "Recreate" {
        return recreate(work, deployment, new, old);
    }
    let mut steps = Vec::new();
    let wanted = replicas(deployment);
    let own = spec(new);
    let all: i64 = own + old.iter().map(spec).sum::<i64>();
    if own > wanted {
        steps.push((new.0.clone(), wanted));
    } else if own < wanted {
        let room = wanted + surge_max(deployment) - all;
        let more = room.clamp(0, wanted - own);
        if more > 0 {
            steps.push((new.0.clone(), own + more));
        }
    }
    steps.extend(shrink(deployment, new, old));
    steps
}

/// Takes pods of old templates away, as far as enough others are available: first those that are
/// not available themselves.
fn shrink(deployment: &Json, new: &Stored, old: &[Stored]) -> Vec<(Key, i64)> {
    let least = replicas(deployment) - unavailable_max(deployment);
    let all: i64 = spec(new) + old.iter().map(spec).sum::<i64>();
    let own_missing = (spec(new) - available(new)).max(0);
    let mut may_go = all - least - own_missing;
    let mut left: Vec<i64> = old.iter().map(spec).collect();
    for (set, left) in old.iter().zip(&mut left) {
        let useless = (*left - available(set)).clamp(0, may_go.max(0));
        *left -= useless;
        may_go -= useless;
    }
    let there: i64 = available(new) + old.iter().map(available).sum::<i64>();
    let mut may_go = (there - least).min(may_go).max(0);
    for left in &mut left {
        let gone = (*left).min(may_go);
        *left -= gone;
        may_go -= gone;
    }
    let changed = old.iter().zip(left).filter(|(set, left)| spec(set) != *left);
    changed.map(|(set, left)| (set.0.clone(), left)).collect()
}

fn recreate(work: &Work<'_>, deployment: &Json, new: &Stored, old: &[Stored]) -> Vec<(Key, i64)> {
    let standing = old.iter().filter(|set| spec(set) > 0);
    let standing: Vec<(Key, i64)> = standing.map(|set| (set.0.clone(), 0)).collect();
    let is_there = |(_, pod): &Stored| {
        let owner = super::json::owner(pod);
        old.iter().any(|(_, set)| owner == Some(super::json::uid(set)))
    };
    if !standing.is_empty() || work.due_pods().iter().any(is_there) {
        return standing;
    }
    let wanted = replicas(deployment);
    (spec(new) != wanted).then(|| (new.0.clone(), wanted)).into_iter().collect()
}

/// How many pods may be missing during a rollout.
pub(super) fn unavailable_max(deployment: &Json) -> i64 {
    if text(deployment, "/spec/strategy/type") == "Recreate" {
        return 0;
    }
    let wanted = replicas(deployment);
    let most =
        share(deployment.pointer("/spec/strategy/rollingUpdate/maxUnavailable"), wanted, false);
    // Both at nothing would be a rollout that cannot begin.
    if most == 0 && surge_max(deployment) == 0 { 1 } else { most.min(wanted) }
}

fn surge_max(deployment: &Json) -> i64 {
    let surge = deployment.pointer("/spec/strategy/rollingUpdate/maxSurge");
    share(surge, replicas(deployment), true)
}

/// A number, or a share of pods; a quarter where nothing is said.
pub(super) fn share(value: Option<&Json>, of: i64, up: bool) -> i64 {
    let percent = match value {
        Some(Json::Number(number)) => return number.as_i64().unwrap_or_default(),
        Some(Json::String(text)) => text.trim_end_matches('%').parse().unwrap_or(25),
        _ => 25,
    };
    let parts = of.saturating_mul(percent);
    if up { (parts + 99) / 100 } else { parts / 100 }
}

fn spec((_, set): &Stored) -> i64 {
    number(set, "/spec/replicas").unwrap_or_default()
}

fn available((_, set): &Stored) -> i64 {
    number(set, "/status/availableReplicas").unwrap_or_default()
}
