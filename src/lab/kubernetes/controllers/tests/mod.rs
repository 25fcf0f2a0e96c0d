//! Whole stories of what moves by itself.

mod cloud;
mod rig;
mod storage;
mod workloads;
