//! What rules look at.

use jiff::civil::Date;

use crate::lock::Standing;
use crate::plan::{Desired, Live, Plan};
use crate::spec::Spec;
use crate::state::State;

/// Everything a rule may look at. `validate` knows the spec and what it asks for; `plan` knows
/// the rest too.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The checked spec.
    pub spec: &'a Spec,
    /// What it leaves open, and what is locked of that. `None` where nobody looked.
    pub lock: Option<&'a Standing>,
    /// What the spec was lowered to.
    pub desired: &'a Desired,
    /// What boma recorded. `None` in `validate`.
    pub prior: Option<&'a State>,
    /// What was just read; offline, what was recorded. `None` in `validate`.
    pub live: Option<&'a Live>,
    /// What is going to happen. `None` in `validate`.
    pub plan: Option<&'a Plan>,
    /// The day that waivers and ends of support are compared with.
    pub today: Date,
}
