//! Stories of requests, without sockets.

mod apply;
mod checks;
mod ends;
mod nodes;
mod reading;
mod rig;
mod tls;
