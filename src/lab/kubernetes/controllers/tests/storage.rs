//! Claims, volumes, and the disks behind them.

use serde_json::{Value as Json, json};

use super::cloud;
use super::rig::{ACCOUNT, Rig, SERVER, deployment, deployments, encoded};
use crate::lab::kubernetes::Key;

const RBAC: &str = "rbac.authorization.k8s.io";
const SPACE: &str = "vmware-system-csi";
const DRIVER: &str = "csi.vsphere.vmware.com";

fn conf(user: &str, password: &str) -> String {
    format!(
        "[Global]\ncluster-id = \"test\"\n\n[VirtualCenter \"{SERVER}\"]\nuser = \"{user}\"\npassword = \"{password}\"\ndatacenters = \"DC1\"\n"
    )
}

fn secret() -> Key {
    Key::new("", "secrets", SPACE, "vsphere-config-secret")
}

/// What the driver's manifest has, in short.
#[track_caller]
fn install(rig: &mut Rig, conf: &str) {
    rig.space(SPACE);
    rig.put(
        &Key::new("", "serviceaccounts", SPACE, "csi"),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}}),
    );
    rig.put(
        &Key::new(RBAC, "clusterrolebindings", "", "csi"),
        json!({
            "kind": "ClusterRoleBinding", "metadata": {},
            "subjects": [{"kind": "ServiceAccount", "name": "csi", "namespace": SPACE}],
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
        }),
    );
    rig.put(
        &secret(),
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {},
            "data": {"csi-vsphere.conf": encoded(conf)},
        }),
    );
    let controller = json!({
        "serviceAccountName": "csi",
        "nodeSelector": {"node-role.kubernetes.io/control-plane": "true"},
        "containers": [{
            "name": "driver", "image": "registry.k8s.io/csi-vsphere/driver:v3.7.2",
            "env": [{"name": "X_CSI_MODE", "value": "controller"}],
            "volumeMounts": [{"name": "config", "mountPath": "/etc/cloud"}],
        }],
        "volumes": [{"name": "config", "secret": {"secretName": "vsphere-config-secret"}}],
    });
    let mut daemon = deployment(
        "csi-node",
        0,
        &json!({
            "serviceAccountName": "csi", "hostNetwork": true,
            "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
            "containers": [{
                "name": "driver", "image": "registry.k8s.io/csi-vsphere/driver:v3.7.2",
                "env": [{"name": "X_CSI_MODE", "value": "node"}],
            }],
        }),
    );
    daemon["kind"] = json!("DaemonSet");
    rig.put(&Key::new("apps", "daemonsets", SPACE, "csi-node"), daemon);
    rig.put(&deployments(SPACE, "csi"), deployment("csi", 1, &controller));
}

fn class(rig: &mut Rig, parameters: Json, policy: &str) {
    rig.put(
        &Key::new("storage.k8s.io", "storageclasses", "", "vmware"),
        json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {},
            "provisioner": DRIVER, "parameters": parameters, "reclaimPolicy": policy,
            "allowVolumeExpansion": true, "volumeBindingMode": "Immediate",
        }),
    );
}

fn claim() -> Key {
    Key::new("", "persistentvolumeclaims", "default", "data")
}

fn ask(rig: &mut Rig) {
    rig.put(
        &claim(),
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "vmware",
                "resources": {"requests": {"storage": "50Gi"}},
            },
        }),
    );
}

pub fn standing() -> Rig {
    let mut rig = Rig::new(true);
    cloud::install(
        &mut rig,
        "registry.k8s.io/cloud-pv-vsphere/cloud-provider-vsphere:v1.35.1",
        &cloud::password(),
    );
    install(&mut rig, &conf(r"VSPHERE.LOCAL\\cht-storage", &cloud::password()));
    class(&mut rig, json!({"csi.storage.k8s.io/fstype": "ext4"}), "Retain");
    rig
}

