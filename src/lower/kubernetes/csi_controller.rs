//! The driver's controller: a Deployment on the servers, and the Service with its metrics.

use serde_json::{Value as Json, json};

use super::csi::{CONTROLLER, NAMESPACE, SECRET};
use super::csi_conf::{FOLDER, KEY};
use super::csi_container::{
    SOCKET, driver_image, feature_args, field, health_port, labels, liveness, probe, sidecar_image,
    syncer_image, variable,
};
use super::csi_release::CsiRelease;
use super::{servers, upstream};
use crate::spec::Spec;

/// Each replica has a server of its own, and a fourth one would only wait for a lease.
const REPLICAS_MAX: u32 = 3;

/// The Service: metrics of driver and syncer, for whoever collects them.
pub fn service() -> Json {
    let port = |name: &str, port: u32| json!({ "name": name, "port": port, "targetPort": port, "protocol": "TCP" });
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": CONTROLLER,
            "namespace": NAMESPACE,
            "labels": { "app": CONTROLLER },
        },
        "spec": {
            "ports": [port("ctlr", 2112), port("syncer", 2113)],
            "selector": { "app": CONTROLLER },
        },
    })
}

/// The Deployment. No replica runs beside another, so an update takes one away before it adds one.
///
/// No hash of the Secret is on the pods: the driver watches the mounted folder and reads it again
/// (`pkg/csi/service/vanilla/controller.go`).
pub fn deployment(spec: &Spec, release: &CsiRelease) -> Json {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": CONTROLLER, "namespace": NAMESPACE },
        "spec": {
            "replicas": replicas(spec),
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxUnavailable": 1, "maxSurge": 0 },
            },
            "selector": { "matchLabels": { "app": CONTROLLER } },
            "template": {
                "metadata": { "labels": labels(CONTROLLER) },
                "spec": pod(spec, release),
            },
        },
    })
}

/// How many pods: as many as the spec says, otherwise one for each server.
pub fn replicas(spec: &Spec) -> u32 {
    let asked = spec.csi.replicas.as_ref().map(|asked| asked.value);
    let servers = u32::try_from(spec.servers.len()).unwrap_or(REPLICAS_MAX);
    asked.unwrap_or_else(|| servers.clamp(1, REPLICAS_MAX))
}

fn pod(spec: &Spec, release: &CsiRelease) -> Json {
    json!({
        "priorityClassName": "system-cluster-critical",
        "affinity": {
            "nodeAffinity": upstream::on_servers(),
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{
                    "labelSelector": { "matchExpressions": [
                        { "key": "app", "operator": "In", "values": [CONTROLLER] },
                    ]},
                    "topologyKey": "kubernetes.io/hostname",
                }],
            },
        },
        "serviceAccountName": CONTROLLER,
        "tolerations": servers::tolerations(spec),
        "dnsPolicy": "Default",
        "containers": containers(spec, release),
        "volumes": [
            { "name": "vsphere-config-volume", "secret": { "secretName": SECRET } },
            { "name": "socket-dir", "emptyDir": {} },
        ],
    })
}

/// In upstream's order: a live list keeps its order, so it matters only when they are made.
fn containers(spec: &Spec, release: &CsiRelease) -> Vec<Json> {
    let mut attacher = vec![];
    let mut resizer = vec!["--handle-volume-inuse-error=false"];
    let mut snapshotter = vec![];
    if release.attacher_workers {
        attacher.push("--worker-threads=100");
    }
    if release.no_recovery {
        resizer.push("--feature-gates=RecoverVolumeExpansionFailure=false");
    }
    if release.snapshot_names {
        snapshotter.push("--extra-create-metadata");
    }
    let sidecar = |name: &str, own: &[&str]| sidecar(spec, release, name, own);
    let mut containers = vec![
        sidecar("csi-attacher", &attacher),
        sidecar("csi-resizer", &resizer),
        driver(spec, release),
        liveness(spec, "socket-dir"),
        syncer(spec, release),
        sidecar("csi-provisioner", &["--default-fstype=ext4"]),
    ];
    // Without the definitions of snapshots it does nothing but log errors (driver issue 2802).
    if spec.snapshots.enabled.value {
        containers.push(sidecar("csi-snapshotter", &snapshotter));
    }
    containers
}

