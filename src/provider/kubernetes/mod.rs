//! The Kubernetes API: one LIST per kind, server-side apply, and why something is not ready.
//!
//! `kube` makes the requests, carries them and speaks with commands in pods; what goes into it and
//! comes out are plain trees. Its `DynamicObject` names paths here and holds no bodies: of an
//! object's metadata it keeps only the fields that it knows (`kube-core`, `ObjectMeta` without a map
//! for the rest), so that what a newer server adds would be lost between reading and writing.
//!
//! Invariants:
//!
//! - **No port is opened and no file written.** Requests travel in streams that [`Access`] gives,
//!   inside TLS that is checked against the kubeconfig's authority; the kubeconfig stays in memory.
//! - **One layer retries.** Passing faults are answered by `client` alone, and lost races with other
//!   writers where the write is made; what is left of both says `Retry::NextApply`, so that a step is
//!   not repeated around them. All writes can be repeated: they are applied whole, or carry a uid or
//!   a resource version.
//! - **Nobody's field is taken unseen.** A conflict is overruled only where the plan showed every
//!   field that is in conflict.
//! - **Nothing is absent without proof.** What a LIST misses is absent only when it was read to its
//!   end, or when the server does not know the kind.

mod access;
mod apply;
mod attachments;
mod call;
mod claim;
mod client;
mod conflict;
mod couch;
mod credentials;
mod daemon;
mod delete;
mod dry_run;
mod exec;
mod failure;
mod fields;
mod image;
mod joining;
mod kept;
mod list;
mod managers;
mod manifest;
mod membership;
mod node;
mod place;
mod pods;
mod provider;
mod read;
mod ready;
mod secret_data;
mod session;
mod shape;
mod status;
mod takeover;
mod text;
mod upgrade;
mod validity;
mod why;
mod wire;
mod workload;
mod write;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use access::{Access, Stream};
pub use client::Pace;
pub use dry_run::{Objection, Trial};
pub use provider::Kubernetes;