fn database(node: Option<&str>) -> Json {
    let mut spec = json!({
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    });
    if let Some(node) = node {
        spec["nodeSelector"] = json!({"kubernetes.io/hostname": node});
    }
    let mut database = deployment("db", 1, &spec);
    database["spec"]["strategy"] = json!({"type": "Recreate"});
    database
}

/// Disks of the driver: file, and the machine that it hangs on.
fn disks(rig: &Rig) -> Vec<(String, Option<String>)> {
    crate::lab::vsphere::foreign_disks(&rig.world)
        .into_iter()
        .filter(|disk| disk.file.starts_with("[vsan] fcd/"))
        .map(|disk| (disk.file, disk.machine))
        .collect()
}

fn volume(rig: &Rig) -> Key {
    let name = rig.get(&claim())["spec"]["volumeName"].as_str().unwrap().to_owned();
    Key::new("", "persistentvolumes", "", &name)
}

#[test]
fn a_claim_becomes_a_disk_on_the_machine_of_its_pod() {
    let mut rig = standing();
    ask(&mut rig);
    assert_eq!(rig.get(&claim())["status"]["phase"], "Bound", "{:#?}", rig.pods("csi"));
    assert_eq!(disks(&rig).len(), 1);
    assert_eq!(disks(&rig)[0].1, None);
    rig.put(&deployments("default", "db"), database(Some("agent-1")));
    assert_eq!(rig.pods("db-")[0].2, "Running", "{:#?}", rig.events("FailedAttachVolume"));
    assert_eq!(disks(&rig)[0].1.as_deref(), Some("/DC1/vm/agent-1"));
    rig.put(&deployments("default", "db"), database(Some("agent-2")));
    assert_eq!(rig.pods("db-")[0].1, "agent-2");
    assert_eq!(disks(&rig)[0].1.as_deref(), Some("/DC1/vm/agent-2"));
    rig.edit(&claim(), |claim| claim["spec"]["resources"]["requests"]["storage"] = json!("60Gi"));
    assert_eq!(rig.get(&claim())["status"]["capacity"]["storage"], "60Gi");
    // A claim that is mounted stays until nobody mounts it; its volume is retained.
    let kept = volume(&rig);
    rig.delete(&claim());
    assert!(rig.has(&claim()));
    rig.delete(&deployments("default", "db"));
    assert!(!rig.has(&claim()));
    assert_eq!(rig.get(&kept)["status"]["phase"], "Released");
    assert_eq!(disks(&rig)[0].1, None);
}

#[test]
fn a_volume_that_is_not_retained_goes_with_its_disk() {
    let mut rig = standing();
    class(&mut rig, json!({}), "Delete");
    ask(&mut rig);
    rig.delete(&claim());
    assert_eq!(disks(&rig), []);
    assert_eq!(rig.cluster().store.list("", "persistentvolumes").count(), 0);
}

#[test]
fn parameters_that_the_driver_does_not_know_fail() {
    let mut rig = standing();
    class(&mut rig, json!({"diskformat": "thin"}), "Retain");
    ask(&mut rig);
    assert_eq!(rig.get(&claim())["status"]["phase"], "Pending");
    rig.assert_event("ProvisioningFailed", "invalid parameter. key:diskformat-value:thin");
}

#[test]
fn the_driver_needs_initialised_nodes() {
    let mut rig = Rig::new(true);
    install(&mut rig, &conf(r"VSPHERE.LOCAL\\cht-storage", &cloud::password()));
    class(&mut rig, json!({}), "Retain");
    ask(&mut rig);
    assert_eq!(rig.pods("csi-")[0].2, "Pending");
    assert!(
        rig.pods("csi-node-").iter().all(|pod| pod.3 == "CrashLoopBackOff"),
        "{:?}",
        rig.pods("csi-node-")
    );
    rig.assert_event("LastLog", "no matches for kind \"CSINodeTopology\"");
    rig.assert_event("ExternalProvisioning", "Waiting for a volume to be created");
    assert_eq!(rig.get(&claim())["status"]["phase"], "Pending");
    cloud::install(
        &mut rig,
        "registry.k8s.io/cloud-pv-vsphere/cloud-provider-vsphere:v1.35.1",
        &cloud::password(),
    );
    assert_eq!(rig.get(&claim())["status"]["phase"], "Bound");
    assert!(rig.pods("csi-node-").iter().all(|pod| pod.2 == "Running" && pod.3.is_empty()));
    let node = rig.get(&Key::new("storage.k8s.io", "csinodes", "", "agent-1"));
    assert_eq!(node["spec"]["drivers"][0]["allocatable"]["count"], 59);
}

