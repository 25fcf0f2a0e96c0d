//! The Kubernetes API of a lab's clusters: what is stored, and what the API server does with it.
//!
//! A request and a cluster give an answer and effects ([`answer`]): no sockets, no clock. Message
//! texts are those of kube-apiserver.

mod admission;
mod api;
mod body;
mod call;
mod certificates;
mod check;
mod controllers;
mod crd;
mod defaults;
mod delete;
mod desk;
mod discovery;
mod exec;
mod fault;
mod fields;
mod immutable;
mod index;
mod kept;
mod key;
mod kubeconfig;
mod managed;
mod merge;
mod normal;
mod patch;
mod pod_check;
mod port;
mod quota;
mod reach;
mod read;
mod refusal;
mod request;
mod resource;
mod scale;
mod selector;
mod server;
mod shape;
mod store;
mod syntax;
mod template;
mod tls;
mod validate;
mod view;
mod watch;
mod websocket;
mod write;

pub(in crate::lab) use api::answer;
pub(in crate::lab) use call::Answer;
pub(in crate::lab) use certificates::authority;
pub use controllers::ProjectAction;
pub(in crate::lab) use controllers::{
    Act, PodView, Site, act, blocked, edits, movable, pods_on, read_yaml, settle, workloads,
};
pub(in crate::lab) use fault::{PREFIX, Staging};
pub(in crate::lab) use key::Key;
pub(in crate::lab) use kubeconfig::{ended, kubeconfig};
pub(in crate::lab) use port::{Port, path as kubeconfig_path};
pub(in crate::lab) use reach::reach;
pub(in crate::lab) use refusal::Refusal;
pub(in crate::lab) use request::Request;
pub(in crate::lab) use server::serve;
pub(in crate::lab) use store::{Store, StoreEffect};
pub(in crate::lab) use watch::Watch;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
