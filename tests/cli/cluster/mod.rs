//! The cluster's API and what is in it: what goes wrong there or is done by hand, and what the next
//! run makes of it.

mod dry_run;
mod faults;
mod hand;
mod identity;
mod managers;
mod manifests;
mod namespaces;
mod own_kinds;
mod own_upgrades;
mod volumes;
