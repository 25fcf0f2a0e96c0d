//! Sessions in the vCenter: each command ends its own on every way out but SIGKILL. A real vCenter
//! has few of them, and keeps a forgotten one for 30 minutes.

mod commands;
mod complete;
mod count;
mod errors;
mod signals;
