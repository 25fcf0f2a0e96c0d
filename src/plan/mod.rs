//! From three worlds to one plan: `plan(desired, prior, live)`, synchronous and pure.

mod abandon;
mod change;
mod check;
mod compare;
mod data;
mod decide;
mod desired;
mod diff;
mod difference;
mod drift;
mod founding;
mod known;
mod lane;
mod moved;
mod node_steps;
mod order;
#[allow(clippy::module_inception)]
mod plan;
mod planner;
mod provider_id;
mod refusal;
mod review;
mod rollout;
mod rotation;
mod same;
mod select;
mod sent;
mod shrink;
mod spare;
mod step;
mod steps;
mod takeover;
mod unwanted;
mod wanted;
mod window;

pub use abandon::{Disk, GivenUp, NotGivenUp, VOLUMES, give_up, namespaces};
pub use change::{Action, After, Assumed, Cause, Change, Difference, Impact, Reason};
pub use check::{Note, check, check_saved, holds_data};
pub use compare::drift;
pub use desired::{Desired, Live, Observed, Options};
pub use diff::{diff, equal, holds, project};
pub use drift::{DriftAttribute, DriftReport, Drifted, EXISTS, Unread};
pub use moved::moved;
pub use plan::{
    Basis, BlockCause, Blocked, FORMAT, Half, Lane, Node, Plan, Summary, Unplanned, Window,
};
pub use planner::plan;
pub use review::{ReadStats, Review};
pub use rollout::{Rolled, Rollout, Spread, Wave};
pub use sent::to_write;
pub use spare::{Spare, spares};
pub use step::{Operation, Step};
