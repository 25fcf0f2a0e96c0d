//! Who may reach what.

use super::{Case, deny, warn};

pub const CASES: &[Case] = &[
    warn(
        "firewall-off",
        &[("[network]", "[network]\nfirewall = false")],
        "boma keeps no firewall rules on the machines",
    ),
    warn(
        "ingress-open",
        &[("10.20.1.10/32", "0.0.0.0/0")],
        "ports 80 and 443 are open to everybody",
    ),
    warn(
        "ingress-open",
        &[("ingress_from = [\"10.20.1.10/32\"]", "")],
        "ports 80 and 443 are open to everybody",
    ),
    warn(
        "no-ssh-key",
        &[("authorized_keys = [", "# [")],
        "new machines accept no SSH key that the spec knows",
    ),
    deny(
        "plaintext-password",
        &[("[storage]", "[cloud_provider]\npassword_in_config_map = true\n[storage]")],
        "the storage account's password is in CPI's ConfigMap",
    ),
    deny(
        "port-open",
        &[("[network]", "[network]\nallow = [{ from = \"0.0.0.0/0\", port = 10250 }]")],
        "port 10250, which is for machines only, is open to everybody",
    ),
    warn(
        "shared-account",
        &[("STORAGE_PASSWORD", "VCENTER_PASSWORD")],
        "CPI and CSI log in with boma's own password (env VCENTER_PASSWORD)",
    ),
    deny(
        "shared-token",
        &[("agent_token = { env = \"K3S_AGENT_TOKEN\" }", "")],
        "agents hold the server token",
    ),
    deny(
        "shared-token",
        &[("K3S_AGENT_TOKEN", "K3S_TOKEN")],
        "`agent_token` is the server token: both are env K3S_TOKEN",
    ),
    warn(
        "ssh-open",
        &[("from = [\"10.20.0.5/32\"]", "")],
        "port 22 of every machine is open to everybody",
    ),
    warn(
        "ssh-open",
        &[("10.20.0.5/32", "0.0.0.0/0")],
        "port 22 of every machine is open to everybody",
    ),
    deny(
        "tls-off",
        &[("datacenter", "insecure = true\ndatacenter")],
        "the vCenter's certificate is not checked",
    ),
];