/// A container that turns what happens in the cluster into calls of the driver.
fn sidecar(spec: &Spec, release: &CsiRelease, name: &str, own: &[&str]) -> Json {
    let mut args = vec![
        "--v=4",
        "--timeout=300s",
        "--csi-address=$(ADDRESS)",
        "--kube-api-qps=100",
        "--kube-api-burst=100",
        "--leader-election",
    ];
    if release.lease_times {
        args.extend([
            "--leader-election-lease-duration=120s",
            "--leader-election-renew-deadline=60s",
            "--leader-election-retry-period=30s",
        ]);
    }
    args.extend(own);
    json!({
        "name": name,
        "image": sidecar_image(spec, name),
        "args": args,
        "env": [variable("ADDRESS", SOCKET)],
        "volumeMounts": [{ "name": "socket-dir", "mountPath": "/csi" }],
    })
}

fn driver(spec: &Spec, release: &CsiRelease) -> Json {
    let mut args = feature_args();
    args.extend(release.profiling.then(|| "--enable-profile-server=false".to_owned()));
    let mut env = vec![
        variable("CSI_ENDPOINT", &format!("unix://{SOCKET}")),
        variable("X_CSI_MODE", "controller"),
        variable("X_CSI_SPEC_DISABLE_LEN_CHECK", "true"),
        variable("X_CSI_SERIAL_VOL_ACCESS_TIMEOUT", "3m"),
    ];
    env.extend(own_variables());
    let container = json!({
        "name": "vsphere-csi-controller",
        "image": driver_image(spec),
        "args": args,
        "imagePullPolicy": "IfNotPresent",
        "env": env,
        "volumeMounts": [
            { "name": "vsphere-config-volume", "mountPath": FOLDER, "readOnly": true },
            { "name": "socket-dir", "mountPath": "/csi" },
        ],
        "ports": [
            health_port(),
            { "name": "prometheus", "containerPort": 2112, "protocol": "TCP" },
        ],
        "livenessProbe": probe(release.probe),
    });
    as_user(container, release)
}

fn syncer(spec: &Spec, release: &CsiRelease) -> Json {
    let mut args = vec!["--leader-election".to_owned()];
    if release.lease_times {
        args.extend([
            "--leader-election-lease-duration=30s".into(),
            "--leader-election-renew-deadline=20s".into(),
            "--leader-election-retry-period=10s".into(),
        ]);
    }
    args.extend(feature_args());
    args.extend(release.profiling.then(|| "--enable-profile-server=false".to_owned()));
    let mut env = vec![variable("FULL_SYNC_INTERVAL_MINUTES", "30")];
    env.extend(own_variables());
    env.extend(release.sha1.then(|| variable("GODEBUG", "x509sha1=1")));
    let container = json!({
        "name": "vsphere-syncer",
        "image": syncer_image(spec),
        "args": args,
        "imagePullPolicy": "IfNotPresent",
        "env": env,
        "volumeMounts": [
            { "name": "vsphere-config-volume", "mountPath": FOLDER, "readOnly": true },
        ],
        // A pod's ports have one name each; the driver's is `prometheus`.
        "ports": [{ "name": "prometheus-sync", "containerPort": 2113, "protocol": "TCP" }],
    });
    as_user(container, release)
}

fn own_variables() -> [Json; 5] {
    [
        variable("VSPHERE_CSI_CONFIG", &format!("{FOLDER}/{KEY}")),
        variable("LOGGER_LEVEL", "PRODUCTION"),
        variable("INCLUSTER_CLIENT_QPS", "100"),
        variable("INCLUSTER_CLIENT_BURST", "100"),
        field("CSI_NAMESPACE", "metadata.namespace"),
    ]
}

/// The mounted Secret must stay readable for everybody then: its files belong to root.
fn as_user(mut container: Json, release: &CsiRelease) -> Json {
    if release.own_user {
        container["securityContext"] =
            json!({ "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532 });
    }
    container
}
