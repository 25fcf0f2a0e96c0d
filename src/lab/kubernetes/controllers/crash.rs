//! Programs whose containers end at once, because of how they are set up.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::json::{list, text};
use super::work::Work;
use super::{cloud, csi, csi_node, pod, snapshot};
use crate::lab::k3s::Node;

/// A container that ends again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crash {
    /// The last line that it writes.
    pub log: String,
}

impl Crash {
    pub(super) fn new(log: impl Into<String>) -> Self {
        Self { log: log.into() }
    }
}

/// What the containers of a pod are, as far as the lab knows them: by what they are told to do, not
/// by their images' names, which a mirror changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    CloudProvider,
    CsiController,
    CsiNode,
    SnapshotController,
}

/// The container of a pod that the lab knows, and what it is.
pub(super) fn known(pod: &Json) -> Option<(&Json, Program)> {
    pod::containers(pod).iter().find_map(|container| Some((container, program(container)?)))
}

/// Whether a pod serves the whole cluster, so that a change of it reaches everything.
pub(in crate::lab) fn is_central(pod: &Json) -> bool {
    known(pod).is_some()
}

/// Whether a pod runs a program.
pub(super) fn is(pod: &Json, wanted: Program) -> bool {
    known(pod).is_some_and(|(_, program)| program == wanted)
}

/// The containers of a pod that crash.
pub(super) fn crashes(work: &mut Work<'_>, pod: &Json, node: &Node) -> BTreeMap<String, Crash> {
    let mut all = BTreeMap::new();
    let Some((container, program)) = known(pod) else { return all };
    let crash = match program {
        Program::CloudProvider => cloud::judge(work, pod, container).err(),
        Program::CsiController => csi::judge(work, pod, container).err(),
        Program::CsiNode => csi_node::judge(work, pod, node).err(),
        Program::SnapshotController => snapshot::judge(work).err(),
    };
    if let Some(crash) = crash {
        all.insert(text(container, "/name").to_owned(), crash.clone());
        // The syncer reads the same configuration.
        let syncer = pod::containers(pod).iter().find(|one| text(one, "/name").contains("syncer"));
        if let (Program::CsiController, Some(syncer)) = (program, syncer) {
            all.insert(text(syncer, "/name").to_owned(), crash);
        }
    }
    all
}

fn program(container: &Json) -> Option<Program> {
    let words = list(container, "/args").iter().chain(list(container, "/command"));
    let words: Vec<&str> = words.filter_map(Json::as_str).collect();
    if words.contains(&"--cloud-provider=vsphere") {
        return Some(Program::CloudProvider);
    }
    match pod::env(container, "X_CSI_MODE") {
        "controller" => return Some(Program::CsiController),
        "node" => return Some(Program::CsiNode),
        _ => {}
    }
    let image = text(container, "/image").split('@').next().unwrap_or_default();
    let name = text(container, "/name");
    (name == "snapshot-controller" || image.ends_with("/snapshot-controller"))
        .then_some(Program::SnapshotController)
}
