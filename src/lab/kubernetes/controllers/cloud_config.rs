//! What a cloud provider's pod is told, and whether a vCenter lets it in with that.

use serde_json::Value as Json;

use super::crash::Crash;
use super::json::{list, text};
use super::rbac::{self, Ask};
use super::work::Work;
use super::{mounts, yaml};
use crate::lab::kubernetes::Key;

/// How one vCenter is logged in to.
pub(super) struct Login {
    /// The account, in its one form.
    pub principal: String,
    /// Names or paths of the datacenters that are looked through; none for all.
    pub datacenters: Vec<String>,
}

/// A configuration that works.
pub(super) struct Config {
    pub logins: Vec<Login>,
    /// Region and zone are asked for, which only tags in vCenter could answer.
    pub zones: bool,
}

/// Reads the configuration of a pod, and logs in with it.
///
/// # Errors
/// The line that the program would end with.
pub(super) fn read(work: &Work<'_>, pod: &Json, container: &Json) -> Result<Config, Crash> {
    let flag = |name: &str| {
        let words = list(container, "/args").iter().chain(list(container, "/command"));
        words.filter_map(Json::as_str).find_map(|word| word.strip_prefix(name).map(str::to_owned))
    };
    permitted(work, pod)?;
    let path = flag("--cloud-config=").unwrap_or_default();
    let Some(file) = mounts::file(work, pod, container, &path) else {
        return Err(Crash::new(format!(
            "Couldn't open cloud provider configuration {path}: &fs.PathError{{Op:\"open\", Path:\"{path}\", Err:0x2}}"
        )));
    };
    let config = yaml::read(&file)
        .map_err(|why| Crash::new(format!("could not init cloud provider \"vsphere\": {why}")))?;
    let centers = config["vcenter"].as_object().into_iter().flatten();
    let mut logins = Vec::new();
    for (name, center) in centers {
        logins.push(login(work, pod, container, &config["global"], name, center)?);
    }
    if logins.is_empty() {
        return Err(Crash::new(
            "could not init cloud provider \"vsphere\": no Virtual Center hosts defined",
        ));
    }
    let zones = ["region", "zone"]
        .iter()
        .any(|label| config["labels"][label].as_str().is_some_and(|category| !category.is_empty()));
    Ok(Config { logins, zones })
}

/// What the program's account must be let do before anything else.
fn permitted(work: &Work<'_>, pod: &Json) -> Result<(), Crash> {
    let namespace = text(pod, "/metadata/namespace");
    let account = text(pod, "/spec/serviceAccountName");
    let ask = |verb, resource, namespace| Ask { verb, group: "", resource, namespace };
    for ask in [
        ask("get", "configmaps", "kube-system"),
        ask("list", "nodes", ""),
        ask("patch", "nodes", ""),
    ] {
        // The delegated authentication of every cloud controller manager reads one ConfigMap.
        if !rbac::may(work, namespace, account, &ask) {
            return Err(Crash::new(rbac::forbidden(namespace, account, &ask)));
        }
    }
    Ok(())
}

fn login(
    work: &Work<'_>,
    pod: &Json,
    container: &Json,
    global: &Json,
    name: &str,
    center: &Json,
) -> Result<Login, Crash> {
    let of = |key: &str| {
        let own = center.get(key).or_else(|| global.get(key));
        match own {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Null) | None => String::new(),
            Some(other) => other.to_string(),
        }
    };
    let server = match of("server") {
        server if server.is_empty() => name.to_owned(),
        server => server,
    };
    let (user, password) = match (of("secretName"), of("secretNamespace")) {
        (secret, _) if secret.is_empty() => (of("user"), of("password")),
        (secret, namespace) => credentials(work, pod, &namespace, &secret, &server)?,
    };
    let ca = of("caFile");
    if !ca.is_empty() && mounts::file(work, pod, container, &ca).is_none() {
        return Err(Crash::new(format!(
            "failed to create vSphere client: open {ca}: no such file or directory"
        )));
    }
    let principal = super::csi::log_in(work, &server, &user, &password).map_err(|why| {
        Crash::new(format!("Failed to create vSphere client for {server}: {why}"))
    })?;
    let datacenters: Vec<String> = list(center, "/datacenters")
        .iter()
        .filter_map(|one| Some(one.as_str()?.to_owned()))
        .collect();
    if let Some(missing) = datacenters.iter().find(|it| !work.world.has_datacenter(&principal, it))
    {
        return Err(Crash::new(format!("datacenter '{missing}' not found")));
    }
    Ok(Login { principal, datacenters })
}

/// The entries of the Secret that carry the server's name, byte for byte.
fn credentials(
    work: &Work<'_>,
    pod: &Json,
    namespace: &str,
    name: &str,
    server: &str,
) -> Result<(String, String), Crash> {
    let namespace = if namespace.is_empty() { text(pod, "/metadata/namespace") } else { namespace };
    let Some(secret) = work.get(&Key::new("", "secrets", namespace, name)) else {
        return Err(Crash::new(format!(
            "Cannot get secret {name} in namespace {namespace}. error: secret \"{name}\" not found"
        )));
    };
    let keys = secret["data"].as_object().into_iter().flat_map(|data| data.keys());
    let is_known = |key: &&String| {
        key.ends_with(".username")
            || key.ends_with(".password")
            || ["server_", "username_", "password_"].iter().any(|lead| key.starts_with(lead))
    };
    if let Some(odd) = keys.into_iter().find(|key| !is_known(key)) {
        return Err(Crash::new(format!("unknown secret key {odd}")));
    }
    let entry = |suffix: &str| mounts::value(&secret, &format!("{server}.{suffix}"));
    entry("username").zip(entry("password")).ok_or_else(|| {
        Crash::new(format!(
            "credentials not found for server {server} in secret {namespace}/{name}"
        ))
    })
}
