//! `lab`: the simulated world.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Output;

/// What `lab fault --help` ends with.
const FAULTS: &str = "\
Faults:
  expire-session             the session has ended when the call comes
  refuse=TYPE[:MESSAGE]      the call ends in this vim25 fault, and does nothing
  task-error=TYPE[:MESSAGE]  its task ends in this vim25 fault, and does nothing
  slow-task=MS               its task takes so long
  concurrent-write           somebody else writes the machine's configuration just before
  drop-before                the connection is cut, and the call does nothing
  drop-after                 the call is carried out, and its answer is lost
  unavailable                HTTP status 503, and the call does nothing
  small-pages=N              pages hold N objects at most
  question                   the machine asks a question, and its task waits for the answer

Faults of hosts, at the commands that boma runs there (with --host NAME: of one machine; with
--method PROGRAM: of one program, such as install, systemctl or boma-probe):
  hang                       the command never answers, and does nothing
  disk-full                  the command finds no space left on the disk
  reboot                     the host goes down and comes up again instead
  dead                       the host answers nobody any more
  sudo-refused               sudo asks for a password, and none is right
  slow-task=MS, drop-before, drop-after as above

Faults of a cluster's API, with --method 'Kubernetes:VERB RESOURCE' (such as 'Kubernetes:LIST
deployments'; 'Kubernetes:CONTINUE' for further pages of lists; * for any verb):
  refuse=CODE                this HTTP status: 401, 403, 409, 410, 429 (with Retry-After), 500, 503, 504
  expire-session             HTTP status 401
  concurrent-write           somebody else writes the object just before
  drop-before, drop-after, unavailable, hang, slow-task=MS and small-pages=N as above

Faults are gone once they have hit all their calls, and with the process that serves the lab.

Example: the second clone from now on fails
  boma lab fault SPEC --method CloneVM_Task --nth 2 --fault task-error=InsufficientResourcesFault";

/// `lab`
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// Serve the world to other programs until Ctrl-C; other commands with --lab use it meanwhile
    Serve(LabServeArgs),
    /// Change things behind boma's back, and print them as JSON
    Drift(LabDriftArgs),
    /// Say what is in the world: objects, sessions, requests, tasks, disks, staged faults
    Status(LabStatusArgs),
    /// Make something go wrong in a lab that is served, so many calls from now
    #[command(after_help = FAULTS)]
    Fault(LabFaultArgs),
    /// Throw the world and its state away
    Reset(LabTarget),
}

/// A spec whose world it is.
#[derive(Clone, Debug, Args)]
pub struct LabTarget {
    /// The spec: a TOML file
    #[arg(value_name = "SPEC")]
    pub spec: PathBuf,
}

/// `lab serve`
#[derive(Debug, Args)]
pub struct LabServeArgs {
    #[command(flatten)]
    pub target: LabTarget,
    /// Port on 127.0.0.1 [default: one that is free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// How long each task takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub task_delay_ms: u64,
    /// The most objects in one page of an answer; a real vCenter sends about 100
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub page_size: usize,
}

/// `lab fault`
#[derive(Debug, Args)]
pub struct LabFaultArgs {
    #[command(flatten)]
    pub target: LabTarget,
    /// What goes wrong; see below
    #[arg(long, value_name = "FAULT", value_parser = crate::cli::lab::parse_fault, required_unless_present_any = ["rules", "clear"])]
    pub fault: Option<crate::lab::StagedFault>,
    /// The calls that count: a vim25 method, `GET /api/...`, a program that hosts run, or
    /// `Kubernetes:VERB RESOURCE`
    /// [default: all calls that need a session, or all commands]
    #[arg(long, value_name = "METHOD", requires = "fault")]
    pub method: Option<String>,
    /// The machine whose commands count, by name or address [default: all]
    #[arg(long, value_name = "NAME", requires = "fault")]
    pub host: Option<String>,
    /// The first call that is hit, counted from now
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub nth: u64,
    /// How many calls are hit, one after the other
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub times: u64,
    /// Several faults at once, as JSON: the list that `lab status` has under `faults`
    #[arg(long, value_name = "JSON")]
    pub rules: Option<String>,
    /// Take back what was staged before
    #[arg(long)]
    pub clear: bool,
}

/// `lab drift`
#[derive(Debug, Args)]
pub struct LabDriftArgs {
    #[command(flatten)]
    pub target: LabTarget,
    /// The same seed changes the same things
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How many things
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub count: usize,
}

/// `lab status`
#[derive(Debug, Args)]
pub struct LabStatusArgs {
    #[command(flatten)]
    pub target: LabTarget,
    #[command(flatten)]
    pub output: Output,
}
