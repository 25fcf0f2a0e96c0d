//! vSphere's storage driver, its controller: what it makes and moves in the vCenter.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::crash::{self, Crash, Program};
use super::json::{annotation, map, text, uid};
use super::rbac::{self, Ask};
use super::work::Work;
use super::{csi_config, custom, images, kubelet, mounts, pod, quantity};
use crate::lab::k3s::ids;
use crate::lab::kubernetes::Key;

/// The driver's name, and the provisioner's.
pub(super) const DRIVER: &str = "csi.vsphere.vmware.com";
const CLUSTER_ID_MAX: usize = 64;

/// A driver that is logged in.
pub(super) struct Driver {
    /// The account, in its one form.
    pub principal: String,
}

/// Class parameters that the driver knows (constants.go:41-65); all others are refused.
const PARAMETERS: [&str; 5] = [
    "storagepolicyname",
    "datastoreurl",
    "csi.storage.k8s.io/fstype",
    "fstype",
    "csi.storage.k8s.io/fs-type",
];

/// Whether a controller pod with that configuration stays up.
///
/// # Errors
/// The line that it ends with.
pub(super) fn judge(work: &Work<'_>, pod: &Json, container: &Json) -> Result<(), Crash> {
    log_in_pod(work, pod, container).map(|_| ())
}

/// Makes the driver's own resource definitions, as the controller does when it starts.
pub(super) fn run(work: &mut Work<'_>) {
    let Some((key, pod)) = leader(work) else { return };
    for (kind, plural, scope) in [
        ("CSINodeTopology", "csinodetopologies", "Cluster"),
        ("CnsVolumeOperationRequest", "cnsvolumeoperationrequests", "Namespaced"),
        ("CnsVSphereVolumeMigration", "cnsvspherevolumemigrations", "Cluster"),
        ("CnsVolumeInfo", "cnsvolumeinfoes", "Namespaced"),
        ("TriggerCsiFullSync", "triggercsifullsyncs", "Cluster"),
    ] {
        let name = format!("{plural}.cns.vmware.com");
        let group = "apiextensions.k8s.io";
        let definition = Key::new(group, "customresourcedefinitions", "", &name);
        work.ensure(&definition, || {
            custom::definition("cns.vmware.com", "v1alpha1", kind, plural, scope)
        });
    }
    let Some((container, _)) = crash::known(&pod) else { return };
    if is_from(container, (3, 0)) && cluster_id(work, &pod, container).is_empty() {
        let own = Key::new("", "configmaps", &key.namespace, "vsphere-csi-cluster-id");
        let id = ids::uuid(work.cluster().seed, &[&work.cluster().id, "csi cluster id"]);
        work.ensure(&own, || {
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {},
                "data": {"clusterID": id}, "immutable": true,
            })
        });
    }
}

/// The controller pod that leads.
pub(super) fn leader(work: &Work<'_>) -> Option<super::json::Stored> {
    kubelet::first_running(work, |pod| crash::is(pod, Program::CsiController))
}

/// The driver, while a controller runs. The error is what it would answer to every request.
pub(super) fn driver(work: &Work<'_>) -> Option<Result<Driver, String>> {
    let (_, pod) = leader(work)?;
    let (container, _) = crash::known(&pod)?;
    Some(log_in_pod(work, &pod, container).map_err(|crash| crash.log))
}

/// Logs in to the lab's vCenter.
///
/// # Errors
/// What a client would say.
pub(super) fn log_in(
    work: &Work<'_>,
    server: &str,
    user: &str,
    password: &str,
) -> Result<String, String> {
    let known = &work.site.vcenter;
    if server.is_empty() || (!known.is_empty() && server != known) {
        return Err(format!(
            "Post \"https://{server}:443/sdk\": dial tcp: lookup {server}: no such host"
        ));
    }
    let own = work.site.passwords.get(&crate::lab::vsphere::one_form(user));
    work.world.log_in(user, password, own.map(String::as_str)).ok_or_else(|| {
        "ServerFaultCode: Cannot complete login due to an incorrect user name or password."
            .to_owned()
    })
}

