//! k3s clusters as plain data: what starting, stopping and asking k3s does to them.
//!
//! A pure model, strict about what a real cluster refuses. It has no sockets, no clock and no
//! files: the hosts (`lab/host`) call it with the time, and carry out the effects that it answers
//! with. Message texts are those of k3s, etcd and kubectl, so that whoever reads them learns the
//! real ones.

mod agent;
mod arguments;
mod audit;
mod cluster;
mod command;
mod cut;
mod effect;
mod files;
mod https;
pub(in crate::lab) mod ids;
mod join;
mod journal;
mod kubectl;
mod member;
mod node;
mod node_json;
mod registration;
mod reply;
mod restart;
mod staging;
mod start;
mod status;
mod stop;
mod token;
mod unsettled;
mod version;

pub use status::{
    ClusterStatus, NodeStatus, Restarted, SkippedMinor, TogetherDown, WorkloadStatus,
};

pub(in crate::lab) use cluster::{Cluster, Clusters, Pace};
pub(in crate::lab) use command::{k3s, version_text};
pub(in crate::lab) use cut::cut_off;
pub(in crate::lab) use effect::{Change, Changed, ClusterEffect, Draft};
pub(in crate::lab) use https::{https, put_token};
pub(in crate::lab) use kubectl::{kubectl, take_away};
pub(in crate::lab) use node::{Node, Taint, UNINITIALIZED};
pub(in crate::lab) use reply::Reply;
pub(in crate::lab) use staging::{release_pods, stick_pod};
pub(in crate::lab) use start::{Role, Start, start};
pub(in crate::lab) use status::status;
pub(in crate::lab) use stop::{runs, stopped};
pub(in crate::lab) use unsettled::{Reach, Unsettled};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
