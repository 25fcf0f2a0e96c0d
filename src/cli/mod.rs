//! The commands: one file each. Only here are standard output, environment, clock and exit codes.

mod abandon;
mod admission;
mod apply;
mod args;
mod completions;
mod destroy;
mod disks;
mod drift;
mod error;
mod export;
mod graph;
mod home;
mod import;
mod inventory;
mod lab;
mod ledger;
mod load;
mod lock;
mod log;
mod man;
mod output;
mod plan;
mod refresh;
mod run;
mod saved;
mod schema;
mod secrets;
mod show;
mod signal;
mod sources;
mod ssh;
mod state;
mod unavailable;
mod validate;
mod world;

pub use run::main;
