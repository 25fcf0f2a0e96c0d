//! `state`: what is recorded.

use clap::{Args, Subcommand};

use super::{Output, Target};

/// `state`
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List what is recorded
    List(StateListArgs),
    /// Show one record
    Show(StateShowArgs),
    /// Forget a record; the object itself is left alone
    Rm(StateShowArgs),
    /// Give a record another address
    Mv(StateMoveArgs),
    /// Clear the note of a lock whose process is gone
    Unlock(Target),
}

/// `state list`
#[derive(Debug, Args)]
pub struct StateListArgs {
    #[command(flatten)]
    pub target: Target,
    #[command(flatten)]
    pub output: Output,
}

/// `state show` and `state rm`
#[derive(Debug, Args)]
pub struct StateShowArgs {
    #[command(flatten)]
    pub target: Target,
    /// The resource
    #[arg(value_name = "ADDRESS")]
    pub address: String,
    #[command(flatten)]
    pub output: Output,
}

/// `state mv`
#[derive(Debug, Args)]
pub struct StateMoveArgs {
    #[command(flatten)]
    pub target: Target,
    /// The address now
    #[arg(value_name = "FROM")]
    pub from: String,
    /// The address afterwards
    #[arg(value_name = "TO")]
    pub to: String,
}
