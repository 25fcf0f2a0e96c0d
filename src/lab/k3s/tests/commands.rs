//! What `kubectl` and `k3s` say, and what a server answers over HTTPS.

use super::*;

#[test]
fn cordon_and_drain_speak_as_kubectl_does() {
    let (mut site, _, _) = Site::standing();
    check(&site.kubectl("cordon agent-1"), 0, "node/agent-1 cordoned\n", "");
    check(&site.kubectl("cordon agent-1"), 0, "node/agent-1 already cordoned\n", "");
    check(&site.kubectl("uncordon agent-1"), 0, "node/agent-1 uncordoned\n", "");
    let missing = "Error from server (NotFound): nodes \"agent-9\" not found\n";
    check(&site.kubectl("cordon agent-9"), 1, "", missing);
    let refused = site.kubectl("drain agent-1");
    assert_eq!((refused.status, refused.stdout.as_str()), (1, "node/agent-1 cordoned\n"));
    assert!(
        refused.stderr.contains("(use --ignore-daemonsets to ignore): kube-system/svclb-traefik")
    );
    assert!(refused.stderr.contains("(use --delete-emptydir-data to override): lab/cache-"));
    assert!(refused.stderr.contains("There are pending nodes to be drained:\n agent-1\n"));
    let done = site.kubectl("drain agent-1 --ignore-daemonsets --delete-emptydir-data");
    assert!(done.status == 0 && done.stdout.ends_with("node/agent-1 drained\n"), "{done:?}");
    assert!(done.stderr.starts_with("Warning: ignoring DaemonSet-managed Pods: kube-system/"));
    let pods = |site: &Site, name: &str| {
        site.status().nodes.iter().find(|node| node.name == name).unwrap().pods
    };
    assert_eq!((pods(&site, "agent-1"), pods(&site, "agent-2")), (0, 4));
    site.kubectl("drain agent-2 --ignore-daemonsets --delete-emptydir-data");
    assert_eq!((pods(&site, "agent-1"), pods(&site, "agent-2")), (0, 0));
    site.kubectl("uncordon agent-1");
    assert_eq!(pods(&site, "agent-1"), 4);
}

#[test]
fn a_stuck_pod_makes_a_drain_time_out() {
    let (mut site, _, _) = Site::standing();
    let cluster = site.cluster();
    let effects = stick_pod(&site.clusters, &cluster, "agent-1", site.now_ms);
    site.apply(&effects);
    let line = "drain agent-1 --ignore-daemonsets --delete-emptydir-data --timeout=90s";
    let reply = site.kubectl(line);
    assert_eq!((reply.status, reply.took_ms), (1, 90_000));
    assert!(
        reply.stderr.contains("Cannot evict pod as it would violate the pod's disruption budget.")
    );
    assert!(reply.stderr.contains("global timeout reached: 1m30s"));
    let effects = release_pods(&site.clusters, &cluster);
    site.apply(&effects);
    assert_eq!(site.kubectl(line).status, 0);
    site.stop("agent-2");
    let dead =
        site.kubectl("drain agent-2 --ignore-daemonsets --delete-emptydir-data --timeout=5s");
    assert!(dead.status == 1 && dead.stderr.contains("to terminate: global timeout reached: 5s"));
}

#[test]
fn edits_speak_as_kubectl_does() {
    let (mut site, _, _) = Site::standing();
    let annotated = "node/agent-1 annotated\n";
    check(&site.kubectl("annotate node agent-1 boma.dev/cordoned=x"), 0, annotated, "");
    let reply = site.kubectl("annotate node agent-1 boma.dev/cordoned=y");
    assert!(reply.status == 1 && reply.stderr.contains("already has a value (x)"));
    check(&site.kubectl("annotate --overwrite node/agent-1 boma.dev/cordoned=y"), 0, annotated, "");
    check(&site.kubectl("annotate node agent-1 boma.dev/cordoned-"), 0, annotated, "");
    assert!(site.node("agent-1")["metadata"]["annotations"].get("boma.dev/cordoned").is_none());
    check(&site.kubectl("label node agent-1 zone=a"), 0, "node/agent-1 labeled\n", "");
    check(&site.kubectl("label node agent-1 zone=a"), 0, "node/agent-1 not labeled\n", "");
    let refused = "error: 'zone' already has a value (a), and --overwrite is false\n";
    check(&site.kubectl("label node agent-1 zone=b"), 1, "", refused);
    check(&site.kubectl("label node agent-1 zone-"), 0, "node/agent-1 unlabeled\n", "");
    check(&site.kubectl("taint node agent-1 k=v:NoSchedule"), 0, "node/agent-1 tainted\n", "");
    assert_eq!(site.kubectl("taint node agent-1 k=w:NoSchedule").status, 1);
    check(&site.kubectl("taint node agent-1 k:NoSchedule-"), 0, "node/agent-1 untainted\n", "");
    check(&site.kubectl("taint node agent-1 k-"), 1, "", "error: taint \"k\" not found\n");
    check(
        &site.kubectl("taint node agent-1 k=v:Never"),
        1,
        "",
        "error: invalid taint spec: k=v:Never\n",
    );
}

