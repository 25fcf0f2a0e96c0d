//! What is known about releases, as data: what supports what, until when.

mod support;

pub use support::{CHT_NEWEST, CsiRelease, End, cht_end, csi_release, kubernetes_end, usable};
