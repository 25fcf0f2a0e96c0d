//! Containers that the driver's controller and its node plugin share.

use serde_json::{Value as Json, json};

use super::csi::NAME;
use super::images;
use crate::spec::releases::{self, Version};
use crate::spec::{Sp, Spec};

/// The name of the ConfigMap with feature states.
pub const FEATURES: &str = "internal-feature-states.csi.vsphere.vmware.com";

/// The driver's socket in its container's folder.
pub const SOCKET: &str = "/csi/csi.sock";

/// The image of a sidecar: of the release's own version, unless the spec has another.
pub fn sidecar_image(spec: &Spec, name: &str) -> String {
    let own = || {
        let version = Version::parse(&spec.csi.version).unwrap_or(Version::new(0, 0, 0));
        let found = releases::sidecars(version).iter().find(|(sidecar, _)| *sidecar == name);
        found.map_or_else(String::new, |(_, tag)| (*tag).to_owned())
    };
    let tag = spec.csi.sidecars.get(name).map_or_else(own, |tag| tag.value.clone());
    images::name(spec, &format!("{}/{name}", *spec.csi.sidecar_registry), &tag)
}

/// The image of the driver.
pub fn driver_image(spec: &Spec) -> String {
    own_image(spec, "driver", spec.csi.digests.driver.as_ref())
}

/// The image of the syncer, which tells vCenter what uses its volumes.
pub fn syncer_image(spec: &Spec) -> String {
    own_image(spec, "syncer", spec.csi.digests.syncer.as_ref())
}

fn own_image(spec: &Spec, name: &str, digest: Option<&Sp<String>>) -> String {
    let name = format!("{}/{name}", *spec.csi.registry);
    images::pinned(spec, &name, &spec.csi.version, digest.map(|digest| digest.value.as_str()))
}

/// Tells kubelet whether the driver answers, over the pod's port 9808.
pub fn liveness(spec: &Spec, folder: &str) -> Json {
    json!({
        "name": "liveness-probe",
        "image": sidecar_image(spec, "livenessprobe"),
        "args": ["--v=4", format!("--csi-address={SOCKET}")],
        "volumeMounts": [{ "name": folder, "mountPath": "/csi" }],
    })
}

/// A probe of that port.
pub fn probe((delay, timeout, period): (u32, u32, u32)) -> Json {
    json!({
        "httpGet": { "path": "/healthz", "port": "healthz" },
        "initialDelaySeconds": delay,
        "timeoutSeconds": timeout,
        "periodSeconds": period,
        "failureThreshold": 3,
    })
}

/// The port that [`liveness`] answers on.
pub fn health_port() -> Json {
    json!({ "name": "healthz", "containerPort": 9808, "protocol": "TCP" })
}

/// The arguments that say where the feature states are.
pub fn feature_args() -> Vec<String> {
    vec![format!("--fss-name={FEATURES}"), "--fss-namespace=$(CSI_NAMESPACE)".into()]
}

/// One environment variable.
pub fn variable(name: &str, value: &str) -> Json {
    json!({ "name": name, "value": value })
}

/// One environment variable with a field of the pod.
pub fn field(name: &str, path: &str) -> Json {
    json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": path } } })
}

/// The label that the objects of one part select their pods by, and the one of the whole driver.
pub fn labels(part: &str) -> Json {
    json!({ "app": part, "role": "vsphere-csi" })
}

/// The folder on every machine where the driver's node plugin has its socket.
pub fn plugin_folder() -> String {
    format!("/var/lib/kubelet/plugins/{NAME}")
}
