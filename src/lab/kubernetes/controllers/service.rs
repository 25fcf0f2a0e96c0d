//! Services: addresses, endpoints, and k3s's load balancer.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::json::{Stored, has_labels, is_going, list, number, owned, text, uid};
use super::pod;
use super::work::Work;
use crate::lab::k3s::ids;
use crate::lab::kubernetes::Key;

/// Addresses that k3s gives itself.
const FIXED: [(&str, &str, u32); 2] =
    [("default", "kubernetes", 1), ("kube-system", "kube-dns", 10)];

/// Brings addresses, endpoints and load balancers in line.
pub(super) fn run(work: &mut Work<'_>) {
    let pods = work.due_pods();
    for (key, service) in work.due("", "services") {
        if is_going(&service) || text(&service, "/spec/type") == "ExternalName" {
            continue;
        }
        let service = address(work, &key, &service);
        endpoints(work, &key, &service, &pods);
        if text(&service, "/spec/type") == "LoadBalancer" && has_load_balancer(work) {
            let all = work.pods();
            balance(work, &key, &service, &all);
        }
    }
}

/// The Service with a cluster address, and a port on the nodes where its type has one.
fn address(work: &mut Work<'_>, key: &Key, service: &Json) -> Json {
    let mut service = service.clone();
    if text(&service, "/spec/clusterIP").is_empty() {
        let address = json!(free_address(work, key));
        service["spec"]["clusterIP"] = address.clone();
        service["spec"]["clusterIPs"] = json!([address]);
    }
    let on_nodes = matches!(text(&service, "/spec/type"), "LoadBalancer" | "NodePort");
    let ports = service["spec"]["ports"].as_array_mut();
    for port in ports.into_iter().flatten().filter(|_| on_nodes) {
        if port["nodePort"].is_null() {
            let parts = ["node port", &key.to_string(), &port["port"].to_string()];
            port["nodePort"] = json!(30_000 + draw(work, &parts) % 2768);
        }
    }
    if service["status"].is_null() {
        service["status"] = json!({"loadBalancer": {}});
    }
    work.put(key, service);
    work.get(key).map(|service| (*service).clone()).unwrap_or_default()
}

fn draw(work: &Work<'_>, parts: &[&str]) -> u32 {
    u32::from_str_radix(&ids::short(work.cluster().seed, parts, 7), 16).unwrap_or_default()
}

/// In the first part of the cluster's service network, as long as something is free there.
fn free_address(work: &Work<'_>, key: &Key) -> String {
    let network = work.cluster().critical.get("service-cidr");
    let network = network.map_or("10.43.0.0/16", String::as_str);
    let lead: Vec<&str> = network.split('.').take(2).collect();
    let lead = lead.join(".");
    let fixed = FIXED.iter().find(|(space, name, _)| *space == key.namespace && *name == key.name);
    if let Some((_, _, last)) = fixed {
        return format!("{lead}.0.{last}");
    }
    let services = work.cluster().store.list("", "services");
    let taken: BTreeSet<&str> =
        services.map(|(_, service)| text(service, "/spec/clusterIP")).collect();
    let first = draw(work, &["cluster address", &key.to_string()]);
    let free = (0..65_536_u32).map(|step| {
        let place = first.wrapping_add(step) % 65_000 + 256;
        format!("{lead}.{}.{}", place / 256, place % 256)
    });
    free.into_iter().find(|address| !taken.contains(address.as_str())).unwrap_or_default()
}

fn endpoints(work: &mut Work<'_>, key: &Key, service: &Json, pods: &[Stored]) {
    if service["spec"]["selector"].is_null() {
        return;
    }
    let suffix = pod::letters(work.cluster().seed, &["slice", &key.to_string()], 5);
    let slice_key = Key::new(
        "discovery.k8s.io",
        "endpointslices",
        &key.namespace,
        &format!("{}-{suffix}", key.name),
    );
    let mine = pods.iter().filter(|(pod_key, pod)| {
        let labels = &pod["metadata"]["labels"];
        pod_key.namespace == key.namespace
            && pod::is_active(pod)
            && !text(pod, "/status/podIP").is_empty()
            && has_labels(&service["spec"]["selector"], labels)
    });
    let mine: Vec<&Stored> = mine.collect();
    let endpoint = |(pod_key, pod): &&Stored| {
        let ready = pod::is_ready(pod);
        json!({
            "addresses": [text(pod, "/status/podIP")],
            "conditions": {"ready": ready, "serving": ready, "terminating": false},
            "nodeName": pod::node(pod),
            "targetRef": {
                "kind": "Pod", "namespace": pod_key.namespace, "name": pod_key.name, "uid": uid(pod),
            },
        })
    };
    let endpoints: Vec<Json> = mine.iter().map(endpoint).collect();
    let first = mine.first().map(|(_, pod)| &**pod);
    let ports: Vec<Json> =
        list(service, "/spec/ports").iter().map(|port| slice_port(port, first)).collect();
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {
            "labels": {
                "kubernetes.io/service-name": key.name,
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
            "ownerReferences": [owned(service, "v1", "Service")],
        },
        "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
    });
    match work.get(&slice_key) {
        None => {
            work.create(&slice_key, slice);
        }
        Some(known) => {
            let mut known = (*known).clone();
            known["endpoints"] = slice["endpoints"].clone();
            known["ports"] = slice["ports"].clone();
            work.put(&slice_key, known);
        }
    }
}

