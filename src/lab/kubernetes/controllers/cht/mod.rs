//! CHT's own programs in pods: what they need before they work, and what they answer.
//!
//! After the start scripts and the chart of medic/cht-core: CouchDB's nodes write who they are on
//! their volume once and join at the coordinator; everything else goes through HAProxy, which has a
//! server only while the health check says that all nodes are members.

mod api;
mod cluster;
mod couchdb;
mod curl;
mod environment;
mod haproxy;
mod image;
mod program;
mod scene;
mod sed;
mod shell;
mod upgrade;

pub(in crate::lab) use shell::{Ran, run as execute};
pub use upgrade::ProjectAction;
pub(in crate::lab) use upgrade::{Act, act};

pub(super) use cluster::join;
pub(super) use image::pull;
pub(super) use program::{is_deaf, judge};
pub(super) use upgrade::{UPGRADE_SERVICE, upgrading};