#[test]
fn deleting_a_node_takes_member_and_password_with_it() {
    let (mut site, _, _) = Site::standing();
    let missing = "Error from server (NotFound): nodes \"x\" not found\n";
    check(&site.kubectl("delete node x"), 1, "", missing);
    check(&site.kubectl("delete node x --ignore-not-found"), 0, "", "");
    site.kubectl("delete node agent-1");
    assert!(runs(&site.clusters, "agent-1"), "its kubelet runs on, unregistered");
    assert_eq!(site.kubectl("get node agent-1").status, 1);
    site.stop("agent-1");
    assert!(!runs(&site.clusters, "agent-1"));
    site.stop("server-3");
    site.kubectl("delete node server-3");
    assert_eq!(site.status().nodes.len(), 3);
    site.kubectl("delete node server-2");
    let last = site.kubectl("delete node server-1 --timeout=10s");
    assert_eq!((last.status, last.took_ms), (1, 10_000));
}

#[test]
fn what_kubectl_does_not_know_it_refuses() {
    let (mut site, _, _) = Site::standing();
    check(&site.kubectl("frob"), 1, "", "error: unknown command \"frob\" for \"kubectl\"\n");
    let kind = "error: the server doesn't have a resource type \"frobs\"\n";
    check(&site.kubectl("get frobs"), 1, "", kind);
    let flag = "error: unknown flag: --frob\nSee 'kubectl get --help' for usage.\n";
    check(&site.kubectl("get nodes --frob"), 1, "", flag);
    assert!(site.kubectl("get nodes -x").stderr.contains("unknown shorthand flag: 'x' in -x"));
    assert!(site.kubectl("drain agent-1 --timeout=soon").stderr.contains("invalid duration"));
    for odd in [
        "",
        "get",
        "drain",
        "delete",
        "delete node",
        "annotate",
        "label node",
        "taint",
        "get -o",
        "get nodes -ojson",
        "cordon - -- ü",
        "get --raw",
        "annotate node agent-1 =",
        "taint node agent-1 -",
    ] {
        let _ = site.kubectl(odd);
    }
    assert!(site.kubectl("get nodes").stdout.starts_with("NAME"));
    assert!(site.kubectl("version").stdout.contains("Server Version: v1.35.9+k3s1"));
    let pods: Value = serde_json::from_str(&site.kubectl("get pods -A -o json").stdout).unwrap();
    assert_eq!(pods["items"].as_array().unwrap().len(), 13);
}

#[test]
fn k3s_saves_snapshots_and_changes_tokens() {
    let (mut site, servers, agents) = Site::standing();
    let reply = site.k3s("etcd-snapshot save --name before-upgrade");
    assert!(reply.status == 0 && reply.stderr.contains("Snapshot before-upgrade-server-1-"));
    assert_eq!(site.k3s("etcd-snapshot ls").stdout.lines().count(), 2);
    assert_eq!(site.k3s("token rotate --token wrong --new-token n").status, 1);
    let reply = site.k3s("token rotate --token s --new-token n");
    assert!(reply.stdout.contains("Token rotated"), "{reply:?}");
    site.refuse(&servers[0], "encrypted with different token");
    site.refuse(&Host::server("server-4", &servers[1]), "401 Unauthorized");
    site.up(&servers[0].clone().with("token", "n"));
    site.up(&agents[0]);
    site.up(&Host::server("server-4", &servers[1]).with("token", "n"));
    assert!(version_text(V35).starts_with("k3s version v1.35.9+k3s1 ("));
    assert_eq!(site.k3s("check-config").status, 0);
    assert_eq!(site.k3s("frob").status, 3);
}

#[test]
fn a_server_answers_strangers_little() {
    let (site, _, _) = Site::standing();
    let ask = |path: &str, auth| https(&site.clusters, &site.cluster(), path, auth, site.now_ms);
    assert_eq!(ask("/ping", None), (200, "pong".to_owned()));
    assert_eq!(super::ids::sha256(&ask("/cacerts", None).1), site.status().ca_hash);
    assert_eq!(ask("/v1-k3s/readyz", Some(("node", "a"))).0, 200);
    assert_eq!(ask("/v1-k3s/readyz", Some(("server", "s"))).0, 200);
    assert_eq!(ask("/v1-k3s/readyz", Some(("node", "wrong"))).0, 401);
    assert_eq!(ask("/v1-k3s/readyz", None).0, 401);
    assert_eq!(ask("/api/v1/nodes", None).0, 401);
}

#[test]
fn the_token_is_changed_over_https_by_whoever_has_it() {
    let (mut site, servers, _) = Site::standing();
    let put = |site: &Site, auth, body: &str| {
        put_token(&site.clusters, &site.cluster(), auth, body, site.now_ms)
    };
    let body = r#"{"newToken": "n"}"#;
    assert_eq!(put(&site, None, body).0, 401);
    assert_eq!(put(&site, Some(("server", "wrong")), body).0, 401);
    assert_eq!(put(&site, Some(("node", "a")), body).0, 403);
    assert_eq!(put(&site, Some(("server", "s")), "{").0, 400);
    let (status, _, effects) = put(&site, Some(("server", "s")), body);
    assert_eq!(status, 200);
    site.apply(&effects);
    site.refuse(&servers[0], "encrypted with different token");
    site.up(&servers[0].clone().with("token", "n"));
}