fn log_in_pod(work: &Work<'_>, pod: &Json, container: &Json) -> Result<Driver, Crash> {
    let fail = |why: String| Crash::new(format!("failed to init controller. Error: {why}"));
    let namespace = text(pod, "/metadata/namespace");
    let account = text(pod, "/spec/serviceAccountName");
    for (verb, group, resource) in [
        ("list", "", "nodes"),
        ("create", "", "persistentvolumes"),
        ("create", "apiextensions.k8s.io", "customresourcedefinitions"),
    ] {
        let ask = Ask { verb, group, resource, namespace: "" };
        if !rbac::may(work, namespace, account, &ask) {
            return Err(fail(rbac::forbidden(namespace, account, &ask)));
        }
    }
    let path = path(container);
    let file = mounts::file(work, pod, container, &path).ok_or_else(|| {
        fail(format!("failed to read config. Err: open {path}: no such file or directory"))
    })?;
    let config = csi_config::read(&file)
        .map_err(|why| fail(format!("failed to parse config. Err: {why}")))?;
    let Some((server, center)) = config.centers.first() else {
        return Err(fail("No Virtual Center hosts defined".to_owned()));
    };
    let of = |key: &str| center.get(key).or_else(|| config.global.get(key)).cloned();
    let user = of("user").ok_or_else(|| fail("user is missing".to_owned()))?;
    let password = of("password").ok_or_else(|| fail("password is missing".to_owned()))?;
    if is_from(container, (3, 1)) && !is_qualified(&user) {
        let why = "username is invalid, make sure it is a fully qualified domain username";
        return Err(fail(why.to_owned()));
    }
    if let Some(ca) = of("ca-file").filter(|ca| !ca.is_empty())
        && mounts::file(work, pod, container, &ca).is_none()
    {
        return Err(fail(format!("open {ca}: no such file or directory")));
    }
    known_cluster(work, pod, container, &config).map_err(fail)?;
    let principal = log_in(work, server, &user, &password).map_err(fail)?;
    let named = of("datacenters").unwrap_or_default();
    let mut datacenters = named.split(',').map(str::trim).filter(|name| !name.is_empty());
    if let Some(missing) = datacenters.find(|name| !work.world.has_datacenter(&principal, name)) {
        return Err(fail(format!("datacenter '{missing}' not found")));
    }
    Ok(Driver { principal })
}

fn path(container: &Json) -> String {
    match pod::env(container, "VSPHERE_CSI_CONFIG") {
        "" => "/etc/cloud/csi-vsphere.conf".to_owned(),
        path => path.to_owned(),
    }
}

/// Whether the driver is of that version or newer; what has no version counts as new.
fn is_from(container: &Json, version: (u64, u64)) -> bool {
    images::version(text(container, "/image")).is_none_or(|known| known >= version)
}

/// `name@domain` or `DOMAIN\name`, of plain letters.
fn is_qualified(user: &str) -> bool {
    let parts = user.split_once('\\').or_else(|| user.split_once('@'));
    let plain = |text: &str| {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        !text.is_empty() && text.chars().all(fine)
    };
    parts.is_some_and(|(one, other)| plain(one) && plain(other))
}

fn cluster_id(work: &Work<'_>, pod: &Json, container: &Json) -> String {
    let file = mounts::file(work, pod, container, &path(container)).unwrap_or_default();
    let config = csi_config::read(&file).unwrap_or_default();
    config.global.get("cluster-id").cloned().unwrap_or_default()
}

fn known_cluster(
    work: &Work<'_>,
    pod: &Json,
    container: &Json,
    config: &csi_config::CsiConfig,
) -> Result<(), String> {
    let id = config.global.get("cluster-id").map(String::as_str).unwrap_or_default();
    if id.len() > CLUSTER_ID_MAX {
        return Err(format!("cluster id must not exceed {CLUSTER_ID_MAX} characters"));
    }
    let namespace = text(pod, "/metadata/namespace");
    let own = Key::new("", "configmaps", namespace, "vsphere-csi-cluster-id");
    if !id.is_empty() && is_from(container, (3, 0)) && work.has(&own) {
        return Err("cluster id is present in vsphere config secret as well as in the immutable ConfigMap vsphere-csi-cluster-id; remove one of them".to_owned());
    }
    Ok(())
}

/// Makes a disk for a claim; gives the volume's source. `None` while no controller runs.
pub(super) fn provision(
    work: &mut Work<'_>,
    claim: &Json,
    class: &Json,
) -> Option<Result<Json, String>> {
    let driver = driver(work)?;
    Some(driver.and_then(|driver| make(work, &driver, claim, class)))
}

fn make(work: &mut Work<'_>, driver: &Driver, claim: &Json, class: &Json) -> Result<Json, String> {
    let parameters = map(class, "/parameters");
    let mut url = None;
    let mut file_system = "ext4".to_owned();
    for (name, value) in parameters.into_iter().flatten() {
        let lower = name.to_lowercase();
        let value = value.as_str().unwrap_or_default();
        match PARAMETERS.iter().position(|known| *known == lower) {
            None => {
                return Err(format!(
                    "rpc error: code = InvalidArgument desc = parsing storage class parameters failed with error: invalid parameter. key:{name}-value:{value}"
                ));
            }
            Some(1) => url = Some(value.to_owned()),
            Some(0) => {}
            Some(_) => value.clone_into(&mut file_system),
        }
    }
    let datastores = work.world.datastores(&driver.principal);
    let fits = datastores.iter().find(|known| url.as_ref().is_none_or(|url| *url == known.url));
    let Some(datastore) = fits else {
        let why = match &url {
            Some(url) => format!("DatastoreURL: {url} specified in the storage class is not found."),
            None => "no shared datastores found in the Kubernetes cluster for which the user has the Datastore.FileManagement privilege".to_owned(),
        };
        return Err(format!(
            "rpc error: code = Internal desc = failed to create volume. Error: {why}"
        ));
    };
    if !work.world.may_at_root(&driver.principal, "Cns.Searchable") {
        return Err("rpc error: code = Internal desc = failed to create volume. Error: ServerFaultCode: NoPermission: Cns.Searchable".to_owned());
    }
    let request = &claim["spec"]["resources"]["requests"]["storage"];
    let bytes =
        quantity::whole(request).ok_or("rpc error: code = InvalidArgument desc = no size")?;
    let handle = ids::uuid(work.cluster().seed, &["volume", uid(claim)]);
    let file = format!("[{}] fcd/{handle}.vmdk", datastore.name);
    let kib = i64::try_from(bytes / 1024).unwrap_or(i64::MAX);
    let entry = work.world.make_disk(&file, kib, &handle)?;
    work.enter(entry);
    Ok(json!({"csi": {
        "driver": DRIVER, "fsType": file_system, "volumeHandle": handle,
        "volumeAttributes": {"type": "vSphere CNS Block Volume"},
    }}))
}

