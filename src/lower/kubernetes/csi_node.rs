//! The driver's node plugin: a DaemonSet that mounts volumes on every machine. Linux only:
//! upstream's second one, for Windows, would have no pods.

use serde_json::{Value as Json, json};

use super::csi::{NAMESPACE, NODE};
use super::csi_container::{
    SOCKET, driver_image, feature_args, field, health_port, labels, liveness, plugin_folder, probe,
    sidecar_image, variable,
};
use super::csi_release::CsiRelease;
use crate::spec::Spec;

/// What a machine can carry with its PVSCSI controllers, one place being the system disk's.
const VOLUMES: &str = "59";

/// The DaemonSet. It tolerates every taint: where it is missing no volume can be taken away.
pub fn daemon_set(spec: &Spec, release: &CsiRelease) -> Json {
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": { "name": NODE, "namespace": NAMESPACE },
        "spec": {
            "selector": { "matchLabels": { "app": NODE } },
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxUnavailable": 1 },
            },
            "template": {
                "metadata": { "labels": labels(NODE) },
                "spec": pod(spec, release),
            },
        },
    })
}

fn pod(spec: &Spec, release: &CsiRelease) -> Json {
    json!({
        "priorityClassName": "system-node-critical",
        "nodeSelector": { "kubernetes.io/os": "linux" },
        "serviceAccountName": NODE,
        "hostNetwork": true,
        "dnsPolicy": "ClusterFirstWithHostNet",
        "containers": [registrar(spec), driver(spec, release), liveness(spec, "plugin-dir")],
        "volumes": volumes(),
        "tolerations": [
            { "effect": "NoExecute", "operator": "Exists" },
            { "effect": "NoSchedule", "operator": "Exists" },
        ],
    })
}

/// Tells kubelet where the driver's socket is.
fn registrar(spec: &Spec) -> Json {
    let socket = format!("{}/csi.sock", plugin_folder());
    json!({
        "name": "node-driver-registrar",
        "image": sidecar_image(spec, "csi-node-driver-registrar"),
        "args": [
            "--v=5",
            "--csi-address=$(ADDRESS)",
            "--kubelet-registration-path=$(DRIVER_REG_SOCK_PATH)",
        ],
        "env": [variable("ADDRESS", SOCKET), variable("DRIVER_REG_SOCK_PATH", &socket)],
        "volumeMounts": [
            { "name": "plugin-dir", "mountPath": "/csi" },
            { "name": "registration-dir", "mountPath": "/registration" },
        ],
        "livenessProbe": {
            "exec": { "command": [
                "/csi-node-driver-registrar",
                format!("--kubelet-registration-path={socket}"),
                "--mode=kubelet-registration-probe",
            ]},
            "initialDelaySeconds": 3,
        },
    })
}

fn driver(spec: &Spec, release: &CsiRelease) -> Json {
    json!({
        "name": "vsphere-csi-node",
        "image": driver_image(spec),
        "args": feature_args(),
        "imagePullPolicy": "IfNotPresent",
        "env": variables(release),
        "securityContext": {
            "privileged": true,
            "capabilities": { "add": ["SYS_ADMIN"] },
            "allowPrivilegeEscalation": true,
        },
        "volumeMounts": [
            { "name": "plugin-dir", "mountPath": "/csi" },
            // What it mounts here must show on the machine itself.
            {
                "name": "pods-mount-dir",
                "mountPath": "/var/lib/kubelet",
                "mountPropagation": "Bidirectional",
            },
            { "name": "device-dir", "mountPath": "/dev" },
            { "name": "blocks-dir", "mountPath": "/sys/block" },
            { "name": "sys-devices-dir", "mountPath": "/sys/devices" },
        ],
        "ports": [health_port()],
        "livenessProbe": probe((10, 5, 5)),
    })
}

fn variables(release: &CsiRelease) -> Vec<Json> {
    let mut variables = vec![
        field("NODE_NAME", "spec.nodeName"),
        variable("CSI_ENDPOINT", &format!("unix://{SOCKET}")),
        variable("X_CSI_MODE", "node"),
        variable("X_CSI_SPEC_REQ_VALIDATION", "false"),
        variable("X_CSI_SPEC_DISABLE_LEN_CHECK", "true"),
        variable("LOGGER_LEVEL", "PRODUCTION"),
        field("CSI_NAMESPACE", "metadata.namespace"),
        variable("NODEGETINFO_WATCH_TIMEOUT_MINUTES", "1"),
    ];
    variables.extend(release.volumes_variable.then(|| variable("MAX_VOLUMES_PER_NODE", VOLUMES)));
    variables.extend(release.sha1.then(|| variable("GODEBUG", "x509sha1=1")));
    variables
}

fn volumes() -> [Json; 6] {
    let folder = |name: &str, path: &str| json!({ "name": name, "hostPath": { "path": path, "type": "Directory" } });
    [
        folder("registration-dir", "/var/lib/kubelet/plugins_registry"),
        json!({
            "name": "plugin-dir",
            "hostPath": { "path": plugin_folder(), "type": "DirectoryOrCreate" },
        }),
        folder("pods-mount-dir", "/var/lib/kubelet"),
        json!({ "name": "device-dir", "hostPath": { "path": "/dev" } }),
        folder("blocks-dir", "/sys/block"),
        folder("sys-devices-dir", "/sys/devices"),
    ]
}
