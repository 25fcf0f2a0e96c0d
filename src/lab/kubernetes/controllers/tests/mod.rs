//! Whole stories of what moves by itself.

mod by_hand;
mod cloud;
mod rig;
mod storage;
mod workloads;
