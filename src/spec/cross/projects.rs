//! Names, hosts and settings of projects.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Place};
use crate::spec::scalar::{HOST, is_label};
use crate::spec::source::{Wrong, nearest};
use crate::spec::{Component, ImageOwner, Left, Placement, Project, Resources, Sp, Spec};

/// Namespaces that others fill.
const RESERVED: [&str; 5] =
    ["default", "kube-node-lease", "kube-public", "kube-system", "vmware-system-csi"];

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    unique("namespace", spec.projects.iter().map(|project| &project.namespace), found);
    unique("host", spec.projects.iter().map(|project| &project.host), found);
    for project in &spec.projects {
        names(project, found);
        agents(project, spec, found);
        version(project, found);
        storage(project, found);
        standing(project, found);
        quota(project, found);
        for resources in project.resources.values() {
            requests(resources, found);
        }
    }
    for canary in &spec.project_settings.rollout.canary {
        known(
            canary,
            "`projects.rollout.canary`",
            "project",
            spec.projects.iter().map(|p| p.name.as_str()),
            found,
        );
    }
}

fn unique<'a>(
    what: &str,
    values: impl Iterator<Item = &'a Sp<String>>,
    found: &mut Vec<Diagnostic>,
) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for value in values.filter(|value| !value.is_empty()) {
        if seen.insert(value, &value.place).is_some_and(|first| *first != value.place) {
            let wrong = Wrong::new(
                format!("two projects have the {what} \"{value}\""),
                "the second one",
                format!("give each project its own {what}"),
            );
            found.push(wrong.error(&value.place));
        }
    }
}

fn names(project: &Project, found: &mut Vec<Diagnostic>) {
    let namespace = &project.namespace;
    if RESERVED.contains(&namespace.as_str()) {
        let wrong = Wrong::new(
            format!("the namespace \"{namespace}\" belongs to the cluster itself"),
            "reserved",
            "choose another name, or a namespace_prefix",
        );
        found.push(wrong.error(&namespace.place));
    } else if !namespace.is_empty() && !is_label(namespace) {
        let wrong = Wrong::new(
            "a project's namespace is longer than 63 characters",
            "too long",
            "shorten the name or namespace_prefix",
        );
        found.push(wrong.error(&namespace.place));
    }
    if !project.host.is_empty() && (HOST.check)(&project.host).is_err() {
        let wrong = Wrong::new(
            "a project's host name is longer than 253 characters",
            "too long",
            "shorten the name or the domain",
        );
        found.push(wrong.error(&project.host.place));
    }
}

fn agents(project: &Project, spec: &Spec, found: &mut Vec<Diagnostic>) {
    let agents = || spec.agents.iter().map(|machine| machine.name.as_str());
    for agent in &project.agents {
        known(agent, "`agents` of a project", "agent", agents(), found);
    }
    let hosts = match project.agents.len() {
        0 => spec.agents.len(),
        pinned => pinned,
    };
    let nodes = &project.couchdb.nodes;
    let apart = *project.placement == Placement::Spread;
    if apart && hosts > 0 && usize::try_from(**nodes).is_ok_and(|nodes| nodes > hosts) {
        let wrong = Wrong::new(
            format!("{nodes} CouchDB nodes are to be spread over {hosts} machines"),
            "some will share a machine",
            "use fewer nodes, more agents, or placement = \"together\"",
        );
        found.push(wrong.warning(&nodes.place));
    }
}

fn known<'a>(
    name: &Sp<String>,
    key: &str,
    what: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    found: &mut Vec<Diagnostic>,
) {
    if known.clone().next().is_none() || known.clone().any(|known| known == name.value) {
        return;
    }
    let help = match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use the name of one {what} of this spec"),
    };
    let message = format!("{key} has \"{name}\", which is no {what}");
    found.push(Wrong::new(message, format!("no such {what}"), help).error(&name.place));
}

