//! What moves by itself in a cluster: controllers, scheduler, kubelets, and what vCenter's cloud
//! provider and storage driver do there.
//!
//! Each is a function on the cluster as it stands now, and writes only what differs from what it
//! would write: [`settle`] repeats them until nothing changes. No clock, no sockets, no chance.

mod addons;
mod affinity;
mod attach;
mod by_hand;
mod cht;
mod cloud;
mod cloud_config;
mod condition;
mod crash;
mod csi;
mod csi_config;
mod csi_node;
mod custom;
mod daemon;
mod deployment;
mod drains;
mod founding;
mod garbage;
mod images;
mod job;
mod json;
mod kubelet;
mod load;
mod mounts;
mod namespace;
mod pod;
mod provision;
mod quantity;
mod quota;
mod rbac;
mod replicas;
mod rollout;
mod sample;
mod scheduler;
mod service;
mod settle;
mod site;
mod snapshot;
mod stateful;
mod told;
mod volume;
mod work;
mod yaml;

pub(in crate::lab) use by_hand::edits;
pub use cht::ProjectAction;
pub(in crate::lab) use cht::{Act, Ran, act, execute};
pub(in crate::lab) use crash::is_central;
pub(in crate::lab) use drains::{PodView, blocked, movable, pods_on};
pub(in crate::lab) use settle::settle;
pub(in crate::lab) use site::Site;
pub(in crate::lab) use told::workloads;
pub(in crate::lab) use yaml::read as read_yaml;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