#[test]
fn what_the_driver_is_told_must_fit() {
    let password = cloud::password();
    for (text, says) in [
        (conf(r"VSPHERE.LOCAL\cht-storage", &password), "unknown escape sequence"),
        (conf("cht-storage", &password), "username is invalid"),
        (conf(r"VSPHERE.LOCAL\\cht-storage", "wrong"), "incorrect user name or password"),
        (conf(ACCOUNT, &password).replace("[VirtualCenter", "[Other"), "unknown escape"),
        (
            conf("cht-storage@vsphere.local", &password).replace("DC1", "DC9"),
            "datacenter 'DC9' not found",
        ),
        (
            conf("cht-storage@vsphere.local", &password).replace("\"test\"", &"x".repeat(65)),
            "cluster id must not exceed 64",
        ),
    ] {
        let mut rig = Rig::new(false);
        install(&mut rig, &text);
        let pods: Vec<_> =
            rig.pods("csi-").into_iter().filter(|pod| !pod.0.starts_with("csi-node")).collect();
        assert_eq!(pods[0].3, "CrashLoopBackOff", "{says}: {pods:?}");
        rig.assert_event("LastLog", says);
    }
}

#[test]
fn local_volumes_wait_for_their_pod() {
    let mut rig = Rig::new(false);
    rig.put(&claim(), json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }));
    let pending = rig.get(&claim());
    assert_eq!(pending["spec"]["storageClassName"], "local-path", "the default class");
    assert_eq!(pending["status"]["phase"], "Pending");
    rig.put(&deployments("default", "db"), database(None));
    assert_eq!(rig.get(&claim())["status"]["phase"], "Bound");
    assert_eq!(rig.pods("db-")[0].2, "Running");
}

#[test]
fn snapshots_need_their_definitions() {
    let mut rig = standing();
    let controller = json!({
        "containers": [{"name": "snapshot-controller", "image": "registry.k8s.io/sig-storage/snapshot-controller:v8.4.0"}],
    });
    rig.put(
        &deployments("kube-system", "snapshot-controller"),
        deployment("snapshot-controller", 2, &controller),
    );
    assert_eq!(rig.pods("snapshot-controller-")[0].3, "CrashLoopBackOff");
    rig.assert_event("LastLog", "failure to ensure CRDs exist during startup");
    for (kind, plural) in [
        ("VolumeSnapshotClass", "volumesnapshotclasses"),
        ("VolumeSnapshot", "volumesnapshots"),
        ("VolumeSnapshotContent", "volumesnapshotcontents"),
    ] {
        let group = "snapshot.storage.k8s.io";
        let key = Key::new(
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            "",
            &format!("{plural}.{group}"),
        );
        rig.put(&key, super::super::custom::definition(group, "v1", kind, plural, "Namespaced"));
        assert_eq!(rig.get(&key)["status"]["conditions"][1]["type"], "Established");
    }
    ask(&mut rig);
    rig.put(&Key::new("snapshot.storage.k8s.io", "volumesnapshotclasses", "", "c"), json!({
        "kind": "VolumeSnapshotClass", "metadata": {}, "driver": DRIVER, "deletionPolicy": "Retain",
    }));
    let key = Key::new("snapshot.storage.k8s.io", "volumesnapshots", "default", "s");
    rig.put(&key, json!({
        "kind": "VolumeSnapshot", "metadata": {},
        "spec": {"volumeSnapshotClassName": "c", "source": {"persistentVolumeClaimName": "data"}},
    }));
    assert_eq!(rig.get(&key)["status"]["readyToUse"], true);
}
