//! Whole stories of what moves by itself.

mod by_hand;
mod cloud;
mod project;
mod projects;
mod rig;
mod storage;
mod workloads;
