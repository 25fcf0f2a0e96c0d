//! Nodes as the API shows them.

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::ids;
use super::node::{Node, Taint};

impl Node {
    /// The whole object.
    pub(in crate::lab) fn to_json(&self, cluster: &Cluster, now_ms: u64) -> Value {
        let mut finalizers = vec!["wrangler.cattle.io/node"];
        if cluster.members.contains_key(&self.name) {
            finalizers.push("wrangler.cattle.io/managed-etcd-controller");
        }
        json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": self.name,
                "uid": self.uid,
                "resourceVersion": self.revision.to_string(),
                "creationTimestamp": ids::time(self.born_ms),
                "labels": self.labels,
                "annotations": self.annotations,
                "finalizers": finalizers,
            },
            "spec": self.spec(now_ms),
            "status": self.status(cluster, now_ms),
        })
    }

    /// Own taints, and those that controllers put on a Node that is cordoned or not Ready.
    pub(in crate::lab) fn all_taints(&self, now_ms: u64) -> Vec<Taint> {
        let mut taints = self.taints.clone();
        let mut add = |text: &str| taints.extend(Taint::read(text));
        if self.unschedulable {
            add("node.kubernetes.io/unschedulable:NoSchedule");
        }
        if !self.is_heard() {
            add("node.kubernetes.io/unreachable:NoSchedule");
            add("node.kubernetes.io/unreachable:NoExecute");
        } else if !self.is_ready(now_ms) {
            add("node.kubernetes.io/not-ready:NoSchedule");
        }
        taints
    }

    fn spec(&self, now_ms: u64) -> Value {
        let mut spec = json!({"podCIDR": self.pod_cidr, "podCIDRs": [self.pod_cidr]});
        if !self.provider_id.is_empty() {
            spec["providerID"] = json!(self.provider_id);
        }
        if self.unschedulable {
            spec["unschedulable"] = json!(true);
        }
        let taint = |taint: &Taint| {
            let mut value = json!({"key": taint.key, "effect": taint.effect});
            if !taint.value.is_empty() {
                value["value"] = json!(taint.value);
            }
            value
        };
        let taints: Vec<Value> = self.all_taints(now_ms).iter().map(taint).collect();
        if !taints.is_empty() {
            spec["taints"] = Value::Array(taints);
        }
        spec
    }

    fn status(&self, cluster: &Cluster, now_ms: u64) -> Value {
        json!({
            "addresses": [
                {"type": "InternalIP", "address": self.address},
                {"type": "Hostname", "address": self.name},
            ],
            "conditions": self.conditions(cluster, now_ms),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": self.boot_id,
                "containerRuntimeVersion": self.runtime,
                "kernelVersion": "6.8.0-60-generic",
                "kubeletVersion": self.version,
                "machineID": self.machine_id,
                "operatingSystem": "linux",
                "osImage": "Ubuntu 24.04.3 LTS",
                "systemUUID": self.system_uuid,
            },
        })
    }

    fn conditions(&self, cluster: &Cluster, now_ms: u64) -> Vec<Value> {
        let ready = self.is_ready(now_ms);
        let changed_ms = if ready { self.ready_from_ms } else { self.since_ms };
        let condition = |kind: &str, status: &str, reason: &str, message: &str| {
            json!({
                "type": kind, "status": status, "reason": reason, "message": message,
                "lastHeartbeatTime": ids::time(if self.is_heard() { now_ms } else { self.since_ms }),
                "lastTransitionTime": ids::time(changed_ms),
            })
        };
        let mut conditions = Vec::new();
        if let Some(member) = cluster.members.get(&self.name) {
            conditions.push(match member.is_voter(now_ms) {
                true => condition(
                    "EtcdIsVoter",
                    "True",
                    "MemberNotLearner",
                    "Node is a voting member of the etcd cluster",
                ),
                false => condition(
                    "EtcdIsVoter",
                    "False",
                    "MemberIsLearner",
                    "Node has not been promoted to voting member of the etcd cluster",
                ),
            });
        }
        let gone = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.");
        let fine = [
            (
                "MemoryPressure",
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available",
            ),
            ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ];
        for (kind, reason, message) in fine {
            let fine = ("False", reason, message);
            let (status, reason, message) = if self.is_heard() { fine } else { gone };
            conditions.push(condition(kind, status, reason, message));
        }
        let (status, reason, message) = match (self.is_heard(), ready) {
            (false, _) => gone,
            (true, true) => ("True", "KubeletReady", "kubelet is posting ready status"),
            (true, false) => (
                "False",
                "KubeletNotReady",
                "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
            ),
        };
        conditions.push(condition("Ready", status, reason, message));
        conditions
    }
}
