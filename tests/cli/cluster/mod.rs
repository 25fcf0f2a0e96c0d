//! The cluster's API and what is in it: what goes wrong there or is done by hand, and what the next
//! run makes of it.

mod faults;
mod hand;
mod managers;
mod namespaces;
mod volumes;
