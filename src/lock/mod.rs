//! `boma.lock`: the releases that boma takes where specs name none, so that another boma takes
//! the same ones.
//!
//! One file stands beside the specs of a folder, with a table for each by the spec's name. This
//! is text and data; `cli` reads and writes the file.

mod fault;
mod file;
mod read;
mod standing;

pub use fault::LockFault;
pub use file::{FILE, FORMAT, Lock};
pub use standing::{Move, Standing, read_spec};
