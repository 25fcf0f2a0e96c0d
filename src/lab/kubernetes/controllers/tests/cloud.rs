//! Nodes that wait for the cloud provider.

use serde_json::{Value as Json, json};

use super::rig::{ACCOUNT, Rig, SEED, SERVER, encoded};
use crate::lab::Lab;
use crate::lab::kubernetes::Key;

const RBAC: &str = "rbac.authorization.k8s.io";
const NEW: &str = "registry.k8s.io/cloud-pv-vsphere/cloud-provider-vsphere:v1.35.1";
const OLD: &str = "mirror.example.org/cpi/manager:v1.25.3";

/// Account, roles, Secret, configuration and daemon of the cloud provider.
#[track_caller]
pub fn install(rig: &mut Rig, image: &str, password: &str) {
    let subject = json!({"kind": "ServiceAccount", "name": "ccm", "namespace": "kube-system"});
    rig.put(
        &Key::new("", "serviceaccounts", "kube-system", "ccm"),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}}),
    );
    rig.put(
        &Key::new(RBAC, "clusterroles", "", "ccm"),
        json!({
            "kind": "ClusterRole", "metadata": {},
            "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["*"]}],
        }),
    );
    rig.put(
        &Key::new(RBAC, "clusterrolebindings", "", "ccm"),
        json!({
            "kind": "ClusterRoleBinding", "metadata": {}, "subjects": [subject],
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "ccm"},
        }),
    );
    rig.put(&Key::new(RBAC, "rolebindings", "kube-system", "reader"), json!({
        "kind": "RoleBinding", "metadata": {}, "subjects": [subject],
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "extension-apiserver-authentication-reader"},
    }));
    rig.put(
        &secret(),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": {
            format!("{SERVER}.username"): encoded(ACCOUNT),
            format!("{SERVER}.password"): encoded(password),
        }}),
    );
    let config = format!(
        "global:\n  secretName: vsphere\n  secretNamespace: kube-system\nvcenter:\n  {SERVER}:\n    server: {SERVER}\n    datacenters:\n      - DC1\n"
    );
    rig.put(&config_key(), json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {"vsphere.conf": config},
    }));
    rig.put(
        &daemon(),
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {},
            "spec": {
                "selector": {"matchLabels": {"name": "ccm"}},
                "template": {"metadata": {"labels": {"name": "ccm"}}, "spec": pod(image)},
            },
        }),
    );
}

fn pod(image: &str) -> Json {
    let exists = |key: &str| json!({"key": key, "effect": "NoSchedule", "operator": "Exists"});
    json!({
        "serviceAccountName": "ccm", "hostNetwork": true, "priorityClassName": "system-node-critical",
        "tolerations": [
            {"key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule"},
            exists("node-role.kubernetes.io/control-plane"),
        ],
        "nodeSelector": {"node-role.kubernetes.io/control-plane": "true"},
        "containers": [{
            "name": "ccm", "image": image,
            "args": ["--cloud-provider=vsphere", "--cloud-config=/etc/cloud/vsphere.conf"],
            "volumeMounts": [{"name": "config", "mountPath": "/etc/cloud"}],
        }],
        "volumes": [{"name": "config", "configMap": {"name": "vsphere"}}],
    })
}

pub fn password() -> String {
    Lab::password_of(SEED, ACCOUNT)
}

fn secret() -> Key {
    Key::new("", "secrets", "kube-system", "vsphere")
}

fn config_key() -> Key {
    Key::new("", "configmaps", "kube-system", "vsphere")
}

fn daemon() -> Key {
    Key::new("apps", "daemonsets", "kube-system", "ccm")
}

fn waiting(rig: &Rig) -> Vec<&str> {
    let nodes = rig.cluster().nodes.values();
    let waits = nodes.filter(|node| !node.taints.is_empty());
    waits.map(|node| node.name.as_str()).collect()
}

#[test]
fn without_a_cloud_provider_nothing_runs() {
    let rig = Rig::new(true);
    assert_eq!(waiting(&rig).len(), 5);
    assert_eq!(rig.pods("coredns-")[0].2, "Pending");
    rig.assert_event(
        "FailedScheduling",
        "5 node(s) had untolerated taint {node.cloudprovider.kubernetes.io/uninitialized: true}",
    );
}

#[test]
fn a_cloud_provider_initialises_nodes() {
    let mut rig = Rig::new(true);
    install(&mut rig, NEW, &password());
    assert_eq!(waiting(&rig), Vec::<&str>::new());
    assert_eq!(rig.get(&daemon())["status"]["numberReady"], 3);
    let node = &rig.cluster().nodes["agent-1"];
    assert_eq!(node.provider_id, format!("vsphere://{}", rig.uuid("agent-1")));
    assert_eq!(
        node.labels["node.kubernetes.io/instance-type"],
        "vsphere-vm.cpu-4.mem-8gb.os-ubuntu"
    );
    assert_eq!(rig.pods("coredns-")[0].2, "Running");
}

