//! Under which name, and where, the API serves a kind.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// Kubernetes' own kinds that are in no namespace, by group (`kubectl api-resources
/// --namespaced=false`, 1.25 to 1.36).
const CLUSTER_WIDE: &[(&str, &[&str])] = &[
    ("", &["Namespace", "Node", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("networking.k8s.io", &["IPAddress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("resource.k8s.io", &["DeviceClass", "ResourceSlice"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("snapshot.storage.k8s.io", &["VolumeSnapshotClass", "VolumeSnapshotContent"]),
    (
        "storage.k8s.io",
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
    ),
];

/// A group's own that is not Kubernetes', and yet known here: k3s' charts.
const K3S: &str = "helm.cattle.io";

/// How a kind is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// `deployments`.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

impl Served {
    /// As Kubernetes' own kinds are, and as most others are named.
    pub fn by_convention(api: &str, kind: &str) -> Self {
        let group = group(api);
        let wide = CLUSTER_WIDE.iter().find(|(known, _)| *known == group);
        let namespaced = wide.is_none_or(|(_, kinds)| !kinds.contains(&kind));
        Self { plural: plural(kind), namespaced }
    }
}

/// What definitions define, by group and kind, each with something of its own.
pub struct Definitions<T>(BTreeMap<(String, String), (Served, T)>);

impl<T> Definitions<T> {
    /// Takes the `spec` of each.
    pub fn of(specs: impl Iterator<Item = (Json, T)>) -> Self {
        let entry = |(spec, own)| defined(&spec).map(|(kind, served)| (kind, (served, own)));
        Self(specs.filter_map(entry).collect())
    }

    /// How a kind is served. `None` where nobody here defines it.
    pub fn get(&self, api: &str, kind: &str) -> Option<&(Served, T)> {
        self.0.get(&(group(api).to_owned(), kind.to_owned()))
    }
}

fn defined(spec: &Json) -> Option<((String, String), Served)> {
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let plural = text(&spec["names"]["plural"])?;
    let served = Served { plural, namespaced: spec["scope"] == "Namespaced" };
    Some(((text(&spec["group"])?, text(&spec["names"]["kind"])?), served))
}

/// `apps` of `apps/v1`; empty for the core.
pub fn group(api: &str) -> &str {
    api.split_once('/').map_or("", |(group, _)| group)
}

/// Whether what a kind is called says which one it is: others may call theirs `Service`, too.
pub fn is_known(api: &str) -> bool {
    let group = group(api);
    // Names without a dot and those below k8s.io are reserved for Kubernetes.
    !group.contains('.') || group.ends_with(".k8s.io") || group == K3S
}

fn plural(kind: &str) -> String {
    let name = kind.to_lowercase();
    let vowel = |letter: char| "aeiou".contains(letter);
    match name.strip_suffix('y') {
        _ if name == "endpoints" => name,
        Some(stem) if !stem.ends_with(vowel) => format!("{stem}ies"),
        _ if name.ends_with(['s', 'x']) || name.ends_with("ch") => format!("{name}es"),
        _ => format!("{name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_served_as_the_api_names_them() {
        let check = |api: &str, kind: &str, plural: &str, namespaced: bool| {
            let expected = Served { plural: plural.into(), namespaced };
            assert_eq!(Served::by_convention(api, kind), expected, "{kind}");
        };
        check("v1", "Endpoints", "endpoints", true);
        check("v1", "Namespace", "namespaces", false);
        check("storage.k8s.io/v1", "StorageClass", "storageclasses", false);
        check("storage.k8s.io/v1", "CSIStorageCapacity", "csistoragecapacities", true);
        check("networking.k8s.io/v1", "Ingress", "ingresses", true);
        check("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true);
        check("networking.k8s.io/v1", "IPAddress", "ipaddresses", false);
        check("gateway.networking.k8s.io/v1", "Gateway", "gateways", true);
        check(
            "admissionregistration.k8s.io/v1",
            "MutatingWebhookConfiguration",
            "mutatingwebhookconfigurations",
            false,
        );
        // Somebody else's kind of the same name.
        check("example.org/v1", "ClusterRole", "clusterroles", true);
    }

    #[test]
    fn only_kubernetes_own_names_mean_its_own_kinds() {
        for (api, expected) in [
            ("v1", true),
            ("apps/v1", true),
            ("rbac.authorization.k8s.io/v1", true),
            ("helm.cattle.io/v1", true),
            ("serving.knative.dev/v1", false),
            ("networking.x-k8s.io/v1", false),
        ] {
            assert_eq!(is_known(api), expected, "{api}");
        }
    }
}
