//! Planner, schedule, journal and executor against the twin: converge, crash, stop.
//!
//! What depends on a seed runs for `BOMA_SEEDS` seeds (3 by default), or for the one seed
//! `BOMA_SEED`; a failure prints the command that runs it again.

mod converge;
mod counties;
mod crash;
mod data;
mod guards;
mod joining;
mod kill;
mod kinds;
mod nodes;
mod planning;
mod random;
mod replace;
mod scenario;
mod schedule;
mod stop;
mod survival;
mod system;
mod waves;
