//! Stand-in nodes: what kubelets and the cloud provider would tell the API, and nothing behind it.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::client::Client;

/// Three servers and two agents, labelled as k3s labels them.
pub const SERVERS: [&str; 3] = ["server-1", "server-2", "server-3"];
pub const AGENTS: [&str; 2] = ["agent-1", "agent-2"];

/// A pod whose image's name holds this never gets it.
pub const MISSING_IMAGE: &str = "no-such-image";

/// What a cloud provider takes off a node that it has initialised.
pub const UNINITIALIZED: &str = "node.cloudprovider.kubernetes.io/uninitialized";

/// The driver of vSphere's volumes.
pub const STORAGE: &str = "csi.vsphere.vmware.com";

/// How often a real kubelet tells that it lives is 10 s; a node is given up after 40 s.
const HEARTBEAT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// Where all nodes run commands.
static COMMANDS: AtomicU16 = AtomicU16::new(0);

/// All nodes in one loop.
#[derive(Clone)]
pub struct Kubelet {
    api: Client,
}

impl Kubelet {
    /// Commands are run on this port of loopback.
    pub fn new(api: Client, commands: u16) -> Self {
        COMMANDS.store(commands, Ordering::Relaxed);
        Self { api }
    }

    /// Makes the nodes and waits until pods can be scheduled to them.
    ///
    /// # Errors
    /// The nodes keep a taint.
    pub async fn join(&self) -> Result<(), String> {
        for (number, name) in (1_u8..).zip(SERVERS.iter().chain(&AGENTS)) {
            self.api.post("/api/v1/nodes", &node(name, number)).await.ok();
        }
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            self.beat().await;
            let nodes = self.api.items("/api/v1/nodes").await;
            if nodes.iter().all(|node| node["spec"]["taints"].is_null()) {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(format!("nodes that stay tainted: {nodes:?}"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Does the work of kubelets until the tests end. A round in which an answer is missing is
    /// printed as any panic, and is not the last: the control plane ends with this.
    pub async fn run(&self) {
        let mut beaten = Instant::now();
        loop {
            let beat = beaten.elapsed() > HEARTBEAT;
            if beat {
                beaten = Instant::now();
            }
            let kubelet = self.clone();
            let _ = tokio::spawn(async move { kubelet.round(beat).await }).await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn round(&self, beat: bool) {
        if beat {
            self.beat().await;
        }
        let pods = self.api.items("/api/v1/pods").await;
        for pod in &pods {
            self.pod(pod).await;
        }
        self.cloud(&pods).await;
        self.storage(&pods).await;
    }

    /// Of every node there is: tests make more.
    async fn beat(&self) {
        for node in self.api.items("/api/v1/nodes").await {
            let name = node["metadata"]["name"].as_str().unwrap();
            let condition = json!({"type": "Ready", "status": "True", "reason": "KubeletReady",
                "lastHeartbeatTime": now()});
            let status = json!({"status": {"conditions": [condition]}});
            // A test may have deleted it meanwhile.
            self.api.strategic(&format!("/api/v1/nodes/{name}/status"), &status).await;
        }
    }

    /// The tests may delete a pod at any time, so that no answer is a success that must be.
    async fn pod(&self, pod: &Json) {
        let text = |path: &str| pod.pointer(path).and_then(Json::as_str);
        if text("/spec/nodeName").is_none() {
            return;
        }
        let (namespace, name) = (&pod["metadata"]["namespace"], &pod["metadata"]["name"]);
        let (namespace, name) = (namespace.as_str().unwrap(), name.as_str().unwrap());
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
        if text("/metadata/deletionTimestamp").is_some() {
            self.api.delete_now(&path).await;
        } else if text("/status/phase") == Some("Pending") && pod["status"]["podIP"].is_null() {
            let status = json!({"status": status(pod)});
            self.api.strategic(&format!("{path}/status"), &status).await;
        }
    }

    /// Where vSphere's storage driver runs, claims that wait for it get volumes.
    async fn storage(&self, pods: &[Json]) {
        if !runs(pods, "vsphere-csi-controller") {
            return;
        }
        for claim in self.api.items("/api/v1/persistentvolumeclaims").await {
            let provisioner = "volume.beta.kubernetes.io/storage-provisioner";
            let waits = claim["metadata"]["annotations"][provisioner] == STORAGE;
            if waits && claim["spec"]["volumeName"].is_null() {
                self.api.post("/api/v1/persistentvolumes", &volume(&claim)).await;
            }
        }
    }

    /// Where vSphere's cloud provider runs, nodes that wait for one are initialised.
    async fn cloud(&self, pods: &[Json]) {
        if !runs(pods, "vsphere-cloud-controller-manager") {
            return;
        }
        for node in self.api.items("/api/v1/nodes").await {
            let Json::Array(mut taints) = node["spec"]["taints"].clone() else { continue };
            let before = taints.len();
            taints.retain(|taint| taint["key"] != UNINITIALIZED);
            if taints.len() < before {
                let name = node["metadata"]["name"].as_str().unwrap();
                let version = node["metadata"]["resourceVersion"].clone();
                let provider = format!("vsphere://{}", node["metadata"]["uid"].as_str().unwrap());
                let change = json!({"metadata": {"resourceVersion": version},
                    "spec": {"taints": taints, "providerID": provider}});
                self.api.merge(&format!("/api/v1/nodes/{name}"), &change).await;
            }
        }
    }
}

/// Whether a pod of this name runs.
fn runs(pods: &[Json], name: &str) -> bool {
    let is_it = |pod: &Json| {
        let own = pod["metadata"]["name"].as_str().unwrap_or_default();
        own.contains(name) && pod["status"]["phase"] == "Running"
    };
    pods.iter().any(is_it)
}

/// A volume for a claim, which the controller manager then binds.
fn volume(claim: &Json) -> Json {
    let metadata = &claim["metadata"];
    let name = format!("pvc-{}", text(&metadata["uid"]));
    let of = json!({"kind": "PersistentVolumeClaim", "apiVersion": "v1", "uid": metadata["uid"],
        "name": metadata["name"], "namespace": metadata["namespace"]});
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": STORAGE}},
        "spec": {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "storageClassName": claim["spec"]["storageClassName"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": of,
            "csi": {"driver": STORAGE, "volumeHandle": name},
        },
    })
}

/// A node as k3s registers it.
pub fn node(name: &str, number: u8) -> Json {
    let mut labels = json!({
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": "k3s",
    });
    if SERVERS.contains(&name) {
        for role in ["control-plane", "etcd", "master"] {
            labels[format!("node-role.kubernetes.io/{role}")] = json!("true");
        }
    }
    let size = json!({"cpu": "32", "memory": "64Gi", "pods": "500", "ephemeral-storage": "100Gi"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {
            "capacity": size,
            "allocatable": size,
            "addresses": [{"type": "InternalIP", "address": format!("10.20.0.{number}")},
                {"type": "ExternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": COMMANDS.load(Ordering::Relaxed)}},
        },
    })
}

/// Of a pod that has just been bound to a node.
fn status(pod: &Json) -> Json {
    let of_job = pod["metadata"]["ownerReferences"][0]["kind"] == "Job";
    let containers = pod["spec"]["containers"].as_array().unwrap();
    let missing = containers.iter().any(lacks_image);
    let started = json!({"startedAt": now()});
    let ended =
        json!({"exitCode": 0, "reason": "Completed", "startedAt": now(), "finishedAt": now()});
    let state = |container: &Json| match (lacks_image(container), of_job) {
        (true, _) => json!({"waiting": {"reason": "ImagePullBackOff",
            "message": format!("Back-off pulling image \"{}\"", text(&container["image"]))}}),
        (false, true) => json!({"terminated": ended}),
        (false, false) => json!({"running": started}),
    };
    let container = |container: &Json, state: Json| {
        let running = !state["running"].is_null();
        json!({"name": container["name"], "image": container["image"], "imageID": "", "ready": running,
            "started": running, "restartCount": 0, "state": state})
    };
    let all: Vec<Json> = containers.iter().map(|one| container(one, state(one))).collect();
    let inits = pod["spec"]["initContainers"].as_array().into_iter().flatten();
    let inits: Vec<Json> = inits.map(|one| container(one, json!({"terminated": ended}))).collect();
    let phase = match (missing, of_job) {
        (true, _) => "Pending",
        (false, true) => "Succeeded",
        (false, false) => "Running",
    };
    let ready = if phase == "Running" { "True" } else { "False" };
    let condition = |name: &str, status: &str| json!({"type": name, "status": status, "lastTransitionTime": now()});
    json!({
        "phase": phase,
        "hostIP": "10.20.0.1",
        "podIP": "10.42.0.1",
        "podIPs": [{"ip": "10.42.0.1"}],
        "startTime": now(),
        "conditions": [condition("Initialized", "True"), condition("ContainersReady", ready),
            condition("Ready", ready)],
        "containerStatuses": all,
        "initContainerStatuses": inits,
    })
}

fn lacks_image(container: &Json) -> bool {
    text(&container["image"]).contains(MISSING_IMAGE)
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// As the API writes times: whole seconds.
fn now() -> String {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap().to_string()
}
