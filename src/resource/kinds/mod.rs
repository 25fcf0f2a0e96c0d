//! The facts of each kind of the product, one file a kind.

mod docker;
mod firewall;
mod folder;
mod k3s_agent;
mod k3s_server;
mod machine;
mod permission;
mod role;
mod rule;
mod site;
mod vm;

use super::Kind;

/// Every kind that is made, in the order of the stack.
pub const ALL: &[Kind] = &[
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
pub const OBSERVED: &[Kind] = &[site::SITE, machine::MACHINE];
