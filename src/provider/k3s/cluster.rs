//! The cluster as its nodes show it: `k3s kubectl get nodes -o json`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// The annotation that says that boma closed a node to new pods; its value is the state's lineage.
pub const CORDONED: &str = "boma.dev/cordoned";

/// All nodes, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    nodes: BTreeMap<String, Node>,
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its condition `Ready`.
    pub ready: bool,
    /// Whether it is an etcd member, by its role label.
    pub member: bool,
    /// Its condition `EtcdIsVoter`.
    pub voter: bool,
    /// `vsphere://…`; empty until it is set, once for all.
    pub provider_id: String,
    /// What its kubelet took for the machine's UUID.
    pub system_uuid: String,
    /// Closed to new pods, by whomever.
    pub unschedulable: bool,
    /// Closed to new pods by boma.
    pub cordoned: bool,
    /// What runs, which need not be what is installed.
    pub version: String,
    /// `k3s.io/node-args`: role and flags as loaded. Empty where k3s gives none.
    pub arguments: Vec<String>,
    /// `k3s.io/node-env`.
    pub environment: BTreeMap<String, String>,
}

impl Cluster {
    /// Reads kubectl's answer. `None` where it is none, such as half of it.
    pub fn parse(text: &str) -> Option<Self> {
        let tree: Json = serde_json::from_str(text).ok()?;
        let items = tree["items"].as_array()?;
        let named = items.iter().filter_map(|item| {
            Some((item["metadata"]["name"].as_str()?.to_owned(), Node::of(item)))
        });
        Some(Self { nodes: named.collect() })
    }

