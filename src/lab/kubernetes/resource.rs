//! Which resources the server serves: its own, and those of CustomResourceDefinitions.

use std::sync::LazyLock;

use serde_json::Value as Json;

use super::crd;
use super::key::Key;
use super::shape::Shape;
use super::store::Store;

/// One resource in one version.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub group: String,
    pub version: String,
    pub plural: String,
    pub singular: String,
    pub kind: String,
    pub namespaced: bool,
    pub short: Vec<String>,
    pub subresources: Vec<String>,
    pub shape: Shape,
    /// Whether a CustomResourceDefinition made it.
    pub custom: bool,
}

/// Group version, plural, kind, `ns` or `-`, subresources or `-`, short names.
const TABLE: &str = "\
v1 configmaps ConfigMap ns - cm
v1 endpoints Endpoints ns - ep
v1 events Event ns - ev
v1 limitranges LimitRange ns - limits
v1 namespaces Namespace - status,finalize ns
v1 nodes Node - status no
v1 persistentvolumeclaims PersistentVolumeClaim ns status pvc
v1 persistentvolumes PersistentVolume - status pv
v1 pods Pod ns status,eviction po
v1 resourcequotas ResourceQuota ns status quota
v1 secrets Secret ns -
v1 serviceaccounts ServiceAccount ns - sa
v1 services Service ns status svc
apps/v1 controllerrevisions ControllerRevision ns -
apps/v1 daemonsets DaemonSet ns status ds
apps/v1 deployments Deployment ns status,scale deploy
apps/v1 replicasets ReplicaSet ns status,scale rs
apps/v1 statefulsets StatefulSet ns status,scale sts
batch/v1 cronjobs CronJob ns status cj
batch/v1 jobs Job ns status
networking.k8s.io/v1 ingresses Ingress ns status ing
networking.k8s.io/v1 ingressclasses IngressClass - -
networking.k8s.io/v1 networkpolicies NetworkPolicy ns - netpol
node.k8s.io/v1 runtimeclasses RuntimeClass - -
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding - -
rbac.authorization.k8s.io/v1 clusterroles ClusterRole - -
rbac.authorization.k8s.io/v1 rolebindings RoleBinding ns -
rbac.authorization.k8s.io/v1 roles Role ns -
storage.k8s.io/v1 csidrivers CSIDriver - -
storage.k8s.io/v1 csinodes CSINode - -
storage.k8s.io/v1 csistoragecapacities CSIStorageCapacity ns -
storage.k8s.io/v1 storageclasses StorageClass - - sc
storage.k8s.io/v1 volumeattachments VolumeAttachment - status
scheduling.k8s.io/v1 priorityclasses PriorityClass - - pc
policy/v1 poddisruptionbudgets PodDisruptionBudget ns status pdb
coordination.k8s.io/v1 leases Lease ns -
discovery.k8s.io/v1 endpointslices EndpointSlice ns -
apiextensions.k8s.io/v1 customresourcedefinitions CustomResourceDefinition - status crd,crds
admissionregistration.k8s.io/v1 mutatingwebhookconfigurations MutatingWebhookConfiguration - -
admissionregistration.k8s.io/v1 validatingwebhookconfigurations ValidatingWebhookConfiguration - -
apiregistration.k8s.io/v1 apiservices APIService - status
";

static OWN: LazyLock<Vec<Resource>> = LazyLock::new(|| TABLE.lines().filter_map(row).collect());

fn row(line: &str) -> Option<Resource> {
    let words: Vec<&str> = line.split(' ').collect();
    let [api, plural, kind, scope, subresources, rest @ ..] = words.as_slice() else {
        return None;
    };
    let (group, version) = api.split_once('/').unwrap_or(("", api));
    let list = |text: &str| -> Vec<String> {
        text.split(',').filter(|one| *one != "-").map(str::to_owned).collect()
    };
    Some(Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: (*plural).to_owned(),
        singular: kind.to_lowercase(),
        kind: (*kind).to_owned(),
        namespaced: *scope == "ns",
        short: rest.first().map(|text| list(text)).unwrap_or_default(),
        subresources: list(subresources),
        shape: Shape::of_kind(kind)?,
        custom: false,
    })
}

impl Resource {
    /// `apps/v1`, or `v1`.
    pub(super) fn api(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    pub(super) fn key(&self, namespace: &str, name: &str) -> Key {
        let namespace = if self.namespaced { namespace } else { "" };
        Key::new(&self.group, &self.plural, namespace, name)
    }

    /// The key of the object that a body describes.
    pub(super) fn key_of(&self, object: &Json) -> Key {
        let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
        self.key(text("namespace"), text("name"))
    }

    pub(super) fn has(&self, subresource: &str) -> bool {
        self.subresources.iter().any(|one| one == subresource)
    }

    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}

/// The resource of a path.
pub(super) fn find(store: &Store, group: &str, version: &str, plural: &str) -> Option<Resource> {
    let meets =
        |one: &&Resource| one.group == group && one.version == version && one.plural == plural;
    OWN.iter().find(meets).cloned().or_else(|| {
        let key = Key::new(
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            "",
            &format!("{plural}.{group}"),
        );
        crd::resources(store.get(&key)?).into_iter().find(|one| one.version == version)
    })
}

/// All of them, own ones first.
pub(super) fn all(store: &Store) -> Vec<Resource> {
    let definitions = store.list("apiextensions.k8s.io", "customresourcedefinitions");
    let custom = definitions.flat_map(|(_, definition)| crd::resources(definition));
    OWN.iter().cloned().chain(custom).collect()
}