/// Hangs a volume on the machine of a node. `None` while no controller runs.
pub(super) fn attach(
    work: &mut Work<'_>,
    volume: &Json,
    node_id: &str,
) -> Option<Result<(), String>> {
    let driver = match driver(work)? {
        Ok(driver) => driver,
        Err(why) => return Some(Err(why)),
    };
    let handle = text(volume, "/spec/csi/volumeHandle").to_owned();
    let rpc = |why: String| {
        format!(
            "rpc error: code = Internal desc = failed to attach disk: {handle} with node: {node_id} err {why}"
        )
    };
    let done = work.world.hang(&driver.principal, node_id, &handle).map_err(rpc);
    Some(done.map(|entry| entry.into_iter().for_each(|entry| work.enter(entry))))
}

/// Takes a volume off whatever machine it hangs on. Whether that is done.
pub(super) fn detach(work: &mut Work<'_>, volume: &Json) -> bool {
    if driver(work).is_none_or(|driver| driver.is_err()) {
        return false;
    }
    let handle = text(volume, "/spec/csi/volumeHandle");
    if let Some(entry) = work.world.unhang(handle) {
        work.enter(entry);
    }
    true
}

/// Deletes the disk of a volume. Whether the volume may go.
pub(super) fn discard(work: &mut Work<'_>, key: &Key, volume: &Json) -> bool {
    if text(volume, "/spec/csi/driver") != DRIVER {
        return annotation(volume, super::provision::PROVISIONED_BY) == "rancher.io/local-path";
    }
    let attachments = work.list("storage.k8s.io", "volumeattachments");
    let hangs = attachments
        .iter()
        .any(|(_, other)| text(other, "/spec/source/persistentVolumeName") == key.name);
    if hangs || driver(work).is_none_or(|driver| driver.is_err()) {
        return false;
    }
    if let Some(entry) = work.world.drop_disk(text(volume, "/spec/csi/volumeHandle")) {
        work.enter(entry);
    }
    true
}

/// Makes a volume larger. Whether it was done; why not is an Event of the claim.
pub(super) fn enlarge(work: &mut Work<'_>, claim: &Json, volume: &Arc<Json>, bytes: i128) -> bool {
    let about = super::work::About::claim(claim, "external-resizer csi.vsphere.vmware.com");
    let class = super::volume::class(work, claim);
    let grows = class.is_some_and(|class| class["allowVolumeExpansion"] == true);
    if !grows || text(volume, "/spec/csi/driver") != DRIVER {
        let why = "didn't find a plugin capable of expanding the volume; waiting for an external controller to process this PVC";
        work.event(&about, "ExternalExpanding", why);
        return false;
    }
    match driver(work) {
        None => return false,
        Some(Err(why)) => {
            work.event(&about, "VolumeResizeFailed", &why);
            return false;
        }
        Some(Ok(_)) => {}
    }
    if has_snapshots(work, text(volume, "/metadata/name")) {
        let why = "rpc error: code = FailedPrecondition desc = volume has snapshots, expansion is not allowed";
        work.event(&about, "VolumeResizeFailed", why);
        return false;
    }
    let kib = i64::try_from(bytes / 1024).unwrap_or(i64::MAX);
    if let Some(entry) = work.world.enlarge_disk(text(volume, "/spec/csi/volumeHandle"), kib) {
        work.enter(entry);
    }
    true
}

fn has_snapshots(work: &Work<'_>, volume: &str) -> bool {
    let snapshots = work.list("snapshot.storage.k8s.io", "volumesnapshotcontents");
    snapshots.iter().any(|(_, content)| {
        let handle = text(content, "/spec/source/volumeHandle");
        let own = work.get(&Key::new("", "persistentvolumes", "", volume));
        own.is_some_and(|own| text(&own, "/spec/csi/volumeHandle") == handle)
    })
}
