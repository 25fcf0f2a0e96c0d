//! Every command with every option, and whether it logs in to the vCenter.

pub const SPEC: &str = "small.toml";
pub const AGENT: &str = "vsphere/vm/agent-1";
const VCENTER: &str = "vsphere/**";
const SAVED: &str = "saved.plan";
const EXPORTED: &str = "credentials.age";
/// A key for which nobody has the other half.
const READER: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

/// A command on a world, and how it ends where nobody disturbs it.
pub struct Case {
    /// What is run before it, so that it has something to do.
    pub before: &'static [Words],
    pub command: Words,
    pub code: i32,
}

pub type Words = &'static [&'static str];

/// Makes the vCenter's resources and no others: sessions need nothing else, and it is quick.
#[rustfmt::skip]
pub const APPLY_VCENTER: Words =
    &["apply", "--lab", "--yes", "--allow-disruption", "--target", VCENTER, SPEC];
pub const APPLY: Words = &["apply", "--lab", "--yes", "--allow-disruption", SPEC];
const DRIFT: Words = &["lab", "drift", SPEC, "--seed", "3", "--count", "2"];
const SAVE: Words = &["plan", "--lab", "--target", VCENTER, "--out", SAVED, SPEC];
const FORGET: Words = &["state", "rm", "--lab", SPEC, AGENT];

/// What logs in, where only the vCenter's resources stand.
#[rustfmt::skip]
pub const LOGS_IN: &[Case] = &[
    case(0, &["plan", "--lab", "--target", VCENTER, "--format", "json", "--full", "--detailed-exitcode", SPEC]),
    case(0, &["plan", "--lab", "--exclude", "project/**", "--replace", AGENT, SPEC]),
    case(0, &["plan", "--lab", "--target", VCENTER, "--server-dry-run", "--out", SAVED, SPEC]),
    case(0, &["plan", "--lab", "--destroy", SPEC]),
    case(0, &["drift", "--lab", "--full", SPEC]),
    case(0, &["inventory", "--lab", SPEC]),
    case(0, &["inventory", "--lab", "--format", "json", SPEC]),
    after(&[APPLY_VCENTER, FORGET], 0, &["import", "--lab", "--format", "json", "--full", SPEC, AGENT, "-"]),
    // There is no cluster.
    case(3, &["plan", "--lab", "--destroy", "--abandon-data", "county-01", SPEC]),
    case(3, &["destroy", "--lab", "--abandon-data", "county-01", "--yes", SPEC]),
    case(1, &["secrets", "export", "--lab", "--recipient", READER, SPEC]),
    after(&[APPLY_VCENTER, DRIFT, SAVE], 0, &["apply", "--lab", "--yes", "--allow-disruption", SAVED]),
    after(&[APPLY_VCENTER, DRIFT], 2, &["drift", "--lab", "--format", "json", SPEC]),
    case(0, &["apply", "--lab", "--yes", "--allow-disruption", "--target", AGENT, "--replace", AGENT, "--format", "json", "--full", SPEC]),
    case(0, &["destroy", "--lab", "--yes", "--target", "vsphere/rule/*", "--format", "json", "--full", SPEC]),
    after(&[APPLY_VCENTER], 0, &["destroy", "--lab", "--keep-disks", "--yes", SPEC]),
    case(0, &["apply", "--lab", "--yes", "--target", VCENTER, "--exclude", "vsphere/rule/*", SPEC]),
];

/// What goes on to a cluster, where everything stands.
#[rustfmt::skip]
pub const LOGS_IN_AND_GOES_ON: &[Case] = &[
    case(0, &["plan", "--lab", "--server-dry-run", SPEC]),
    case(0, &["secrets", "export", "--lab", "--project", "county-01", "--recipients-file", "readers", "--out", EXPORTED, SPEC]),
    case(0, &["plan", "--lab", "--destroy", "--abandon-data", "county-01", SPEC]),
    after(&[DRIFT], 0, APPLY),
    after(&[APPLY], 0, &["destroy", "--lab", "--abandon-data", "county-01", "--yes", SPEC]),
];

/// What asks no vCenter. The commands of `lab` have a door of their own.
#[rustfmt::skip]
pub const ASKS_NOBODY: &[Case] = &[
    case(0, &["validate", "--format", "json", "--full", SPEC]),
    case(0, &["plan", "--lab", "--offline", SPEC]),
    after(&[SAVE], 0, &["show", "--format", "json", "--full", SAVED]),
    // No agent has left the spec.
    case(1, &["plan", "--lab", "--dead", "agent-9", SPEC]),
    case(1, &["apply", "--lab", "--dead", "agent-9", SPEC]),
    case(1, &["destroy", "--lab", "--dead", "agent-9", SPEC]),
    case(1, &["destroy", "--lab", "--exclude", "none", "--replace", "none", "--yes", SPEC]),
    case(0, &["inventory", "--lab", "--offline", SPEC]),
    case(0, &["inventory", "--lab", "--format", "nginx", SPEC]),
    case(0, &["graph", "--format", "mermaid", SPEC]),
    case(0, &["lock", "--check", SPEC]),
    case(0, &["lock", "--upgrade", SPEC]),
    case(0, &["state", "list", "--lab", "--format", "json", "--full", SPEC]),
    case(0, &["state", "show", "--lab", "--format", "json", "--full", SPEC, AGENT]),
    case(0, &["state", "mv", "--lab", SPEC, AGENT, "vsphere/vm/agent-9"]),
    case(0, &["state", "rm", "--lab", "--format", "json", "--full", SPEC, "vsphere/vm/agent-9"]),
    case(0, &["state", "unlock", "--lab", SPEC]),
    case(0, &["lab", "status", "--format", "json", "--full", SPEC]),
    case(0, &["lab", "drift", SPEC, "--seed", "3", "--count", "2"]),
    case(0, &["lab", "fault", SPEC, "--fault", "slow-task=1", "--method", "none", "--host", "none", "--nth", "1", "--times", "1"]),
    case(0, &["lab", "fault", SPEC, "--clear", "--rules", "[]"]),
    // It is served already.
    case(1, &["lab", "serve", SPEC, "--port", "0", "--task-delay-ms", "1", "--page-size", "1"]),
    case(1, &["lab", "reset", SPEC]),
    case(0, &["schema", "--write", "home"]),
    case(0, &["completions", "bash"]),
    case(0, &["man", "--out", "man"]),
];

const fn case(code: i32, command: Words) -> Case {
    after(&[], code, command)
}

const fn after(before: &'static [Words], code: i32, command: Words) -> Case {
    Case { before, command, code }
}
