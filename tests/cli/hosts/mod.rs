//! Hosts and their cluster: what happens to them behind boma's back or in the middle of a run,
//! and what the next run makes of it.

mod agents;
mod destroyed;
mod drift;
mod errors;
mod guide;
mod interrupted;
mod kept;
mod preflight;
mod rebuilt;
mod refresh;
mod registries;
pub mod rig;
mod secrets;
mod soap;
mod sources;
mod unreachable;
mod upgrade;
