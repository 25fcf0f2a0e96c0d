//! `[[waivers]]` and `[rules]`

use crate::diag::{Level, Place};
use crate::resource::Glob;

use super::Sp;

/// Lets a finding pass, for a reason and a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The table.
    pub place: Place,
    /// The rule's name; whether it exists is checked where the rules are known.
    pub rule: Sp<String>,
    /// Printed beside the finding.
    pub reason: Sp<String>,
    /// The last day it holds.
    pub expires: Sp<jiff::civil::Date>,
    /// `None`: for every address and for findings without one.
    pub address: Option<Sp<Glob>>,
}

/// A level that differs from the rule's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleLevel {
    /// The rule's name; whether it exists is checked where the rules are known.
    pub rule: Sp<String>,
    /// The level.
    pub level: Sp<Level>,
}
