//! CHT projects: the objects of one namespace each, one file per noun.
//!
//! Names, labels, container names, variables and ports are those of Medic's helm charts for the
//! release that the project runs, so that a project which a chart made is adopted as it stands.
//! What boma adds comes on top: probes, placement, limits, the quota, the network policy, the host.

mod access;
mod api;
mod claim;
mod config;
mod container;
mod couchdb;
mod credentials;
mod environment;
mod form;
mod haproxy;
mod healthcheck;
mod ingress;
mod limits;
mod member;
mod namespace;
mod network_policy;
mod nouveau;
mod placement;
mod probes;
mod sentinel;
mod service;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
mod tolerations;
mod upgrade_service;
mod whole;
mod workload;

pub use whole::projects;
