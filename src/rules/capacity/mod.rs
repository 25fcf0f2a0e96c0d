//! `capacity`: whether the projects fit on the machines, with all of them up and with any one
//! down. Volumes count too: a VM has so many SCSI slots, and a pod whose volume finds none waits
//! for ever.

mod amount;
mod load;
mod pack;
mod puzzle;
mod room;
mod rule;
mod search;
mod space;

pub use rule::RULE;
