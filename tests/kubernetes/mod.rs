//! What boma writes into a cluster.

mod compare;
mod cpi_differences;
mod upstream;
