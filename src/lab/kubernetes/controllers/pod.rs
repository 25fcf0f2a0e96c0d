//! Pods: how one comes from a template, and what can be told of one.

use serde_json::{Value as Json, json};

use super::condition;
use super::json::{flag, is_going, list, text, uid};
use super::work::{About, Work};
use crate::lab::k3s::ids;
use crate::lab::kubernetes::{Key, admission, quota};

/// Who makes a pod.
pub(super) struct Maker<'a> {
    pub object: &'a Json,
    pub api: &'a str,
    pub kind: &'a str,
    /// The controller's name in events.
    pub by: &'a str,
}

impl Maker<'_> {
    pub(super) fn reference(&self) -> Json {
        super::json::owned(self.object, self.api, self.kind)
    }
}

/// Makes one pod of a template, unless admission refuses it; the reason is an Event of the maker.
pub(super) fn create(
    work: &mut Work<'_>,
    maker: &Maker<'_>,
    template: &Json,
    change: impl FnOnce(&mut Json),
) -> Result<(), String> {
    let (owner, namespace) =
        (text(maker.object, "/metadata/name"), text(maker.object, "/metadata/namespace"));
    let key = free_name(work, maker.object, owner, namespace);
    create_as(work, maker, template, &key, |pod| {
        pod["metadata"]["generateName"] = json!(format!("{owner}-"));
        change(pod);
    })
}

/// The same under a name that is given.
pub(super) fn create_as(
    work: &mut Work<'_>,
    maker: &Maker<'_>,
    template: &Json,
    key: &Key,
    change: impl FnOnce(&mut Json),
) -> Result<(), String> {
    let (owner, namespace) = (text(maker.object, "/metadata/name"), key.namespace.as_str());
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "labels": template["metadata"]["labels"],
            "ownerReferences": [maker.reference()],
        },
        "spec": template["spec"],
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    });
    if let Some(annotations) = template["metadata"].get("annotations") {
        pod["metadata"]["annotations"] = annotations.clone();
    }
    change(&mut pod);
    if let Err(reason) = admit(work, &mut pod, namespace) {
        let message = format!("Error creating: pods \"{owner}-\" is forbidden: {reason}");
        let about = About {
            object: maker.object,
            api: maker.api,
            kind: maker.kind,
            by: maker.by,
            warns: true,
        };
        work.event(&about, "FailedCreate", &message);
        return Err(message);
    }
    work.create(key, pod);
    Ok(())
}

/// Fills in what admission does, and checks what it checks.
fn admit(work: &Work<'_>, pod: &mut Json, namespace: &str) -> Result<(), String> {
    let spaces = Key::new("", "namespaces", "", namespace);
    if work.get(&spaces).is_none_or(|space| is_going(&space)) {
        return Err(format!(
            "unable to create new content in namespace {namespace} because it is being terminated"
        ));
    }
    if text(pod, "/spec/serviceAccountName").is_empty() {
        pod["spec"]["serviceAccountName"] = json!("default");
    }
    let account = text(pod, "/spec/serviceAccountName");
    if !work.has(&Key::new("", "serviceaccounts", namespace, account)) {
        return Err(format!(
            "error looking up service account {namespace}/{account}: serviceaccount \"{account}\" not found"
        ));
    }
    let class = text(pod, "/spec/priorityClassName").to_owned();
    if !class.is_empty() {
        let known = work.get(&Key::new("scheduling.k8s.io", "priorityclasses", "", &class));
        let Some(known) = known else {
            return Err(format!("no PriorityClass with name {class} was found"));
        };
        pod["spec"]["priority"] = known["value"].clone();
    }
    let store = &work.cluster().store;
    admission::limits(store, namespace, pod)?;
    quota::room(store, &Key::new("", "pods", namespace, ""), pod)
}

/// `OWNER-` and five letters, as no pod was ever called before.
fn free_name(work: &Work<'_>, object: &Json, owner: &str, namespace: &str) -> Key {
    let (seed, since) = (work.cluster().seed, work.now_ms.to_string());
    let name = |number: u32| {
        let number = number.to_string();
        let suffix = letters(seed, &["pod", uid(object), &since, &number], 5);
        Key::new("", "pods", namespace, &format!("{owner}-{suffix}"))
    };
    (0..).map(name).find(|key| !work.has(key)).unwrap_or_default()
}

/// Letters as Kubernetes draws them: no vowels, nothing that looks like something else.
pub(super) fn letters(seed: u64, parts: &[&str], count: usize) -> String {
    let alphabet = b"bcdfghjklmnpqrstvwxz2456789";
    let digest = ids::short(seed, parts, 2 * count);
    let pairs = digest.as_bytes().chunks(2);
    let letter = |pair: &[u8]| {
        let value = std::str::from_utf8(pair).ok().and_then(|t| usize::from_str_radix(t, 16).ok());
        char::from(alphabet[value.unwrap_or_default() % alphabet.len()])
    };
    pairs.map(letter).collect()
}

/// The digest of a pod template, as `pod-template-hash` carries it.
pub(super) fn template_hash(template: &Json) -> String {
    letters(0, &["template", &template.to_string()], 9)
}

/// Neither ended nor going.
pub(super) fn is_active(pod: &Json) -> bool {
    !is_going(pod) && !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

pub(super) fn is_ready(pod: &Json) -> bool {
    !is_going(pod) && condition::is_true(pod, "Ready")
}

pub(super) fn node(pod: &Json) -> &str {
    text(pod, "/spec/nodeName")
}

/// The claims that a pod mounts, by name.
pub(super) fn claims(pod: &Json) -> impl Iterator<Item = &str> {
    list(pod, "/spec/volumes")
        .iter()
        .filter_map(|volume| volume.pointer("/persistentVolumeClaim/claimName")?.as_str())
}

pub(super) fn containers(pod: &Json) -> &[Json] {
    list(pod, "/spec/containers")
}

pub(super) fn on_host_network(pod: &Json) -> bool {
    flag(pod, "/spec/hostNetwork")
}

/// The value of a container's variable; empty where it has none of its own.
pub(super) fn env<'a>(container: &'a Json, name: &str) -> &'a str {
    let mut variables = list(container, "/env").iter();
    variables.find(|variable| variable["name"] == name).map_or("", |found| text(found, "/value"))
}
