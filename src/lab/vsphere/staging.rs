//! Faults that are staged, counted down call by call.

use crate::lab::{FaultRule, StagedFault};

/// The rules that have not hit all their calls yet.
#[derive(Default)]
pub(in crate::lab) struct Staging {
    rules: Vec<FaultRule>,
}

/// What hits one call.
#[derive(Default)]
pub(super) struct Hits(Vec<StagedFault>);

/// Calls without a session: rules for every call leave them alone.
const SESSIONLESS: &[&str] = &["RetrieveServiceContent", "Login"];

impl Staging {
    /// Stages these rules in place of those that were.
    pub(in crate::lab) fn set(&mut self, rules: Vec<FaultRule>) {
        self.rules = rules;
        self.rules.retain(|rule| rule.times > 0);
    }

    pub(super) fn rules(&self) -> &[FaultRule] {
        &self.rules
    }

    /// Counts one call.
    pub(super) fn count(&mut self, method: &str) -> Hits {
        let mut hits = Hits::default();
        for rule in &mut self.rules {
            let counts = match &rule.method {
                Some(wanted) => wanted == method,
                None => !SESSIONLESS.contains(&method) && !method.contains(' '),
            };
            if !counts {
                continue;
            }
            if rule.nth > 1 {
                rule.nth -= 1;
            } else {
                rule.times -= 1;
                hits.0.push(rule.fault.clone());
            }
        }
        self.rules.retain(|rule| rule.times > 0);
        hits
    }
}

impl Hits {
    pub(super) fn has(&self, fault: &StagedFault) -> bool {
        self.0.contains(fault)
    }

    /// What is to be changed in the call's settings or answer.
    pub(super) fn iter(&self) -> impl Iterator<Item = &StagedFault> {
        self.0.iter()
    }
}