#[test]
fn a_wrong_password_crashes_until_it_is_right() {
    let mut rig = Rig::new(true);
    install(&mut rig, NEW, "wrong");
    assert_eq!(rig.pods("ccm-")[0].3, "CrashLoopBackOff");
    rig.assert_event("LastLog", "Cannot complete login due to an incorrect user name or password.");
    assert_eq!(waiting(&rig).len(), 5);
    rig.edit(&secret(), |secret| {
        secret["data"][format!("{SERVER}.password")] = json!(encoded(&password()));
    });
    assert_eq!(waiting(&rig), Vec::<&str>::new());
}

#[test]
fn what_it_is_told_must_fit() {
    for (change, says) in [
        ((SERVER, "other.example.org"), "credentials not found for server other.example.org"),
        (("      - DC1", "      - DC2"), "datacenter 'DC2' not found"),
        (("secretName: vsphere", "secretName: other"), "secret \"other\" not found"),
        (("global:", "global"), "yaml: line 1"),
    ] {
        let mut rig = Rig::new(true);
        install(&mut rig, NEW, "wrong");
        let mut config = rig.get(&config_key());
        let text = config["data"]["vsphere.conf"].as_str().unwrap().replace(change.0, change.1);
        config["data"]["vsphere.conf"] = json!(text);
        let mut right = rig.get(&secret());
        right["data"][format!("{SERVER}.password")] = json!(encoded(&password()));
        rig.put(&config_key(), config);
        rig.put(&secret(), right);
        rig.assert_event("LastLog", says);
        assert_eq!(waiting(&rig).len(), 5, "{says}");
    }
    let mut rig = Rig::new(true);
    rig.site.vcenter = "elsewhere.example.org".to_owned();
    install(&mut rig, NEW, &password());
    rig.assert_event("LastLog", "no such host");
    let mut rig = Rig::new(true);
    install(&mut rig, OLD, &password());
    assert_eq!(waiting(&rig), Vec::<&str>::new(), "older ones do as well");
    let mut rig = Rig::new(true);
    install(&mut rig, "gcr.io/cloud-provider-vsphere/cpi/release/manager:v1.25.3", &password());
    assert_eq!(rig.pods("ccm-")[0].3, "ImagePullBackOff");
}

#[test]
fn without_its_bindings_it_may_nothing() {
    let mut rig = Rig::new(true);
    install(&mut rig, NEW, "wrong");
    rig.delete(&Key::new(RBAC, "rolebindings", "kube-system", "reader"));
    rig.assert_event(
        "LastLog",
        "configmaps is forbidden: User \"system:serviceaccount:kube-system:ccm\" cannot get",
    );
}

#[test]
fn a_wrong_provider_id_is_found_by_name_only_before_1_35() {
    let wrong = "vsphere://11111111-2222-4333-a444-555555555555";
    for (image, expected) in [(NEW, vec!["server-1"]), (OLD, vec![])] {
        let mut rig = Rig::machines(&["server-1", "server-2"]);
        rig.up("server-1", 0, true, wrong);
        let right = format!("vsphere://{}", rig.uuid("server-2"));
        rig.up("server-2", 1, true, &right);
        rig.settle();
        install(&mut rig, image, &password());
        assert_eq!(waiting(&rig), expected, "{image}");
    }
    let mut rig = Rig::machines(&["server-1"]);
    rig.up("server-1", 0, true, "");
    rig.settle();
    install(&mut rig, NEW, &password());
    let id = format!("vsphere://{}", rig.uuid("server-1"));
    assert_eq!(rig.cluster().nodes["server-1"].provider_id, id);
}

#[test]
fn nodes_whose_machine_is_unknown_are_deleted_once_they_are_away() {
    let wrong = "vsphere://11111111-2222-4333-a444-555555555555";
    for keeps in [false, true] {
        let names = ["server-1", "agent-1", "agent-2"];
        let mut rig = Rig::machines(&names);
        for (place, name) in names.iter().enumerate() {
            let id = match *name {
                "agent-2" => wrong.to_owned(),
                name => format!("vsphere://{}", rig.uuid(name)),
            };
            rig.up(name, place, true, &id);
        }
        rig.settle();
        install(&mut rig, OLD, &password());
        if keeps {
            let env = json!([{"name": "SKIP_NODE_DELETION", "value": "true"}]);
            rig.edit(&daemon(), |it| it["spec"]["template"]["spec"]["containers"][0]["env"] = env);
        }
        rig.stop("agent-1");
        rig.stop("agent-2");
        assert!(rig.cluster().nodes.contains_key("agent-1"));
        assert_eq!(rig.cluster().nodes.contains_key("agent-2"), keeps);
    }
}
