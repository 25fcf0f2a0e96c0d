//! The command line. Doc comments are the help text.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What every command's help ends with.
const EXIT_CODES: &str = "\
Exit codes:
  0    done, or nothing to do
  1    an error; something could not be read
  2    changes are pending (plan --detailed-exitcode), drift was found (drift)
  3    the spec or the plan is refused
  4    partly applied: some changes failed, what was done is saved
  130  interrupted";

/// What the help of `destroy` ends with.
const DATA: &str = "\
What holds data is never deleted unless its project is named: the project's Namespace, its volumes
and their claims, its credentials.
  destroy SPEC                            removes everything else; refused while projects hold data,
                                          since the list of whose disk is whose goes with the servers
  destroy SPEC --keep-disks               goes on: workloads end, volumes are detached, then the rest
                                          is removed; the disks stay on the datastore, and the folder
                                          of the state gets a list of them (disks-….json)
  destroy SPEC --abandon-data PROJECT     removes that project with its data, and nothing else, be it
                                          in the spec or not; the disks of volumes with the reclaim
                                          policy Retain stay on the datastore, too

Exit codes:
  0    done, or nothing to do
  1    an error; something could not be read
  3    the spec or the plan is refused, or projects hold data
  4    partly removed: some changes failed, what was done is saved
  130  interrupted";

/// Hosts the Community Health Toolkit for a whole country from one file.
///
/// One spec names a vCenter, k3s servers and agents, and one CHT project per county. `plan` shows
/// what would change and why, `apply` does exactly that, `drift` tells what somebody changed by
/// hand. With --lab everything runs against simulators on this computer: nothing else is needed.
#[derive(Debug, Parser)]
#[command(name = "boma", version, after_help = EXIT_CODES, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Colours: by default where standard output is a terminal and NO_COLOR is not set
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
    /// Append a log of everything to this file; BOMA_LOG sets the level (default: debug)
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Text for people or JSON for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For scripts; the schemas are in `schema/`, and printed by `boma schema`.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a spec and say everything that is wrong with it, at its line
    #[command(after_help = EXIT_CODES)]
    Validate(ValidateArgs),
    /// Show what would change, and why
    #[command(after_help = EXIT_CODES)]
    Plan(PlanArgs),
    /// Make the world as the spec wants it: plan, ask, do
    #[command(after_help = EXIT_CODES)]
    Apply(ApplyArgs),
    /// Remove everything that boma made for a spec, except what holds data
    #[command(after_help = DATA)]
    Destroy(DestroyArgs),
    /// Tell what somebody changed outside boma since the last apply
    #[command(after_help = EXIT_CODES)]
    Drift(DriftArgs),
    /// Show a saved plan
    #[command(after_help = EXIT_CODES)]
    Show(ShowArgs),
    /// Look at the state, and mend it
    #[command(subcommand, after_help = EXIT_CODES)]
    State(StateCommand),
    /// Run, change and reset the simulated world
    #[command(subcommand, after_help = EXIT_CODES)]
    Lab(LabCommand),
    /// Say what stands in the vCenter and how it is named: UUIDs, provider ids, addresses, roles
    #[command(after_help = EXIT_CODES)]
    Inventory(InventoryArgs),
    /// Record an object that stands already as a resource of the spec; the object is left as it is
    #[command(after_help = EXIT_CODES)]
    Import(ImportArgs),
    /// Take out what only the cluster knows
    #[command(subcommand, after_help = EXIT_CODES)]
    Secrets(SecretsCommand),
    /// Pin the releases that a spec leaves open, in boma.lock beside it
    ///
    /// The file holds a table for each spec of the folder; commit it. What the spec names itself
    /// is not pinned. What is pinned stays whichever boma runs, until --upgrade moves it. The
    /// first real apply writes it too; no other command does.
    #[command(after_help = EXIT_CODES)]
    Lock(LockArgs),
    /// Draw which resource needs which
    #[command(after_help = EXIT_CODES)]
    Graph(GraphArgs),
    /// Print the JSON Schema of the spec or of an output
    #[command(after_help = EXIT_CODES)]
    Schema(SchemaArgs),
    /// Print what makes a shell complete boma's commands
    #[command(after_help = EXIT_CODES)]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = EXIT_CODES)]
    Man(ManArgs),
}

