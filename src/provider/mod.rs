//! The edge to the world: one small trait, and one folder for each thing that is spoken to.
//!
//! Providers map remote objects into the common shape. They compare nothing and decide nothing.

pub mod host;
pub mod k3s;
pub mod kubernetes;
pub mod vsphere;

mod error;
mod traits;

pub use error::{ProviderError, Retry};
pub use traits::{Act, BoxFuture, Inputs, Provider, Run, Wanted};
