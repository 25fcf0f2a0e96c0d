//! The Kubernetes API of a lab's clusters: what is stored, and what the API server does with it.
//!
//! A request and a cluster give an answer and changes ([`answer`]): no sockets, no clock. Message
//! texts are those of kube-apiserver.

mod controllers;
mod key;
mod store;

pub(in crate::lab) use controllers::{PodView, Site, blocked, movable, pods_on, settle, workloads};
pub(in crate::lab) use key::Key;
pub(in crate::lab) use store::{Gone, Store, StoreEffect};
