//! The vCenter itself: a world of objects as data, and the vim25 methods as pure functions from a
//! world and a request to an answer and its effects.

mod account;
mod adjust;
mod answer;
mod by_hand;
mod call;
mod clone;
mod cloud;
mod collector;
mod contents;
mod device;
mod device_change;
mod disk;
mod dispatch;
mod drift;
mod entity;
mod fault;
mod filter;
mod folder;
mod genesis;
mod guest;
mod ids;
mod lookup;
mod machine;
mod machine_tree;
mod permission;
mod placement;
mod policy;
mod power;
mod privilege;
mod property;
mod question;
mod reading;
mod reconfigure;
mod rest;
mod rest_machine;
mod role;
mod rule;
mod schema;
mod session;
mod staging;
mod status;
mod task;
mod world;

pub(super) use adjust::adjust;
pub(super) use call::Settings;
pub(super) use cloud::CloudMachine;
pub(super) use disk::{attach, detach};
pub(super) use dispatch::{Desk, Reply, unsupported_version};
pub(super) use drift::drift;
pub(super) use genesis::complete;
pub(super) use guest::{Guest, draw_bytes, guests};
pub(super) use ids::{ADMINISTRATOR, hex, password, principal as one_form};
pub(super) use machine::decode;
pub(super) use rest::RestRequest;
#[cfg(test)]
pub(super) use status::foreign_disks;
pub(super) use status::status;
pub(super) use world::{Entry, World};

#[cfg(test)]
mod tests;
