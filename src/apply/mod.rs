//! Carries out a plan and decides nothing: a synchronous schedule, and the loop that runs it.

mod clock;
mod event;
mod executor;
mod ledger;
mod node;
mod record;
mod schedule;
mod stop;
mod tally;
mod wait;
mod waves;

pub use clock::{Clock, SystemClock};
pub use event::{Event, Outcome};
pub use executor::{Apply, Failure, Halted, Report, apply};
pub use ledger::{Ledger, LedgerError, SecretValues};
pub use record::{catch_up, record};
pub use schedule::{Command, Input, Schedule, SkipReason};
pub use stop::Stop;
