//! A directed graph of things that must come one after another. It knows nothing of what they are.

mod cycle;
mod directed;
mod reduce;

pub use cycle::Cycle;
pub use directed::Graph;
pub use reduce::reduce;
