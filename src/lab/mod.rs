//! A simulated vCenter on loopback and the hosts in its machines: real vim25 SOAP over TLS, strict
//! like vpxd, SSH servers, k3s by a model, with a world that outlives the process.
//!
//! It knows wire formats only. Nothing here may use boma's providers, plans, state or resources: a
//! misreading that both shared could then never show.

mod by_hand;
mod control;
mod core;
mod home;
mod host;
mod journal;
mod k3s;
mod kubernetes;
mod seed;
mod serve;
mod setup;
mod side_door;
mod staged;
mod tls;
mod vsphere;
mod world;

pub use control::{
    Adjustment, Control, ControlError, Drifted, Status, StatusDisk, StatusObject, StatusSession,
    StatusWrite,
};
pub use home::{Endpoints, Lab, LabError, Opened, reset};
pub use host::{HostAction, HostAnswer, HostEndpoint, StatusCommand, StatusHost};
pub use k3s::{ClusterStatus, NodeStatus, Restarted, SkippedMinor, TogetherDown, WorkloadStatus};
pub use kubernetes::ProjectAction;
pub use serve::{Running, ServeOptions};
pub use setup::{
    AccountSetup, GrantSetup, K3sSetup, MachineSetup, RoleSetup, Setup, TemplateSetup,
};
pub use staged::{FaultRule, StagedFault};

#[cfg(test)]
mod tests;
