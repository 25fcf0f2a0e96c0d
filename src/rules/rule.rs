//! What a rule is, and what it says.

use super::Facts;
use crate::diag::{Finding, Level, Place};
use crate::resource::Address;

/// A named check over the facts.
#[derive(Clone, Copy)]
pub struct Rule {
    /// As in waivers and `[rules]`: kebab-case.
    pub name: &'static str,
    /// The level of its problems, unless a problem has one of its own or the spec sets another.
    pub level: Level,
    /// Whether it says nothing without a plan: only then can its waivers be known to be unused.
    pub needs_plan: bool,
    /// Adds one problem for each thing that is wrong.
    pub check: Check,
}

/// Looks at the facts and adds what is wrong.
pub type Check = fn(&Facts<'_>, &mut Vec<Problem>);

impl Rule {
    /// A rule that guards data, quorum or the security of the whole cluster.
    pub const fn deny(name: &'static str, check: Check) -> Self {
        Self { name, level: Level::Deny, needs_plan: false, check }
    }

    /// A rule about what is risky.
    pub const fn warn(name: &'static str, check: Check) -> Self {
        Self { level: Level::Warn, ..Self::deny(name, check) }
    }

    /// A rule about what is good to know. It says nothing unless a spec raises its level.
    pub const fn allow(name: &'static str, check: Check) -> Self {
        Self { level: Level::Allow, ..Self::deny(name, check) }
    }

    /// The same rule, about plans only.
    pub const fn of_plan(self) -> Self {
        Self { needs_plan: true, ..self }
    }
}

/// One thing that a rule found, before levels and waivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    level: Option<Level>,
    message: String,
    help: String,
    place: Option<Place>,
    address: Option<Address>,
}

impl Problem {
    /// A problem that a line of the spec causes.
    pub fn at(place: &Place, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { place: Some(place.clone()), ..Self::new(message, help) }
    }

    /// A problem that no line of the spec causes.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        let (message, help) = (message.into(), help.into());
        Self { level: None, message, help, place: None, address: None }
    }

    /// The same problem, about a resource.
    pub fn about(self, address: &Address) -> Self {
        Self { address: Some(address.clone()), ..self }
    }

    /// The same problem, less grave than its rule.
    pub fn warn(self) -> Self {
        Self { level: Some(Level::Warn), ..self }
    }

    /// The same problem, only good to know: said where the spec raises the rule's level.
    pub fn allow(self) -> Self {
        Self { level: Some(Level::Allow), ..self }
    }

    /// The finding that it is under its rule's name. `set` is the level that the spec sets.
    pub fn finding(self, rule: &'static str, own: Level, set: Option<Level>) -> Finding {
        Finding {
            rule,
            level: set.or(self.level).unwrap_or(own),
            message: self.message,
            help: self.help,
            place: self.place,
            address: self.address,
            waived: None,
        }
    }
}
