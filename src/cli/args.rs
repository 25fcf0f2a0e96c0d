//! The command line. Doc comments are the help text.

mod lab;
mod secrets;
mod state;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::lab::{
    LabCommand, LabDriftArgs, LabFaultArgs, LabServeArgs, LabStatusArgs, LabTarget,
};
pub use self::secrets::{SecretsCommand, SecretsExportArgs};
pub use self::state::{StateCommand, StateListArgs, StateMoveArgs, StateShowArgs};

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
    /// `spec`, or an output: plan, drift, validate, apply, event, error, inventory, import, graph,
    /// state-list, state-show, lab-drift, lab-status
    #[arg(value_name = "WHAT", default_value = "spec")]
    pub what: String,
    /// Write all schemas into this folder instead
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
}
