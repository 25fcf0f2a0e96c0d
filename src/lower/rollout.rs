//! `[projects.rollout]`: how changes of many projects are spread.

use crate::plan::Spread;
use crate::resource::Address;
use crate::spec::{Sp, Spec};

/// The Deployment that answers a county's users. It is the last of those that they need to be
/// made, so that a project whose creation was interrupted before it has no users yet.
const SERVING: &str = "Deployment/cht-api";

/// The spec's wish.
pub fn spread(spec: &Spec) -> Spread {
    let rollout = &spec.project_settings.rollout;
    let number = |number: &Sp<u32>| usize::try_from(number.value).unwrap_or(usize::MAX);
    let shown_by = |name: &str| Address::from(format!("project/{name}/{SERVING}"));
    Spread {
        canary: rollout.canary.iter().map(|name| name.value.clone()).collect(),
        wave: number(&rollout.wave),
        failures_max: number(&rollout.failures_max),
        projects: spec
            .projects
            .iter()
            .map(|project| (project.name.value.clone(), shown_by(&project.name)))
            .collect(),
    }
}
