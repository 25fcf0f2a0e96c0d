//! boma: a desired-state engine for hosting the Community Health Toolkit for a whole country.
//!
//! A spec becomes resources, resources become a graph, and desired, prior and live become a plan:
//! pure functions on plain data. Everything that touches the world stands at the edge:
//! `state` (files), `provider` (the network), `secret`, `lab`, and `cli`.

pub mod apply;
pub mod cli;
pub mod diag;
pub mod graph;
pub mod lab;
pub mod lock;
pub mod lower;
pub mod plan;
pub mod provider;
pub mod render;
pub mod resource;
pub mod rules;
pub mod secret;
pub mod spec;
pub mod state;
pub mod twin;
mod xml;
