//! One broken thing a case, and exactly the finding that it must give.

use std::collections::BTreeSet;

use serde_json::json;

use super::known;
use super::testing::{
    World, change, cloning, disturbing, findings, machines, nothing, plan, readings, spec,
};
use crate::diag::Level;
use crate::plan::Action;

struct Case {
    rule: &'static str,
    level: Level,
    edits: &'static [(&'static str, &'static str)],
    world: fn() -> World,
    message: &'static str,
}

type Edits = &'static [(&'static str, &'static str)];

const fn deny(rule: &'static str, edits: Edits, message: &'static str) -> Case {
    Case { rule, level: Level::Deny, edits, world: nothing, message }
}

const fn warn(rule: &'static str, edits: Edits, message: &'static str) -> Case {
    Case { level: Level::Warn, ..deny(rule, edits, message) }
}

const fn in_world(world: fn() -> World, case: Case) -> Case {
    Case { world, ..case }
}

const CASES: &[Case] = &[
    warn(
        "anti-affinity",
        &[("[servers]", "[servers]\nkeep_apart = \"off\"")],
        "nothing keeps the servers on different ESXi hosts",
    ),
    warn(
        "anti-affinity",
        &[
            ("[servers]", "[servers]\nkeep_apart = \"require\""),
            ("datacenter", "hosts = [\"a\", \"b\"]\ndatacenter"),
        ],
        "3 machines cannot be on different ones of 2 hosts",
    ),
    in_world(
        || machines(&[("server-1", json!({"host": "h1"})), ("server-3", json!({"host": "h1"}))]),
        warn("anti-affinity", &[], "server-1 and server-3 run on one ESXi host, h1"),
    ),
    deny(
        "capacity",
        &[("count = 4", "count = 60")],
        "180 volumes are needed, and there is room for 177 volumes on 3 machines",
    ),
    warn(
        "capacity",
        &[("count = 4", "count = 40")],
        "with agent-1 or any of 2 others down, 120 volumes are needed, and there is room for 118 volumes on 2 machines",
    ),
    deny(
        "cluster-id",
        &[("[storage]", "[csi]\ncluster_id = \"domain-c8\"\n[storage]")],
        "`domain-c8` is vCenter's id of a compute cluster, not a name of this Kubernetes cluster",
    ),
    warn(
        "couchdb-spread",
        &[("nodes = 3 }", "nodes = 3 }\nplacement = \"spread\"")],
        "any of several machines stops county-1 and 3 more by its loss",
    ),
    in_world(
        || plan(vec![change("server-1", Action::Replace), change("server-2", Action::Replace)]),
        deny("data-loss", &[], "2 servers would go at once: server-1 and server-2"),
    ),
    deny(
        "dead-registry",
        &[("[storage]", "[csi]\nsidecar_registry = \"k8s.gcr.io/sig-storage\"\n[storage]")],
        "images of the sidecars of CSI cannot be pulled from k8s.gcr.io/sig-storage",
    ),
    deny(
        "dead-registry",
        &[(
            "[storage]",
            "[cloud_provider]\nimage = \"gcr.io/cloud-provider-vsphere/cpi/release/manager\"\n[storage]",
        )],
        "images of CPI cannot be pulled from gcr.io/cloud-provider-vsphere/cpi/release/manager",
    ),
    deny(
        "dead-registry",
        &[("[storage]", "[images]\nreplace = { \"a/b\" = \"k8s.gcr.io/b:v1\" }\n[storage]")],
        "a/b is replaced by k8s.gcr.io/b:v1, which cannot be pulled",
    ),
    deny(
        "default-class",
        &[("\"vmware-sc\"", "\"vmware-sc\"\nlocal_path = \"default\"")],
        "`vmware-sc` and k3s' local-path are both default classes",
    ),
    warn(
        "default-class",
        &[("\"vmware-sc\"", "\"vmware-sc\"\ndefault = false")],
        "`vmware-sc` is not the default class; no class is",
    ),
    warn(
        "docker-runtime",
        &[("[k3s]", "[k3s]\nruntime = \"docker\"")],
        "containers run in Docker, which k3s calls experimental",
    ),
    warn(
        "end-of-life",
        &[("5.3.1", "5.1.3")],
        "CHT 5.1.3 of county-1 and 3 more has had no fixes since 2026-09-26",
    ),
    warn(
        "end-of-life",
        &[("5.3.1", "5.2.0")],
        "CHT 5.2.0 of county-1 and 3 more has no fixes after 2026-11-26, in 4 days",
    ),
    warn(
        "end-of-life",
        &[("v1.35.9+k3s1", "v1.33.1+k3s1")],
        "k3s v1.33.1+k3s1 has had no fixes since 2026-06-28",
    ),
    warn(
        "firewall-off",
        &[("[network]", "[network]\nfirewall = false")],
        "boma keeps no firewall rules on the machines",
    ),
    warn(
        "fixed-join-server",
        &[("[k3s]", "[k3s]\njoin_server = \"server-1\"")],
        "machines join at server-1 only",
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
    deny(
        "kubeconfig-mode",
        &[("[k3s]", "[k3s]\nkubeconfig_mode = \"0644\"")],
        "every user of a server may use k3s.yaml (mode 0644)",
    ),
    warn(
        "level-ignored",
        &[("[storage]", "[rules]\ndata-loss = \"allow\"\n[storage]")],
        "the level of `data-loss` cannot be lowered; it stays at deny",
    ),
    deny(
        "local-volume",
        &[("nodes = 3", "nodes = 3, storage_class = \"local-path\"")],
        "the data of county-1 and 3 more is on single machines' own disks",
    ),
    warn(
        "machine-size",
        &[("cpus = 4", "cpus = 1")],
        "too little CPU for k3s servers: server-1 and 2 more",
    ),
    deny(
        "no-backup",
        &[
            ("[backup]\nmode = \"managed\"\n\n[backup.etcd.s3]", "[images.credentials.x]"),
            ("endpoint = \"s3.example.org\"\nbucket = \"etcd\"\n", ""),
            ("access_key", "username"),
            ("secret_key", "password"),
        ],
        "nothing takes backups of `small`",
    ),
    warn(
        "no-backup",
        &[
            ("[backup.etcd.s3]", "[images.credentials.x]"),
            ("endpoint = \"s3.example.org\"\nbucket = \"etcd\"\n", ""),
            ("access_key", "username"),
            ("secret_key", "password"),
        ],
        "snapshots of etcd stay on the servers' own disks",
    ),
    warn(
        "no-entry",
        &[("[k3s]", "[k3s]\ndisable = [\"servicelb\"]")],
        "nothing of k3s answers on ports 80 and 443 without servicelb",
    ),
    in_world(
        || {
            let uuid = json!({"bios_uuid": "42", "host": "h"});
            let other = json!({"bios_uuid": "42", "host": "i"});
            machines(&[("server-1", uuid), ("server-3", other)])
        },
        deny("duplicate-uuid", &[], "server-1 and server-3 have one BIOS UUID, 42"),
    ),
    in_world(
        || {
            let need = |operation: &str, privilege: &str| {
                json!({"path": "/DC1/vm", "kind": "vsphere/vm", "operation": operation,
                    "field": null, "privilege": privilege})
            };
            let lacking = [need("create", "A.Clone"), need("delete", "A.Delete")];
            cloning(&json!({ "lacking": lacking }))
        },
        deny("privileges", &[], "boma's account lacks on /DC1/vm: A.Clone"),
    ),
    in_world(
        || {
            let gone = json!({"what": "network", "name": "VM Network", "reason": "there is none"});
            let unused = json!({"what": "network", "name": "x", "reason": "there is none, too"});
            cloning(&json!({"missing": [gone, unused]}))
        },
        deny("site", &[], "there is none"),
    ),
    in_world(
        || cloning(&json!({"templates": {"ubuntu": {"template": false}}})),
        deny("site", &[], "ubuntu is a VM, not a template"),
    ),
    in_world(
        || cloning(&json!({"templates": {"ubuntu": {"template": true, "disk_gib": 80}}})),
        deny("site", &[], "template ubuntu has a disk of 80 GiB, more than the 50 GiB of server-1"),
    ),
    in_world(
        || cloning(&json!({"templates": {"ubuntu": {"template": true, "tools": false}}})),
        warn("site", &[], "VMware Tools were never seen in template ubuntu"),
    ),
    in_world(
        || cloning(&json!({"free_gib": {"ds1": 20}})),
        warn("site", &[], "datastore ds1 has 20 GiB free, and new machines have 50 GiB of disk"),
    ),
    in_world(
        || {
            let seen = json!({"bios_uuid": "4217-b"});
            let vm = json!({"bios_uuid": "4217-A", "host": "h"});
            readings(&[("host/machine/server-1", seen), ("vsphere/vm/server-1", vm)])
        },
        deny(
            "bios-uuid",
            &[],
            "at 10.20.0.11 answers a machine with BIOS UUID 4217-b, and server-1 has 4217-A",
        ),
    ),
    in_world(
        || readings(&[("host/machine/agent-1", json!({"k3s_certificate_days": 12}))]),
        warn("certificate-expiry", &[], "certificates of k3s on agent-1 end in 12 days"),
    ),
    in_world(
        || readings(&[("host/machine/agent-1", json!({"k3s_certificate_days": -2}))]),
        warn("certificate-expiry", &[], "certificates of k3s on agent-1 have ended"),
    ),
    in_world(
        || readings(&[("host/machine/agent-1", json!({"cgroup": "v1"}))]),
        deny("cgroup-version", &[], "k3s v1.35.9+k3s1 does not start on cgroup v1: agent-1"),
    ),
    in_world(
        || {
            let with = |domain: &str| json!({"config": {"cluster-domain": domain}});
            readings(&[
                ("k3s/server/server-1", with("a.local")),
                ("k3s/server/server-2", with("cluster.local")),
                ("k3s/server/server-3", json!({"config": {"disable": ["traefik"]}})),
            ])
        },
        deny(
            "critical-flags",
            &[],
            "servers differ in cluster-domain: server-1 a.local; server-2 and server-3 cluster.local",
        ),
    ),
    in_world(
        || {
            let without = json!({"config": {"disable": ["servicelb"]}});
            let with = json!({"config": {"disable": ["traefik"]}});
            readings(&[("k3s/server/server-1", without), ("k3s/server/server-2", with)])
        },
        deny(
            "critical-flags",
            &[],
            "servers differ in disable: server-2 with servicelb; server-1 without servicelb",
        ),
    ),
    in_world(
        || {
            let seen = || json!({"hostname": "Agent-1"});
            readings(&[("host/machine/agent-1", seen()), ("host/machine/agent-2", seen())])
        },
        deny("duplicate-hostname", &[], "agent-1 and agent-2 have one hostname, agent-1"),
    ),
    in_world(
        || {
            let seen = || json!({"machine_id": "7c"});
            readings(&[("host/machine/agent-1", seen()), ("host/machine/agent-2", seen())])
        },
        deny("duplicate-machine-id", &[], "agent-1 and agent-2 have one machine-id, 7c"),
    ),
    in_world(
        || {
            let vm = json!({"cpus": 8, "memory_mib": 32768, "host": "h"});
            let seen = json!({"cpus": 4, "memory_mib": 31000, "disk_free_mib": 20000});
            readings(&[("host/machine/agent-1", seen), ("vsphere/vm/agent-1", vm)])
        },
        warn("host-size", &[], "agent-1 sees 4 of 8 CPUs"),
    ),
    in_world(
        || {
            let vm = json!({"cpus": 8, "memory_mib": 32768, "host": "h"});
            let seen = json!({"cpus": 8, "memory_mib": 16000});
            readings(&[("host/machine/agent-1", seen), ("vsphere/vm/agent-1", vm)])
        },
        warn("host-size", &[], "agent-1 sees 16000 of 32768 MiB of memory"),
    ),
    in_world(
        || readings(&[("host/machine/agent-1", json!({"disk_free_mib": 900}))]),
        warn("host-size", &[], "agent-1 has 900 MiB of disk left for k3s"),
    ),
    in_world(
        || readings(&[("host/machine/agent-1", json!({"hostname": "ubuntu"}))]),
        warn("hostname", &[], "the hostname of agent-1 is ubuntu"),
    ),
    in_world(
        || readings(&[("host/machine/agent-1", json!({"hostname": "ubuntu"}))]),
        deny("hostname", &[("template = \"ubuntu\"\n", "")], "the hostname of agent-1 is ubuntu"),
    ),
    in_world(
        || {
            let seen = |route: bool| json!({"default_route": route});
            readings(&[("host/machine/agent-1", seen(false)), ("host/machine/agent-2", seen(true))])
        },
        deny("no-default-route", &[], "k3s does not start without a default route: agent-1"),
    ),
    in_world(
        || {
            let voter = || json!({"spare_voters": 0, "member": "voter", "ready": "yes"});
            let dead = json!({"spare_voters": 0, "member": "voter", "ready": "no"});
            let read = [
                ("k3s/server/server-1", voter()),
                ("k3s/server/server-2", voter()),
                ("k3s/server/server-3", dead),
            ];
            let restart = |server| (server, Action::Update);
            disturbing(&read, &[restart("k3s/server/server-1"), restart("k3s/server/server-3")])
        },
        deny("spare-voter", &[], "server-1 would be down, and etcd has no voter to spare"),
    ),
    in_world(
        || {
            let config = json!({"config": {"write-kubeconfig-mode": "644"}});
            readings(&[("k3s/server/server-2", config)])
        },
        warn("kubeconfig-mode", &[], "every user may use k3s.yaml of server-2"),
    ),
    in_world(
        || readings(&[("host/machine/server-1", json!({"clock_skew_s": -45}))]),
        warn("time-skew", &[], "the clock of server-1 is 45 seconds behind boma's"),
    ),
    in_world(
        || {
            let read = [("host/machine/server-1", json!({"clock_skew_s": 31}))];
            disturbing(&read, &[("k3s/server/server-1", Action::Create)])
        },
        deny("time-skew", &[], "the clock of server-1 is 31 seconds ahead of boma's"),
    ),
    in_world(
        || {
            let seen = |skew: f64| json!({"clock_skew_s": skew});
            readings(&[
                ("host/machine/server-1", seen(60.0)),
                ("host/machine/server-2", seen(61.2)),
                ("host/machine/server-3", seen(59.4)),
            ])
        },
        warn("time-skew", &[], "the machines' clocks are 60 seconds ahead of boma's"),
    ),
    in_world(
        || readings(&[("host/machine/server-1", json!({"token_accepted": false}))]),
        deny("token-refused", &[], "the cluster does not take the token of the spec: server-1"),
    ),
    in_world(
        || readings(&[("k3s/server/server-1", json!({"version": "v1.36.1+k3s1"}))]),
        deny(
            "upgrade-path",
            &[],
            "k3s v1.35.9+k3s1 is older than v1.36.1+k3s1, which is on server-1",
        ),
    ),
    in_world(
        || readings(&[("k3s/agent/agent-2", json!({"version": "v1.33.1+k3s1"}))]),
        deny(
            "upgrade-path",
            &[],
            "k3s v1.35.9+k3s1 skips a minor after v1.33.1+k3s1, which is on agent-2",
        ),
    ),
    in_world(
        || readings(&[("k3s/server/server-1", json!({"wrong_provider_ids": ["agent-1"]}))]),
        warn("wrong-provider-id", &[], "the provider id of agent-1 is not the BIOS UUID of its VM"),
    ),
    in_world(
        || {
            let read = [("k3s/server/server-1", json!({"wrong_provider_ids": ["agent-1"]}))];
            disturbing(&read, &[("k3s/agent/agent-2", Action::Update)])
        },
        deny(
            "wrong-provider-id",
            &[],
            "no node may restart while the provider id of agent-1 is not the BIOS UUID of its VM",
        ),
    ),
    warn(
        "no-ssh-key",
        &[("authorized_keys = [", "# [")],
        "new machines accept no SSH key that the spec knows",
    ),
    warn(
        "node-deletion-off",
        &[("[storage]", "[cloud_provider]\nskip_node_deletion = true\n[storage]")],
        "nodes stay in the cluster after their machines are gone",
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
    deny(
        "provider-id",
        &[("[k3s]", "[k3s]\nprovider_id = \"instance-uuid\"")],
        "nodes are named by the instance UUID, by which CPI finds no machine",
    ),
    warn(
        "quorum",
        &[("count = 3", "count = 1"), ("11-13", "11")],
        "1 server cannot lose one and keep etcd's quorum",
    ),
    deny(
        "reclaim-policy",
        &[("\"vmware-sc\"", "\"vmware-sc\"\nreclaim = \"Delete\"")],
        "a volume is deleted with its claim",
    ),
    warn(
        "reclaim-policy",
        &[("[storage]", "[snapshots]\ndeletion = \"Delete\"\n[storage]")],
        "a snapshot is deleted with its object in the cluster",
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
        "storage-account-name",
        &[("storage@vsphere.local", "storage@my_domain")],
        "CSI v3.7.2 refuses `storage@my_domain`: its domain has an underscore",
    ),
    deny(
        "tls-off",
        &[("datacenter", "insecure = true\ndatacenter")],
        "the vCenter's certificate is not checked",
    ),
    deny(
        "unknown-rule",
        &[("[storage]", "[rules]\nquorm = \"allow\"\n[storage]")],
        "[rules] names a rule `quorm` that does not exist",
    ),
    warn(
        "version-skew",
        &[("[storage]", "[cloud_provider]\nversion = \"v1.36.0\"\n[storage]")],
        "CPI v1.36.0 is for Kubernetes 1.36, and k3s is 1.35",
    ),
    warn(
        "version-skew",
        &[("[storage]", "[csi]\nversion = \"v3.6.3\"\n[storage]")],
        "CSI v3.6.3 is for Kubernetes 1.32 to 1.34, and k3s is 1.35",
    ),
    warn(
        "version-skew",
        &[("[storage]", "[csi]\nversion = \"v3.4.0\"\n[storage]")],
        "which Kubernetes minors CSI v3.4.0 is for is not on record",
    ),
    warn(
        "version-skew",
        &[("[storage]", "[snapshots]\nversion = \"v8.4.0\"\n[storage]")],
        "CSI v3.7.2 is tested with snapshot controller v8.2.0, not v8.4.0",
    ),
    warn(
        "version-skew",
        &[("[storage]", "[csi]\nhigh_density = true\nversion = \"v3.7.0\"\n[storage]")],
        "CSI v3.7.0 has no high density of volumes",
    ),
    warn(
        "volume-expansion",
        &[("\"vmware-sc\"", "\"vmware-sc\"\nexpansion = false")],
        "volumes cannot grow",
    ),
    warn(
        "waiver-expired",
        &[(
            "[storage]",
            "[[waivers]]\nrule = \"quorum\"\nreason = \"r\"\nexpires = 2026-11-21\n[storage]",
        )],
        "the waiver of `quorum` held until 2026-11-21",
    ),
    warn(
        "waiver-unused",
        &[(
            "[storage]",
            "[[waivers]]\nrule = \"quorum\"\nreason = \"r\"\nexpires = 2026-11-22\n[storage]",
        )],
        "there is no finding of `quorum` to waive",
    ),
    warn(
        "zone-tags",
        &[(
            "[storage]",
            "[cloud_provider]\nregion = \"k8s-region\"\nzone = \"k8s-zone\"\n[storage]",
        )],
        "machines without tags of `k8s-region` and `k8s-zone` never get ready",
    ),
];

/// What cannot be broken alone: old versions are past their end, too.
const JOINED: &[Case] = &[
    deny(
        "docker-version",
        &[
            ("v1.35.9+k3s1", "v1.25.14+k3s1"),
            ("[k3s]", "[docker]\nversion = \"29.0.0\"\n[k3s]\nruntime = \"docker\""),
        ],
        "k3s v1.25.14+k3s1 cannot use Docker 29.0.0",
    ),
    deny(
        "dead-registry",
        &[("v1.35.9+k3s1", "v1.25.14+k3s1")],
        "registry.k8s.io never had images of CPI v1.25.3",
    ),
    deny(
        "dead-registry",
        &[("v1.35.9+k3s1", "v1.25.14+k3s1")],
        "registry.k8s.io never had images of CSI v2.7.2",
    ),
    warn(
        "end-of-life",
        &[("5.3.1", "4.10.0")],
        "CHT 4.10.0 of county-1 and 3 more has had no fixes since 2026-11-20 or earlier",
    ),
    warn(
        "image-owner",
        &[("\"5.3.1\"", "\"4.22.0\"\nimage_owner = \"boma\"")],
        "boma undoes upgrades of county-1 and 3 more from the admin page",
    ),
    deny(
        "cluster-id",
        &[
            ("v1.35.9+k3s1", "v1.25.14+k3s1"),
            ("[storage]", "[csi]\nkeep_generated_id = true\n[storage]"),
        ],
        "CSI v2.7.2 generates no cluster id",
    ),
];

#[test]
fn the_sound_spec_breaks_no_rule() {
    assert_eq!(findings(&spec(&[]), &nothing()), []);
}

#[test]
fn one_broken_thing_is_one_finding() {
    for case in CASES {
        let found = findings(&spec(case.edits), &(case.world)());
        let found: Vec<_> =
            found.iter().map(|found| (found.rule, found.level, found.message.as_str())).collect();
        assert_eq!(found, [(case.rule, case.level, case.message)]);
    }
}

#[test]
fn old_versions_break_several_rules() {
    for case in JOINED {
        let found = findings(&spec(case.edits), &nothing());
        let expected = (case.rule, case.level, case.message);
        let mut found = found.iter().map(|found| (found.rule, found.level, found.message.as_str()));
        assert!(found.any(|found| found == expected), "{expected:?}");
    }
}

#[test]
fn every_finding_names_its_way_out() {
    for case in CASES {
        for found in findings(&spec(case.edits), &(case.world)()) {
            assert!(!found.help.is_empty() && !found.message.ends_with('.'), "{found:?}");
        }
    }
}

#[test]
fn every_rule_has_a_case_and_a_name_of_its_own() {
    let names: BTreeSet<&str> = known().iter().copied().collect();
    assert_eq!(names.len(), known().len(), "two rules have one name");
    let kebab = |name: &&str| {
        name.split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
    };
    assert!(names.iter().all(kebab));
    let tested = CASES.iter().chain(JOINED).map(|case| case.rule);
    assert_eq!(names, tested.collect());
}