/// A spec, and where its state is.
#[derive(Clone, Debug, Args)]
pub struct Target {
    /// The spec: a TOML file
    #[arg(value_name = "SPEC")]
    pub spec: PathBuf,
    #[command(flatten)]
    pub home: Home,
}

/// Which world, and where its state is.
#[derive(Clone, Debug, Default, Args)]
pub struct Home {
    /// Use the simulated world on this computer; no vCenter and no password is needed
    #[arg(long)]
    pub lab: bool,
    /// Folder of the state [default: state/NAME]
    #[arg(long, value_name = "DIR", conflicts_with = "lab")]
    pub state: Option<PathBuf>,
}

/// What a plan is about.
#[derive(Clone, Debug, Default, Args)]
pub struct Scope {
    /// Plan only these addresses and what they need, e.g. 'vsphere/vm/agent-*'; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub target: Vec<String>,
    /// Leave out these addresses and what needs them; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Delete this resource and make it anew; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub replace: Vec<String>,
    /// Remove this agent, which left the spec, although its machine does not answer and never will
    /// again; may be repeated
    #[arg(long, value_name = "MACHINE")]
    pub dead: Vec<String>,
}

/// How the result is printed.
#[derive(Clone, Debug, Args)]
pub struct Output {
    /// Text or JSON
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Everything: no collapsing of equal changes, no cutting of long values
    #[arg(long)]
    pub full: bool,
}

/// `validate`
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The spec: a TOML file
    #[arg(value_name = "SPEC")]
    pub spec: PathBuf,
    #[command(flatten)]
    pub output: Output,
}

/// `plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub target: Target,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub output: Output,
    /// Ask nobody: what was recorded stands for what is there
    #[arg(long)]
    pub offline: bool,
    /// Plan the removal of everything
    #[arg(long)]
    pub destroy: bool,
    /// With --destroy: plan the removal of this project with its data, as `destroy` would do it;
    /// may be repeated
    #[arg(
        long,
        value_name = "PROJECT",
        requires = "destroy",
        conflicts_with_all = ["offline", "out", "target", "exclude", "replace", "dead"]
    )]
    pub abandon_data: Vec<String>,
    /// Save the plan to this file, for `boma show` and `boma apply`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Have the cluster check what would be written to it; nothing is changed
    #[arg(long, conflicts_with = "offline")]
    pub server_dry_run: bool,
    /// End with exit code 2 where changes are pending
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// What `apply` and `destroy` share.
#[derive(Clone, Debug, Args)]
pub struct Consent {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Let machines that run be power-cycled or deleted
    #[arg(long)]
    pub allow_disruption: bool,
}

/// `apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The spec, or a plan saved with `plan --out`
    #[arg(value_name = "SPEC|PLANFILE")]
    pub spec: PathBuf,
    #[command(flatten)]
    pub home: Home,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub consent: Consent,
    #[command(flatten)]
    pub output: Output,
}

/// `destroy`
#[derive(Debug, Args)]
pub struct DestroyArgs {
    #[command(flatten)]
    pub target: Target,
    #[command(flatten)]
    pub scope: Scope,
    /// Remove this project with its data, and nothing else; may be repeated
    #[arg(
        long,
        value_name = "PROJECT",
        conflicts_with_all = ["target", "exclude", "replace", "dead", "keep_disks"]
    )]
    pub abandon_data: Vec<String>,
    /// Remove the cluster although projects hold data; their disks stay on the datastore
    #[arg(long)]
    pub keep_disks: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub output: Output,
}

/// `drift`
#[derive(Debug, Args)]
pub struct DriftArgs {
    #[command(flatten)]
    pub target: Target,
    #[command(flatten)]
    pub output: Output,
}

/// `show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A plan saved with `plan --out`
    #[arg(value_name = "PLANFILE")]
    pub plan: PathBuf,
    #[command(flatten)]
    pub output: Output,
}

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

