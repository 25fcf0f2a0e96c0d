//! vCenter over vim25 SOAP: a wire client made of the calls boma needs, and the mapping between
//! vCenter's objects and the common shape of roles, permissions, folders and VMs.
//!
//! Everything is asked with SOAPAction `urn:vim25/7.0`, the oldest version supported, so that a
//! newer vCenter answers with the types of that version. Storage policies alone are PBM's, which
//! takes the same session.

mod bulk;
mod clone;
mod collect;
mod config;
mod device;
mod failure;
mod fault;
mod find;
mod folder;
mod guestinfo;
mod inventory;
mod locate;
mod moref;
mod network;
mod path;
mod permission;
mod policy;
mod power;
mod provider;
mod read;
mod reconfigure;
mod role;
mod rule;
mod session;
mod site;
mod soap;
mod spec;
mod task;
mod thumbprint;
mod tls;
mod vm;

#[cfg(test)]
mod scripted;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod wire;

pub use config::{Trust, VcenterConfig};
pub use provider::Vcenter;
