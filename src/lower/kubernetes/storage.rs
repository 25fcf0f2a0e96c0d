//! Storage classes: the one of the projects' volumes, and k3s' own, which must not be a default
//! beside it.

use serde_json::{Map, Value as Json, json};

use super::{csi, object};
use crate::resource::{Address, Resource};
use crate::spec::{DeletionPolicy, FileSystem, LocalPath, Spec, Storage, VolumeBinding};

/// Says whether a class is the one of claims that name none.
const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

/// k3s' own class, on the machines' disks.
const LOCAL_PATH: &str = "local-path";

/// The address of a class.
pub fn address(name: &str) -> Address {
    Address::of("cluster/StorageClass", name)
}

/// Lowers the class, and the word that k3s' own is no default where that is to stay.
pub fn classes(spec: &Spec) -> Vec<Resource> {
    let storage = &spec.storage;
    let mut classes = vec![object::object(
        address(&storage.class),
        class(storage),
        &[csi::address("CSIDriver", csi::NAME)],
        &storage.place,
    )];
    classes
        .extend((storage.local_path.value == LocalPath::NotDefault).then(|| local_path(storage)));
    classes
}

fn class(storage: &Storage) -> Json {
    let reclaim = match storage.reclaim.value {
        DeletionPolicy::Retain => "Retain",
        DeletionPolicy::Delete => "Delete",
    };
    let binding = match storage.binding.value {
        VolumeBinding::Immediate => "Immediate",
        VolumeBinding::WaitForFirstConsumer => "WaitForFirstConsumer",
    };
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": storage.class.as_str(),
            "annotations": { DEFAULT: storage.default.value.to_string() },
        },
        "provisioner": csi::NAME,
        "parameters": parameters(storage),
        "reclaimPolicy": reclaim,
        "allowVolumeExpansion": storage.expansion.value,
        "volumeBindingMode": binding,
    })
}

/// The only keys that the driver knows (`pkg/csi/service/common/constants.go`): with any other
/// one no volume is made.
fn parameters(storage: &Storage) -> Map<String, Json> {
    let file_system = match storage.file_system.value {
        FileSystem::Ext4 => "ext4",
        FileSystem::Xfs => "xfs",
    };
    let given = [
        ("csi.storage.k8s.io/fstype", Some(file_system)),
        ("storagepolicyname", storage.policy.as_ref().map(|policy| policy.as_str())),
        ("datastoreurl", storage.datastore_url.as_ref().map(|url| url.as_str())),
    ];
    given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))).collect()
}

/// k3s' own class as k3s makes it (`manifests/local-storage.yaml`), but for the annotation. k3s
/// writes its manifest again whenever a server starts, annotation and all; the next plan shows
/// that as drift. `disabled` has no such contest. The class is k3s', so it is never deleted.
fn local_path(storage: &Storage) -> Resource {
    let manifest = json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": { "name": LOCAL_PATH, "annotations": { DEFAULT: "false" } },
        "provisioner": "rancher.io/local-path",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    });
    let place = &storage.local_path.place;
    let class = object::object(address(LOCAL_PATH), manifest, &[], place);
    Resource { adopt: true, protected: true, ..class }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    fn check(keys: &str, name: &str, expected: &Json) {
        let written = format!("[storage]\n{keys}\n");
        let classes = classes(&spec(&[("[storage]\n", &written)]));
        let found = classes.iter().find(|class| class.address.name() == name);
        assert_eq!(found.unwrap().attributes.tree(), *expected, "{keys}");
    }

    #[test]
    fn every_setting_of_the_spec_arrives_and_nothing_the_driver_would_refuse() {
        let expected = json!({
            "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
            "provisioner": "csi.vsphere.vmware.com",
            "parameters": { "csi.storage.k8s.io/fstype": "ext4" },
            "reclaimPolicy": "Retain",
            "allowVolumeExpansion": true,
            "volumeBindingMode": "Immediate",
        });
        check("", "vmware-sc", &expected);
        let keys = "policy = \"vSAN Default Storage Policy\"
datastore_url = \"ds:///vmfs/volumes/vsan:52/\"
file_system = \"xfs\"
reclaim = \"Delete\"
expansion = false
default = false
binding = \"WaitForFirstConsumer\"";
        let expected = json!({
            "annotations": { "storageclass.kubernetes.io/is-default-class": "false" },
            "provisioner": "csi.vsphere.vmware.com",
            "parameters": {
                "csi.storage.k8s.io/fstype": "xfs",
                "datastoreurl": "ds:///vmfs/volumes/vsan:52/",
                "storagepolicyname": "vSAN Default Storage Policy",
            },
            "reclaimPolicy": "Delete",
            "allowVolumeExpansion": false,
            "volumeBindingMode": "WaitForFirstConsumer",
        });
        check(keys, "vmware-sc", &expected);
    }

    #[test]
    fn k3s_own_class_stays_and_is_no_default() {
        let count = |word: &str| {
            let edit = format!("[storage]\nlocal_path = \"{word}\"\n");
            let classes = classes(&spec(&[("[storage]\n", &edit)]));
            assert!(classes[1..].iter().all(|class| class.adopt && class.protected));
            classes.len()
        };
        assert_eq!((count("disabled"), count("default"), count("not-default")), (1, 1, 2));
        let expected = json!({
            "annotations": { "storageclass.kubernetes.io/is-default-class": "false" },
            "provisioner": "rancher.io/local-path",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
        });
        check("local_path = \"not-default\"", "local-path", &expected);
    }
}