/// `secrets`
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Write the projects' credentials, encrypted with age, for a safe place
    ///
    /// They are read from the cluster, which has the only copy of what boma made up. The result is
    /// armored text; `age --decrypt` makes JSON of it: `projects`, then by name `namespace`,
    /// `secret` and `data`. Nothing is ever written in plain text. A Secret that is not there is
    /// named, and ends it with exit code 1.
    #[command(after_help = EXIT_CODES)]
    Export(SecretsExportArgs),
}

/// `secrets export`
#[derive(Debug, Args)]
pub struct SecretsExportArgs {
    #[command(flatten)]
    pub target: Target,
    /// Only this project; may be given again [default: all]
    #[arg(long, value_name = "NAME")]
    pub project: Vec<String>,
    /// Who can decrypt it: a public key of age; may be given again
    #[arg(long, value_name = "AGE_KEY")]
    pub recipient: Vec<String>,
    /// The same from a file: one key a line, lines that begin with # left out
    #[arg(long, value_name = "FILE")]
    pub recipients_file: Vec<PathBuf>,
    /// Write it to a file, for its owner only [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
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

/// `lab fault`
#[derive(Debug, Args)]
pub struct LabFaultArgs {
    #[command(flatten)]
    pub target: LabTarget,
    /// What goes wrong; see below
    #[arg(long, value_name = "FAULT", value_parser = super::lab::parse_fault, required_unless_present_any = ["rules", "clear"])]
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

/// `inventory`
#[derive(Debug, Args)]
pub struct InventoryArgs {
    #[command(flatten)]
    pub target: Target,
    /// Tables, JSON, or a configuration for the nginx outside the cluster
    #[arg(long, value_enum, default_value = "text")]
    pub format: InventoryFormat,
    /// Ask nobody: show what was recorded
    #[arg(long)]
    pub offline: bool,
}

/// How an inventory is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InventoryFormat {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// For the nginx outside the cluster: a server for each project's host, from the spec alone.
    Nginx,
}

/// `import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    pub target: Target,
    /// The resource of the spec, e.g. vsphere/vm/server-1
    #[arg(value_name = "ADDRESS")]
    pub address: String,
    /// The object that stands:
    ///
    /// vsphere/vm: its instance UUID, or its inventory path (/DC1/vm/cht/server-1)
    /// vsphere/folder: its moref (group-v3), or its inventory path
    /// vsphere/role: its id (1001)
    /// vsphere/permission: Type:moref|PRINCIPAL (VirtualMachine:vm-42|VSPHERE.LOCAL\cht-storage)
    /// any kind: - for what stands where the spec puts it
    #[arg(value_name = "ID", verbatim_doc_comment)]
    pub id: String,
    #[command(flatten)]
    pub output: Output,
}

/// `graph`
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// The spec: a TOML file
    #[arg(value_name = "SPEC")]
    pub spec: PathBuf,
    /// In which language
    #[arg(long, value_enum, default_value = "dot")]
    pub format: GraphFormat,
}

/// How a graph is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz: `boma graph SPEC | dot -Tsvg`.
    Dot,
    /// For Markdown pages.
    Mermaid,
    /// For scripts: all dependencies, also those that a picture leaves out.
    Json,
}

/// `lock`
#[derive(Debug, Args)]
pub struct LockArgs {
    /// The spec: a TOML file
    #[arg(value_name = "SPEC")]
    pub spec: PathBuf,
    /// Move to the releases that this boma takes where nothing is pinned
    #[arg(long)]
    pub upgrade: bool,
    /// Write nothing; end with exit code 3 where the file lacks something or is stale
    #[arg(long, conflicts_with = "upgrade")]
    pub check: bool,
}

/// `completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write the page of each command into this folder instead
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `schema`
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// `spec`, or an output: plan, drift, validate, apply, event, error, inventory, import, graph, state-list, state-show, lab-drift, lab-status
    #[arg(value_name = "WHAT", default_value = "spec")]
    pub what: String,
    /// Write all schemas into this folder instead
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
}
