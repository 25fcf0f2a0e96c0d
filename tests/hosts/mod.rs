//! SSH, firewall and k3s on real hosts: OpenSSH on systemd, in network namespaces.
//!
//! They run where `BOMA_HOSTS` names the description that tests/conformance/hosts/hosts.py writes,
//! inside the hosts' network; `.ci/conformance` sees to both. Each test takes the hosts it works
//! on, so that tests of different hosts run at once.

mod apply;
mod cluster;
mod firewall;
mod fleet;
mod kills;
mod rig;
mod transport;
