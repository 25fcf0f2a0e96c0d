//! What k3s's last words mean. Sources: the k3s issues named with each.

/// Text in the journal, what it means, what to do.
type Known = (&'static str, &'static str, &'static str);

/// The first that is found counts: the narrower texts come first.
const KNOWN: &[Known] = &[
    // k3s issues 6054 and 802.
    (
        "Node password rejected",
        "a node of this name is known with another password: a rebuilt machine, or two with one hostname",
        "delete the Node if the machine was rebuilt (boma does when it replaces one), else give each machine its own name",
    ),
    // k3s issue 2769.
    (
        "duplicate node name",
        "etcd has a member of this name already",
        "give each server its own name, or delete the Node of the one that is gone",
    ),
    // k3s issues 4640 and 4910.
    (
        "bootstrap data already found and encrypted with different token",
        "the cluster's data was written with another server token",
        "put back the token of before; it is changed only by `k3s token rotate` (key [k3s] previous_token)",
    ),
    // k3s issues 12745 and 4579.
    (
        "critical configuration value mismatch",
        "a setting that must be equal on all servers differs from the running ones",
        "compare `config` of this server with the others'",
    ),
    // k3s issues 2533, 7428 and 7370.
    (
        "too many learner",
        "another server is joining",
        "apply again: servers join one after the other",
    ),
    (
        "unhealthy cluster",
        "etcd takes no new member while one of its members is away",
        "bring the server that is down back, or remove it from the spec",
    ),
    // k3s issues 2310 and 2463.
    (
        "server-bootstrap",
        "the cluster does not accept the server token",
        "compare the token with /var/lib/rancher/k3s/server/token on a server that runs",
    ),
    (
        "token CA hash does not match",
        "the token belongs to another cluster",
        "apply again, so that the token is bound to the CA of the cluster that runs",
    ),
    (
        "not authorized",
        "the cluster does not accept the token",
        "compare the token with the one of the servers",
    ),
    // k3s issue 2488.
    (
        "flag provided but not defined",
        "this k3s does not know one of the settings",
        "take the setting out, or use a k3s version that has it",
    ),
    // k3s issue 1101.
    (
        "Initial server URL host is not defined",
        "the address to join has no scheme or no host",
        "write it as https://ADDRESS:6443",
    ),
    (
        "no default routes found",
        "the host has no default route, which k3s needs even without a way out",
        "add one; a dummy route is enough",
    ),
    (
        "no space left on device",
        "a disk is full",
        "make room on /var/lib/rancher, or enlarge the machine's disk",
    ),
    (
        "certificate has expired or is not yet valid",
        "a clock is wrong, or the cluster's certificates have ended",
        "check the clocks of the machines ([machines] ntp), then restart k3s on the servers",
    ),
    (
        "kubelet is configured to not run on a host using cgroup v1",
        "this k3s wants cgroup v2",
        "boot the host with systemd.unified_cgroup_hierarchy=1, or use a version before v1.35",
    ),
    // rke2 issue 4744, which is the same program in this. The file is named in a line before.
    (
        "level=fatal msg=\"yaml: ",
        "k3s cannot read a file of its configuration on this host",
        "correct /etc/rancher/k3s/registries.yaml there; or remove it, and give what it says in [images]",
    ),
    (
        "Failed to start docker runtime",
        "Docker does not run",
        "look at `systemctl status docker` on the host",
    ),
];

/// Cause and next step in one sentence each. `None` for words that are not known.
pub fn diagnose(journal: &str) -> Option<(&'static str, &'static str)> {
    let found = KNOWN.iter().find(|(text, _, _)| contains(journal, text));
    found.map(|(_, cause, help)| (*cause, *help))
}

/// The journal's text, led by what it means where that is known.
pub fn last_words(journal: &str) -> String {
    let journal = journal.trim_end();
    match diagnose(journal) {
        Some((cause, help)) => format!("{cause}; {help}\n{journal}"),
        None => journal.to_owned(),
    }
}

fn contains(journal: &str, text: &str) -> bool {
    journal.to_ascii_lowercase().contains(&text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(journal: &str, cause: Option<&str>) {
        let found = diagnose(journal).map(|(cause, _)| cause);
        assert!(found.is_some() == cause.is_some(), "{journal}: {found:?}");
        assert!(found.unwrap_or_default().contains(cause.unwrap_or_default()), "{journal}");
    }

    #[test]
    fn known_failures_are_explained() {
        check(
            "level=error msg=\"Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match server node-passwd entry\"",
            Some("another password"),
        );
        check(
            "level=fatal msg=\"starting kubernetes: preparing server: failed to get CA certs: https://10.0.0.1:6443/v1-k3s/server-bootstrap: 401 Unauthorized\"",
            Some("does not accept the server token"),
        );
        check("etcdserver: too many learner members in cluster", Some("another server is joining"));
        check("flag provided but not defined: -foo", Some("does not know one"));
        check("Started Lightweight Kubernetes.", None);
    }
}
