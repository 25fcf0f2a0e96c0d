//! The world as plain data behind the provider trait: no sockets, a virtual clock, seeded faults.
//!
//! It is generic over kinds: what a step does to an object follows from the kind's facts. A
//! rehearsal runs in it, and so do the tests of planner, scheduler and journal.

mod clock;
mod derive;
mod fault;
mod ledger;
mod merge;
mod operation;
mod provider;
mod world;

pub use clock::VirtualClock;
pub use fault::{Fault, Faults, How, When};
pub use ledger::MemoryLedger;
pub use provider::Twin;
pub use world::{Standing, World};
