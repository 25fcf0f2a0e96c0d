//! What a pod's containers find below their mount points.

use serde_json::Value as Json;

use super::json::{flag, list, text};
use super::work::Work;
use crate::lab::kubernetes::Key;

/// A ConfigMap or Secret that a pod names.
struct Source<'a> {
    plural: &'static str,
    /// As messages call it.
    kind: &'static str,
    name: &'a str,
    body: &'a Json,
}

/// Why a pod's volumes cannot be set up. `None` where they can.
pub(super) fn missing(work: &Work<'_>, pod: &Json) -> Option<String> {
    let namespace = text(pod, "/metadata/namespace");
    list(pod, "/spec/volumes").iter().find_map(|volume| {
        let why = sources(volume).iter().find_map(|source| lacks(work, namespace, source))?;
        Some(format!("MountVolume.SetUp failed for volume \"{}\" : {why}", text(volume, "/name")))
    })
}

fn lacks(work: &Work<'_>, namespace: &str, source: &Source<'_>) -> Option<String> {
    if flag(source.body, "/optional") {
        return None;
    }
    let Some(found) = work.get(&Key::new("", source.plural, namespace, source.name)) else {
        return Some(format!("{} \"{}\" not found", source.kind, source.name));
    };
    let mut keys = list(source.body, "/items").iter().map(|item| text(item, "/key"));
    let key = keys.find(|key| value(&found, key).is_none())?;
    Some(format!("references non-existent config key: {key}"))
}

/// ConfigMaps and Secrets of a volume.
fn sources(volume: &Json) -> Vec<Source<'_>> {
    let projected = list(volume, "/projected/sources").iter();
    let holders = [volume].into_iter().chain(projected);
    let all = holders.flat_map(|holder| {
        [("configMap", "configmaps", "configmap"), ("secret", "secrets", "secret")]
            .into_iter()
            .filter_map(|(field, plural, kind)| {
                let body = holder.get(field)?;
                let long = text(body, "/secretName");
                let name = if long.is_empty() { text(body, "/name") } else { long };
                Some(Source { plural, kind, name, body })
            })
    });
    all.collect()
}

/// Why a container's variables cannot be set. `None` where they can.
pub(super) fn unset(work: &Work<'_>, pod: &Json, container: &Json) -> Option<String> {
    let namespace = text(pod, "/metadata/namespace");
    let whole = list(container, "/envFrom").iter().flat_map(|from| {
        [("configMapRef", "configmaps", "configmap"), ("secretRef", "secrets", "secret")]
            .into_iter()
            .filter_map(|(field, plural, kind)| Some((from.get(field)?, plural, kind)))
    });
    for (reference, plural, kind) in whole {
        let name = text(reference, "/name");
        if !flag(reference, "/optional") && !work.has(&Key::new("", plural, namespace, name)) {
            return Some(format!("{kind} \"{name}\" not found"));
        }
    }
    let single = list(container, "/env").iter().flat_map(|variable| {
        [
            ("configMapKeyRef", "configmaps", "configmap", "ConfigMap"),
            ("secretKeyRef", "secrets", "secret", "Secret"),
        ]
        .into_iter()
        .filter_map(|(field, plural, kind, title)| {
            Some((variable.get("valueFrom")?.get(field)?, plural, kind, title))
        })
    });
    for (reference, plural, kind, title) in single {
        let (name, key) = (text(reference, "/name"), text(reference, "/key"));
        if flag(reference, "/optional") {
            continue;
        }
        match work.get(&Key::new("", plural, namespace, name)) {
            None => return Some(format!("{kind} \"{name}\" not found")),
            Some(found) if value(&found, key).is_none() => {
                return Some(format!("couldn't find key {key} in {title} {namespace}/{name}"));
            }
            Some(_) => {}
        }
    }
    None
}

/// The text of a file in a container, where a ConfigMap or Secret is mounted there.
pub(super) fn file(work: &Work<'_>, pod: &Json, container: &Json, path: &str) -> Option<String> {
    let namespace = text(pod, "/metadata/namespace");
    list(container, "/volumeMounts").iter().find_map(|mount| {
        let at = text(mount, "/mountPath").trim_end_matches('/');
        let rest = path.strip_prefix(at)?;
        let below = match text(mount, "/subPath") {
            "" => rest.strip_prefix('/')?,
            sub if rest.is_empty() => sub,
            _ => return None,
        };
        let volumes = list(pod, "/spec/volumes");
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"])?;
        sources(volume).into_iter().find_map(|source| {
            let object = work.get(&Key::new("", source.plural, namespace, source.name))?;
            let items = list(source.body, "/items");
            let item = items.iter().find(|item| text(item, "/path") == below);
            let key = item.map_or(below, |item| text(item, "/key"));
            (items.is_empty() || item.is_some()).then(|| value(&object, key)).flatten()
        })
    })
}

/// One entry of a ConfigMap or of a Secret, decoded.
pub(super) fn value(object: &Json, key: &str) -> Option<String> {
    let text = object["data"].get(key)?.as_str()?;
    if object["kind"] == "Secret" {
        return crate::lab::vsphere::decode(text);
    }
    Some(text.to_owned())
}