fn version(project: &Project, found: &mut Vec<Diagnostic>) {
    let old = project.cht.starts_with("4.");
    if !old && *project.image_owner == ImageOwner::UpgradeService {
        let wrong = Wrong::new(
            "CHT 5.x has no upgrade-service that could own images",
            "not on 5.x",
            "leave image_owner out, or write \"boma\"",
        );
        found.push(wrong.error(&project.image_owner.place));
    }
    let foreign = match old {
        true => (Component::Nouveau, "nouveau", "4.x"),
        false => (Component::UpgradeService, "upgrade_service", "5.x"),
    };
    let resources = project.resources.get(&foreign.0);
    if let Some(place) = resources.and_then(place_of) {
        let wrong = Wrong::new(
            format!("`resources.{}` has no effect on CHT {}", foreign.1, foreign.2),
            "without effect",
            "leave it out",
        );
        found.push(wrong.warning(place));
    }
}

fn place_of(resources: &Resources) -> Option<&Place> {
    let cpu = resources.cpu.as_ref().or(resources.cpu_request.as_ref());
    let memory = resources.memory_mib.as_ref().or(resources.memory_request_mib.as_ref());
    cpu.map(|cpu| &cpu.place).or(memory.map(|memory| &memory.place))
}

fn storage(project: &Project, found: &mut Vec<Diagnostic>) {
    let storage = &project.couchdb.storage_mib;
    // 1 MiB stands in for what could not be read.
    if (2..1024).contains(&**storage) {
        let wrong = Wrong::new(
            "a CouchDB volume is smaller than 1 GiB",
            "too small",
            "plan for five times the data: upgrades build new indexes beside the old ones",
        );
        found.push(wrong.error(&storage.place));
    }
}

/// Volumes by name, and folders in place of volumes: what adopted projects may have.
fn standing(project: &Project, found: &mut Vec<Diagnostic>) {
    let couchdb = &project.couchdb;
    let nodes = usize::try_from(couchdb.nodes.value).unwrap_or(usize::MAX);
    if let Some(volume) = couchdb.volumes.first()
        && couchdb.volumes.len() != nodes
    {
        let named = couchdb.volumes.len();
        let wrong = Wrong::new(
            format!("`couchdb.volumes` names {named} for {nodes} nodes"),
            "another number",
            "name one volume for each node, the first node's first",
        );
        found.push(wrong.error(&volume.place));
    }
    let Some(folder) = &couchdb.host_path else { return };
    let mut error = |label: &str, help: &str| {
        let wrong = Wrong::new("`couchdb.host_path` is for one node on one machine", label, help);
        found.push(wrong.error(&folder.place));
    };
    if !folder.starts_with('/') {
        error("no whole path", "write the path from the root: \"/var/lib/couchdb1\"");
    } else if nodes > 1 || !couchdb.volumes.is_empty() {
        error("several nodes, or volumes too", "leave host_path out, or nodes and volumes");
    } else if project.agents.len() != 1 {
        error("on which machine?", "name the machine with the folder: agents = [\"agent-1\"]");
    }
}

/// All limits that are given fit, and leave something for containers without one.
fn quota(project: &Project, found: &mut Vec<Diagnostic>) {
    let Some(quota) = &project.quota else { return };
    let share = project.share(quota);
    let mut check = |what: &str, place: &Place, left: Left| {
        let (label, help) = match left {
            Left::Each(_) => return,
            Left::Less => ("less than the limits", "raise the quota or lower the limits"),
            Left::Nothing => ("nothing is left", "raise the quota, or give every component limits"),
        };
        let message = format!("the quota's {what} is too small for the project's containers");
        found.push(Wrong::new(message, label, help).error(place));
    };
    check("cpu", &quota.cpu.place, share.cpu);
    check("memory", &quota.memory_mib.place, share.memory);
}

