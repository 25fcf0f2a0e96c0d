//! What was seen on hosts, and how k3s stands on them.

use serde_json::json;

use super::{Case, deny, in_world, warn};
use crate::plan::Action;
use crate::resource::Reading;
use crate::rules::testing::{World, disturbing, readings};

pub const CASES: &[Case] = &[
    warn(
        "docker-runtime",
        &[("[k3s]", "[k3s]\nruntime = \"docker\"")],
        "containers run in Docker, which k3s calls experimental",
    ),
    deny(
        "kubeconfig-mode",
        &[("[k3s]", "[k3s]\nkubeconfig_mode = \"0644\"")],
        "every user of a server may use k3s.yaml (mode 0644)",
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
        warn("time-skew", &[], "the clock of server-1 is 31 seconds ahead of boma's"),
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
        || {
            let problem = "another cluster answers at 10.20.0.11";
            let seen = json!({"join": "another-cluster", "join_problem": problem});
            disturbing(&[("host/machine/agent-1", seen)], &[("k3s/agent/agent-1", Action::Create)])
        },
        deny("join-endpoint", &[], "agent-1 cannot join: another cluster answers at 10.20.0.11"),
    ),
    in_world(
        || {
            let seen = || json!({"join": "silent", "join_problem": "no server can be joined"});
            disturbing(
                &[("host/machine/agent-1", seen()), ("host/machine/agent-2", seen())],
                &[("k3s/agent/agent-1", Action::Create), ("k3s/agent/agent-2", Action::Create)],
            )
        },
        warn("join-endpoint", &[], "agent-1 and agent-2 cannot join: no server can be joined"),
    ),
    in_world(
        || {
            let up = json!({"service": "active", "node": "present",
                "others_not_ready": ["agent-3", "old-1"]});
            let mut world =
                disturbing(&[("k3s/agent/agent-1", up)], &[("k3s/agent/agent-1", Action::Update)]);
            let unread = Reading::Unread("no answer".into());
            let mut live = world.live.take().unwrap_or_default();
            live.insert("k3s/agent/agent-3".into(), unread);
            World { live: Some(live), ..world }
        },
        deny(
            "node-down",
            &[],
            "agent-1 would be drained while agent-3 and old-1 are not Ready, and nothing in this plan brings that back",
        ),
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
];
