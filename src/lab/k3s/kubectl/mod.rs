//! kubectl, as far as hosts use it, with its own texts and exit codes.

mod delete;
mod drain;
mod edit;
mod get;
mod raw;
mod run;
mod taint;
mod words;

pub(in crate::lab) use delete::take_away;
pub(in crate::lab) use run::kubectl;
