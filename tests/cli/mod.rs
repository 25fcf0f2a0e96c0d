//! The program as its users run it: commands, files, signals and exit codes against the lab.

mod canary;
mod disk;
mod drift;
mod env;
mod foreign;
mod graph;
mod import;
mod interrupt;
mod inventory;
mod json;
mod kill;
mod locked;
mod manual;
mod national;
mod offline;
mod process;
mod saved;
mod scenarios;
mod scope;
mod served;
mod sessions;
mod state;
mod state_files;
mod usage;
mod vcenter;
mod world;