fn requests(resources: &Resources, found: &mut Vec<Diagnostic>) {
    let wrong = |what: &str| {
        Wrong::new(
            format!("more {what} is reserved than the limit allows"),
            "above the limit",
            "lower the request or raise the limit",
        )
    };
    if let (Some(request), Some(limit)) = (&resources.cpu_request, &resources.cpu)
        && request.value > limit.value
    {
        found.push(wrong("CPU").error(&request.place));
    }
    if let (Some(request), Some(limit)) = (&resources.memory_request_mib, &resources.memory_mib)
        && request.value > limit.value
    {
        found.push(wrong("memory").error(&request.place));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use crate::spec::cross::testing::check;

    fn check_default(line: &str, expected: &[&str]) {
        check(&[("cht = \"5.3.1\"", line)], expected);
    }

    fn check_override(text: &str, expected: &[&str]) {
        check(&[("[projects.defaults]", &format!("{text}\n[projects.defaults]"))], expected);
    }

    #[test]
    fn namespaces_and_hosts_are_unique() {
        check_override(
            "[projects.overrides.county-2]\nnamespace = \"cht-county-1\"",
            &["the namespace \"cht-county-1\""],
        );
        check_override(
            "[projects.overrides.county-2]\nhost = \"county-1.cht.example.org\"",
            &["the host"],
        );
        check_override(
            "[projects.overrides.county-2]\nnamespace = \"kube-system\"",
            &["belongs to the cluster"],
        );
    }

    #[test]
    fn names_fit_where_they_are_used() {
        let long = "a".repeat(60);
        check(&[("county-{}", &format!("{long}-{{}}"))], &["longer than 63"]);
        check(
            &[("cht.example.org", "cht_example.org")],
            &["`projects.domain` is not a domain name"],
        );
        check(&[("domain = \"cht.example.org\"\n", "")], &["[projects] needs `domain`"]);
    }

    #[test]
    fn overrides_and_canaries_are_projects() {
        check_override(
            "[projects.overrides.conty-2]\ncht = \"5.3.0\"",
            &["\"conty-2\", which is not one of the projects"],
        );
        check_override("[projects.rollout]\ncanary = [\"county-9\"]", &["which is no project"]);
    }

    #[test]
    fn pinned_machines_are_agents() {
        check_default("agents = [\"agent-1\", \"server-1\"]", &["\"server-1\", which is no agent"]);
        check_default(
            "couchdb = { nodes = 3 }\nplacement = \"spread\"",
            &["spread over 2 machines"],
        );
    }

    #[test]
    fn releases_have_their_own_parts() {
        check_default("cht = \"3.17.0\"", &["not a CHT release that boma can host"]);
        check_default("image_owner = \"upgrade-service\"", &["5.x has no upgrade-service"]);
        check_default(
            "resources = { upgrade_service = { cpu = \"1\" } }",
            &["has no effect on CHT 5.x"],
        );
        check_default(
            "cht = \"4.22.0\"\nresources = { nouveau = { memory = \"1GiB\" } }",
            &["has no effect on CHT 4.x"],
        );
    }

    #[test]
    fn sizes_make_sense() {
        check_default("couchdb = { storage = \"50MiB\" }", &["smaller than 1 GiB"]);
        check_default(
            "couchdb = { nodes = 0 }",
            &["`projects.defaults.couchdb.nodes` is out of range"],
        );
        check_default(
            "resources = { api = { cpu = \"1\", cpu_request = \"2\" } }",
            &["more CPU is reserved"],
        );
        check_default("tls = {}", &["either `secret` or `issuer`"]);
    }

    #[test]
    fn what_stands_already_is_named_whole() {
        check_default(
            "couchdb = { nodes = 3, volumes = [\"a\", \"b\"] }",
            &["names 2 for 3 nodes"],
        );
        let folder = "couchdb = { host_path = \"/var/lib/couchdb1\" }";
        check_default(folder, &["for one node on one machine"]);
        check_default(&format!("{folder}\nagents = [\"agent-1\"]"), &[]);
        let several = "agents = [\"agent-1\"]\ncouchdb = { nodes = 3, host_path = \"/a\" }";
        check_default(several, &["for one node on one machine"]);
        let relative = "agents = [\"agent-1\"]\ncouchdb = { host_path = \"a\" }";
        check_default(relative, &["for one node on one machine"]);
    }

    #[test]
    fn a_quota_is_enough_for_all_limits() {
        let quota = "quota = { cpu = \"2\", memory = \"2GiB\" }";
        check_default(quota, &[]);
        let more = "resources = { api = { cpu = \"3\", memory = \"1GiB\" } }";
        check_default(&format!("{quota}\n{more}"), &["quota's cpu is too small"]);
        let all = "resources = { api = { memory = \"2GiB\" } }";
        check_default(&format!("{quota}\n{all}"), &["quota's memory is too small"]);
    }
}
