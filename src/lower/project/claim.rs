//! The claims of CouchDB's volumes. They hold the data.

use serde_json::{Value as Json, json};

use super::credentials;
use super::form::Form;
use super::member::Member;
use crate::lower::kubernetes::{csi, storage};
use crate::resource::{Address, Resource};

/// The address of a node's claim. `None` where its data is in a folder of its machine.
pub fn address(form: &Form<'_>, member: &Member) -> Option<Address> {
    let folder = form.project.couchdb.host_path.is_some();
    (!folder).then(|| form.address("PersistentVolumeClaim", &member.claim()))
}

/// Lowers the claims.
pub fn claims(form: &Form<'_>) -> Vec<Resource> {
    if form.project.couchdb.host_path.is_some() {
        return Vec::new();
    }
    form.members().iter().map(|member| claim(form, member)).collect()
}

fn claim(form: &Form<'_>, member: &Member) -> Resource {
    let couchdb = &form.project.couchdb;
    let mut spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": { "requests": { "storage": size(couchdb.storage_mib.value) } },
        "storageClassName": *couchdb.storage_class,
    });
    if let Some(volume) = couchdb.volumes.get(member.index()) {
        spec["volumeName"] = json!(volume.value);
    }
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": form.metadata(&member.claim(), Some(&member.claim())),
        "spec": spec,
    });
    form.resource(manifest, &before(form))
}

/// The credentials, which are not made up once there is a volume; and what makes volumes of the
/// class, and takes them off machines again, where that is boma's own.
fn before(form: &Form<'_>) -> Vec<Address> {
    let class = &form.project.couchdb.storage_class;
    let mut before = vec![credentials::address(form)];
    if **class == *form.spec.storage.class {
        let driver = [("Deployment", csi::CONTROLLER), ("DaemonSet", csi::NODE)];
        before.push(storage::address(class));
        before.extend(driver.map(|(kind, name)| csi::address(kind, name)));
    }
    before
}

/// A size as charts write it: `50Gi`, `1536Mi`.
pub fn size(mib: u64) -> String {
    match mib % 1024 {
        0 => format!("{}Gi", mib / 1024),
        _ => format!("{mib}Mi"),
    }
}

/// The volumes of a node's pod, and where its containers find them by the same name.
pub fn volume(form: &Form<'_>, member: &Member) -> (String, Json) {
    match &form.project.couchdb.host_path {
        Some(folder) => {
            let name = "local-volume".to_owned();
            let volume = json!({ "name": name, "hostPath": { "path": folder.value } });
            (name, volume)
        }
        None => {
            let name = member.claim();
            let claim = json!({ "claimName": name });
            let volume = json!({ "name": name, "persistentVolumeClaim": claim });
            (name, volume)
        }
    }
}
