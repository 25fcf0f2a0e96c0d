//! The facts of each kind of the product, one file a kind.

mod docker;
mod firewall;
mod folder;
mod k3s_agent;
mod k3s_server;
mod kubernetes;
mod machine;
mod permission;
mod role;
mod rule;
mod site;
mod vm;

use super::Kind;

pub use kubernetes::{DEFINITION, FOREIGN, OBJECT};
pub use site::SITE;

/// Every kind that is made, in the order of the stack: machines and what is on them, then the
/// cluster's.
pub const ALL: &[&[Kind]] = &[MACHINES, kubernetes::ALL];

const MACHINES: &[Kind] = &[
    role::ROLE,
    folder::FOLDER,
    vm::VM,
    rule::RULE,
    permission::PERMISSION,
    firewall::FIREWALL,
    docker::DOCKER,
    k3s_server::SERVER,
    k3s_agent::AGENT,
];

/// What is only looked at.
pub const OBSERVED: &[Kind] = &[SITE, machine::MACHINE];
