//! Faults on request, and how often each call came.

use std::collections::BTreeMap;

use super::refusal::Refusal;
use super::request::{Request, Target};
use crate::lab::{FaultRule, StagedFault, StatusWrite};

/// What methods of staged faults and counts begin with.
pub(in crate::lab) const PREFIX: &str = "Kubernetes:";

/// What does not outlive the process.
#[derive(Default)]
pub(in crate::lab) struct Staging {
    rules: Vec<FaultRule>,
    /// By `Kubernetes:LIST deployments`.
    pub counts: BTreeMap<String, u64>,
    writes: BTreeMap<StatusWrite, u64>,
}

impl Staging {
    /// Stages these rules in place of those that were.
    pub(in crate::lab) fn set(&mut self, rules: Vec<FaultRule>) {
        self.rules = rules;
        self.rules.retain(|rule| rule.times > 0);
    }

    pub(in crate::lab) fn rules(&self) -> &[FaultRule] {
        &self.rules
    }

    /// Remembers that a request has changed something.
    pub(in crate::lab) fn wrote(&mut self, request: &Request) {
        let target = Target::read(&request.path).and_then(Result::ok).unwrap_or_default();
        let write = StatusWrite {
            manager: request.manager(),
            verb: request.verb(&target).to_owned(),
            path: request.path.clone(),
            times: 0,
        };
        *self.writes.entry(write).or_default() += 1;
    }

    /// What was written, and how often.
    pub(in crate::lab) fn writes(&self) -> Vec<StatusWrite> {
        let write =
            |(write, times): (&StatusWrite, &u64)| StatusWrite { times: *times, ..write.clone() };
        self.writes.iter().map(write).collect()
    }

    /// Counts a call, and tells what hits it.
    pub(in crate::lab) fn count(&mut self, request: &Request) -> Vec<StagedFault> {
        let target = Target::read(&request.path).and_then(Result::ok).unwrap_or_default();
        let plain = target.plural.is_empty();
        let verb = if plain { "get" } else { request.verb(&target) }.to_uppercase();
        let what = if plain { request.path.clone() } else { target.plural };
        let what = if target.subresource.is_empty() {
            what
        } else {
            format!("{what}/{}", target.subresource)
        };
        *self.counts.entry(format!("{PREFIX}{verb} {what}")).or_default() += 1;
        let goes_on = !request.query().get("continue").is_empty();
        let mut hits = Vec::new();
        for rule in &mut self.rules {
            let method = rule.method.as_deref().unwrap_or_default();
            let method = method.strip_prefix(PREFIX).unwrap_or(method);
            let mut words = method.split_whitespace();
            let (wanted, place) = (words.next().unwrap_or("*"), words.next());
            let fits = wanted == "*"
                || wanted.eq_ignore_ascii_case(&verb)
                || wanted.eq_ignore_ascii_case("continue") && goes_on;
            if !fits || place.is_some_and(|place| place != what) {
                continue;
            }
            if rule.nth > 1 {
                rule.nth -= 1;
            } else {
                rule.times -= 1;
                hits.push(rule.fault.clone());
            }
        }
        self.rules.retain(|rule| rule.times > 0);
        hits
    }
}

/// The refusal that a staged fault means, if it is one.
pub(in crate::lab) fn refusal(fault: &StagedFault) -> Option<Refusal> {
    match fault {
        StagedFault::Unavailable => {
            Some(unavailable("the server is currently unable to handle the request"))
        }
        StagedFault::ExpireSession => Some(Refusal::unauthorized()),
        StagedFault::Refuse { kind, message } => Some(named(kind, message)),
        _ => None,
    }
}

/// A status code or a reason, as `lab fault refuse=429` names it.
fn named(kind: &str, message: &str) -> Refusal {
    match kind {
        "429" | "TooManyRequests" => Refusal::too_many(1),
        "401" | "Unauthorized" => Refusal::unauthorized(),
        "403" | "Forbidden" => Refusal::new(403, "Forbidden", message),
        "409" | "Conflict" => Refusal::new(409, "Conflict", message),
        "410" | "Expired" => Refusal::old_token(),
        "503" | "ServiceUnavailable" => unavailable(message),
        "504" | "Timeout" => Refusal::new(504, "Timeout", message),
        _ => {
            let text = format!("Internal error occurred: {message}");
            Refusal::new(500, "InternalError", text)
        }
    }
}

fn unavailable(message: &str) -> Refusal {
    Refusal::new(503, "ServiceUnavailable", message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, query: &str) -> Request {
        let text = str::to_owned;
        Request { method: text(method), path: text(path), query: text(query), ..Request::default() }
    }

    fn check(method: &str, hit: &Request, missed: &Request) {
        let rule = FaultRule::next(&format!("{PREFIX}{method}"), StagedFault::Unavailable);
        let mut staging = Staging::default();
        staging.set(vec![rule]);
        assert!(staging.count(missed).is_empty(), "{method}");
        assert_eq!(staging.count(hit).len(), 1, "{method}");
        assert!(staging.count(hit).is_empty() && staging.rules().is_empty());
    }

    #[test]
    fn rules_hit_verbs_and_resources() {
        let list = request("GET", "/apis/apps/v1/deployments", "limit=5");
        let next = request("GET", "/apis/apps/v1/deployments", "limit=5&continue=x");
        let get = request("GET", "/apis/apps/v1/namespaces/a/deployments/b", "");
        let pods = request("GET", "/api/v1/pods", "");
        check("LIST deployments", &list, &get);
        check("LIST deployments", &next, &pods);
        check("CONTINUE", &next, &list);
        check("* pods", &pods, &get);
    }
}
