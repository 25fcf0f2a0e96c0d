//! What boma writes into a cluster.

mod compare;
mod upstream;