    /// A node by name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// All nodes in order of their names.
    pub fn nodes(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// How many voters of etcd may still be lost: healthy ones minus the quorum of all members.
    pub fn spare_voters(&self) -> i64 {
        let healthy = self.nodes.values().filter(|node| node.voter && node.ready).count();
        let quorum = self.members() / 2 + 1;
        i64::try_from(healthy).unwrap_or(0) - i64::try_from(quorum).unwrap_or(0)
    }

    /// How many members etcd has, healthy or not.
    pub fn members(&self) -> usize {
        self.nodes.values().filter(|node| node.member).count()
    }

    /// The nodes but one that are not Ready.
    pub fn others_not_ready(&self, own: &str) -> Vec<&str> {
        let others = self.nodes().filter(|(name, node)| *name != own && !node.ready);
        others.map(|(name, _)| name).collect()
    }

    /// The nodes whose providerID is not their machine's BIOS UUID, which is known from the hosts
    /// by node name, or else from what the node itself says. An empty one is not wrong.
    pub fn wrong_provider_ids(&self, uuids: &BTreeMap<String, String>) -> Vec<&str> {
        let wrong = self.nodes().filter(|(name, node)| {
            let Some(uuid) = node.provider_id.strip_prefix("vsphere://") else {
                return !node.provider_id.is_empty();
            };
            let (uuid, system) = (uuid.to_ascii_lowercase(), node.system_uuid.to_ascii_lowercase());
            match uuids.get(*name) {
                Some(known) => *known != uuid,
                None => system != uuid && swapped(&system).as_ref() != Some(&uuid),
            }
        });
        wrong.map(|(name, _)| name).collect()
    }
}

impl Node {
    fn of(item: &Json) -> Self {
        let (metadata, spec, status) = (&item["metadata"], &item["spec"], &item["status"]);
        let (info, annotations) = (&status["nodeInfo"], &metadata["annotations"]);
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let is = |condition: &str| {
            let conditions = status["conditions"].as_array().into_iter().flatten();
            conditions.filter(|one| one["type"] == condition).any(|one| one["status"] == "True")
        };
        let inner = |name: &str| annotations[name].as_str().unwrap_or_default();
        Self {
            ready: is("Ready"),
            member: !metadata["labels"]["node-role.kubernetes.io/etcd"].is_null(),
            voter: is("EtcdIsVoter"),
            provider_id: text(&spec["providerID"]),
            system_uuid: text(&info["systemUUID"]),
            unschedulable: spec["unschedulable"] == true,
            cordoned: !annotations[CORDONED].is_null(),
            version: text(&info["kubeletVersion"]),
            arguments: serde_json::from_str(inner("k3s.io/node-args")).unwrap_or_default(),
            environment: serde_json::from_str(inner("k3s.io/node-env")).unwrap_or_default(),
        }
    }
}

/// A UUID with its first three parts in the other byte order, as firmware may give it (SMBIOS 2.6).
fn swapped(uuid: &str) -> Option<String> {
    let parts: Vec<&str> = uuid.split('-').collect();
    let [first, second, third, fourth, fifth] = parts[..] else { return None };
    let reversed = |part: &str| -> Option<String> {
        (0..part.len()).step_by(2).rev().map(|at| part.get(at..at + 2)).collect()
    };
    Some([&reversed(first)?, &reversed(second)?, &reversed(third)?, fourth, fifth].join("-"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use serde_json::json;

    use super::*;

    /// A node as the API gives it.
    pub fn node(name: &str, server: bool, ready: bool) -> Json {
        let status = if ready { "True" } else { "Unknown" };
        let mut labels = json!({"kubernetes.io/hostname": name});
        let mut conditions = json!([{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": status}]);
        if server {
            labels["node-role.kubernetes.io/etcd"] = json!("true");
            let voter =
                json!({"type": "EtcdIsVoter", "status": "True", "reason": "MemberNotLearner"});
            conditions.as_array_mut().unwrap().push(voter);
        }
        json!({
            "metadata": {"name": name, "labels": labels, "annotations": {
                "k3s.io/node-args": "[\"server\",\"--docker\"]",
                "k3s.io/node-env": "{\"K3S_KUBECONFIG_MODE\":\"644\"}",
            }},
            "spec": {"providerID": "vsphere://42309a1c-5d6e-7f80-91a2-b3c4d5e6f708"},
            "status": {"conditions": conditions, "nodeInfo": {
                "kubeletVersion": "v1.35.9+k3s1",
                "systemUUID": "1c9a3042-6e5d-807f-91a2-b3c4d5e6f708",
            }},
        })
    }

    /// The answer of kubectl.
    pub fn answer(nodes: &[Json]) -> String {
        json!({"apiVersion": "v1", "kind": "List", "items": nodes}).to_string()
    }

    #[test]
    fn nodes_say_who_votes() {
        let nodes = [
            node("a", true, true),
            node("b", true, true),
            node("c", true, false),
            node("d", false, false),
        ];
        let cluster = Cluster::parse(&answer(&nodes)).unwrap();
        assert_eq!(cluster.spare_voters(), 0);
        assert_eq!(cluster.others_not_ready("c"), ["d"]);
        let node = cluster.node("a").unwrap();
        assert_eq!((node.voter, node.version.as_str()), (true, "v1.35.9+k3s1"));
        assert_eq!(node.arguments, ["server", "--docker"]);
        assert_eq!(Cluster::parse("{\"items\": [{\"metadata\""), None);
    }

    #[test]
    fn a_provider_id_must_be_the_machines_own() {
        let mut unset = node("b", false, true);
        unset["spec"] = json!({});
        let mut other = node("c", false, true);
        other["status"]["nodeInfo"]["systemUUID"] = json!("00000000-5d6e-7f80-91a2-b3c4d5e6f708");
        let cluster = Cluster::parse(&answer(&[node("a", true, true), unset, other])).unwrap();
        assert_eq!(cluster.wrong_provider_ids(&BTreeMap::new()), ["c"]);
        let known = [("a".to_owned(), "00000000-0000-7f80-91a2-b3c4d5e6f708".to_owned())].into();
        assert_eq!(cluster.wrong_provider_ids(&known), ["a", "c"]);
    }
}