fn slice_port(port: &Json, pod: Option<&Json>) -> Json {
    let target = match &port["targetPort"] {
        Json::String(name) => pod.and_then(|pod| named_port(pod, name)),
        other => other.as_i64(),
    };
    let number = target.or_else(|| number(port, "/port"));
    let protocol = text(port, "/protocol");
    json!({
        "name": text(port, "/name"), "port": number,
        "protocol": if protocol.is_empty() { "TCP" } else { protocol },
    })
}

fn named_port(pod: &Json, name: &str) -> Option<i64> {
    let mut ports = pod::containers(pod).iter().flat_map(|one| list(one, "/ports"));
    number(ports.find(|port| port["name"] == name)?, "/containerPort")
}

fn has_load_balancer(work: &Work<'_>) -> bool {
    work.cluster().critical.get("disable=servicelb").is_none_or(|flag| flag != "true")
}

/// k3s's own load balancer: a daemon that takes the ports on every node.
fn balance(work: &mut Work<'_>, key: &Key, service: &Json, pods: &[Stored]) {
    let short: String = uid(service).chars().take(8).collect();
    let name = format!("svclb-{}-{short}", key.name);
    let daemon = Key::new("apps", "daemonsets", "kube-system", &name);
    let wanted = daemon_spec(work, key, service, &name);
    match work.get(&daemon) {
        None => {
            let labels = wanted["template"]["metadata"]["labels"].clone();
            work.create(
                &daemon,
                json!({
                    "apiVersion": "apps/v1", "kind": "DaemonSet",
                    "metadata": {"labels": labels}, "spec": wanted,
                }),
            );
        }
        Some(known) => {
            let mut known = (*known).clone();
            known["spec"] = wanted;
            work.put(&daemon, known);
        }
    }
    let local = text(service, "/spec/externalTrafficPolicy") == "Local";
    let serves = |node: &str| {
        let mut here = pods.iter().filter(|(_, pod)| pod::node(pod) == node && pod::is_ready(pod));
        here.any(|(_, pod)| has_labels(&service["spec"]["selector"], &pod["metadata"]["labels"]))
    };
    let mut nodes: Vec<String> = pods
        .iter()
        .filter(|(_, pod)| pod["metadata"]["labels"]["app"] == name.as_str() && pod::is_ready(pod))
        .map(|(_, pod)| pod::node(pod).to_owned())
        .filter(|node| !local || serves(node))
        .filter_map(|node| Some(work.cluster().nodes.get(&node)?.address.clone()))
        .collect();
    nodes.sort();
    nodes.dedup();
    let ingress: Vec<Json> =
        nodes.iter().map(|address| json!({"ip": address, "ipMode": "VIP"})).collect();
    let balancer = if ingress.is_empty() { json!({}) } else { json!({"ingress": ingress}) };
    work.put_status(key, json!({"loadBalancer": balancer}));
}

fn daemon_spec(work: &Work<'_>, key: &Key, service: &Json, name: &str) -> Json {
    let labels = json!({
        "app": name, "svccontroller.k3s.cattle.io/svcname": key.name,
        "svccontroller.k3s.cattle.io/svcnamespace": key.namespace,
    });
    let containers = list(service, "/spec/ports").iter().map(|port| {
        let number = number(port, "/port").unwrap_or_default();
        let protocol = match text(port, "/protocol") {
            "" => "TCP",
            protocol => protocol,
        };
        json!({
            "name": format!("lb-{}-{number}", protocol.to_lowercase()),
            "image": "rancher/klipper-lb:v0.4.13",
            "ports": [{
                "name": format!("lb-{}-{number}", protocol.to_lowercase()),
                "containerPort": number, "hostPort": number, "protocol": protocol,
            }],
        })
    });
    let containers: Vec<Json> = containers.collect();
    let exists = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoSchedule"});
    let mut spec = json!({
        "serviceAccountName": "default",
        "automountServiceAccountToken": false,
        "priorityClassName": "system-node-critical",
        "containers": containers,
        "tolerations": [
            exists("node-role.kubernetes.io/master"),
            exists("node-role.kubernetes.io/control-plane"),
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
        ],
    });
    let chosen = "svccontroller.k3s.cattle.io/enablelb";
    if work.cluster().nodes.values().any(|node| node.labels.contains_key(chosen)) {
        spec["nodeSelector"] = json!({chosen: "true"});
    }
    json!({
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": labels}, "spec": spec},
        "updateStrategy": {"type": "RollingUpdate"},
    })
}
