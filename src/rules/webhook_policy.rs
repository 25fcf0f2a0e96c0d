//! `webhook-policy`: a webhook that must answer stops what it is asked about while its pods are
//! away. That of the CSI driver (`validatingwebhook.yaml`: `Fail`, one replica) then refuses every
//! change of volumes, claims and classes.

use serde_json::Value as Json;

use super::words::names;
use super::{Facts, Problem, Rule};

/// See the file's head.
pub const RULE: Rule = Rule::warn("webhook-policy", check);

const KINDS: [&str; 2] = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    for resource in facts.desired.resources.values() {
        let place = resource.place.tree();
        if !KINDS.iter().any(|kind| place["kind"] == *kind) {
            continue;
        }
        let tree = resource.attributes.tree();
        let webhooks = tree["webhooks"].as_array().map(Vec::as_slice).unwrap_or_default();
        let strict: Vec<&str> = webhooks
            .iter()
            .filter(|webhook| must_answer(webhook))
            .map(|webhook| webhook["name"].as_str().unwrap_or("a webhook without a name"))
            .collect();
        if strict.is_empty() {
            continue;
        }
        let message = format!(
            "{} must answer: what it checks cannot be changed while its pods are away",
            names(&strict)
        );
        let help = "set `failurePolicy: Ignore` in the manifest, or leave the webhook out";
        report.push(Problem::at(&resource.origin, message, help).about(&resource.address));
    }
}

/// The API's own default is `Fail`.
fn must_answer(webhook: &Json) -> bool {
    webhook["failurePolicy"] != "Ignore"
}
