//! What k3s deploys by itself: name service, metrics, local volumes, and Traefik by Helm.

use serde_json::{Value as Json, json};

use super::json::{annotation, insert, list, text};
use super::work::{About, Work};
use super::{custom, volume, yaml};
use crate::lab::k3s::ids;
use crate::lab::kubernetes::Key;

const SPACE: &str = "kube-system";
/// On a chart: the digest of the values that it was last installed with.
const HASH: &str = "helmcharts.helm.cattle.io/configHash";

/// One add-on: its name, as `--disable` takes it, and its objects.
struct Addon {
    name: &'static str,
    objects: fn() -> Vec<(Key, Json)>,
}

const ADDONS: [Addon; 4] = [
    Addon { name: "coredns", objects: name_service },
    Addon { name: "local-storage", objects: local_storage },
    Addon { name: "metrics-server", objects: metrics },
    Addon { name: "traefik", objects: charts },
];

/// Deploys what is not disabled and was not deployed before; what was is left to whoever changes
/// it. What is disabled goes.
pub(super) fn deploy(work: &mut Work<'_>) {
    let disabled = disabled(work);
    for addon in &ADDONS {
        let mark = Key::new("k3s.cattle.io", "addons", SPACE, addon.name);
        let is_off = disabled.iter().any(|name| name == addon.name);
        if is_off && work.has(&mark) {
            (addon.objects)().iter().for_each(|(key, _)| work.delete(key));
            work.gone(&mark);
        } else if !is_off && !work.has(&mark) {
            for (key, object) in (addon.objects)() {
                work.ensure(&key, || object);
            }
            work.create(
                &mark,
                json!({"apiVersion": "k3s.cattle.io/v1", "kind": "Addon", "metadata": {}}),
            );
        }
    }
    install(work);
}

/// What the servers that run are told to leave out.
fn disabled(work: &Work<'_>) -> Vec<String> {
    let first = work.cluster().servers_up().next();
    let arguments = first.and_then(|node| node.annotations.get("k3s.io/node-args"));
    let words: Vec<String> =
        arguments.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let values = words.iter().zip(words.iter().skip(1)).filter(|(word, _)| *word == "--disable");
    values.flat_map(|(_, value)| value.split(',').map(|part| part.trim().to_owned())).collect()
}

fn object(key: Key, api: &str, kind: &str, body: Json) -> (Key, Json) {
    let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {}});
    for (name, value) in body.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
    (key, object)
}

fn account(name: &str) -> (Key, Json) {
    object(Key::new("", "serviceaccounts", SPACE, name), "v1", "ServiceAccount", json!({}))
}

/// A Deployment of one pod, labelled as its selector says.
fn deployment(name: &str, labels: &Json, spec: Json) -> (Key, Json) {
    let exists = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoSchedule"});
    let mut pod = spec;
    pod["nodeSelector"] = json!({"kubernetes.io/os": "linux"});
    pod["tolerations"] = json!([
        {"key": "CriticalAddonsOnly", "operator": "Exists"},
        exists("node-role.kubernetes.io/control-plane"),
        exists("node-role.kubernetes.io/master"),
    ]);
    object(
        Key::new("apps", "deployments", SPACE, name),
        "apps/v1",
        "Deployment",
        json!({
            "metadata": {"labels": labels},
            "spec": {
                "replicas": 1, "selector": {"matchLabels": labels},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": "25%"}},
                "revisionHistoryLimit": 0, "progressDeadlineSeconds": 600,
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }),
    )
}

fn service(name: &str, selector: &Json, kind: &str, ports: Json) -> (Key, Json) {
    object(
        Key::new("", "services", SPACE, name),
        "v1",
        "Service",
        json!({"spec": {
            "type": kind, "selector": selector, "ports": ports, "sessionAffinity": "None",
        }}),
    )
}

fn name_service() -> Vec<(Key, Json)> {
    let labels = json!({"k8s-app": "kube-dns"});
    let ports = json!([
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
    ]);
    let pod = json!({
        "serviceAccountName": "coredns", "priorityClassName": "system-cluster-critical",
        "containers": [{
            "name": "coredns", "image": "rancher/mirrored-coredns-coredns:1.12.3",
            "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
        }],
        "volumes": [{"name": "config-volume", "configMap": {"name": "coredns"}}],
    });
    vec![
        account("coredns"),
        object(
            Key::new("", "configmaps", SPACE, "coredns"),
            "v1",
            "ConfigMap",
            json!({"data": {"Corefile": ".:53 {\n    kubernetes cluster.local\n}\n"}}),
        ),
        deployment("coredns", &labels, pod),
        service("kube-dns", &labels, "ClusterIP", ports),
    ]
}

fn local_storage() -> Vec<(Key, Json)> {
    let labels = json!({"app": "local-path-provisioner"});
    let pod = json!({
        "serviceAccountName": "local-path-provisioner-service-account",
        "containers": [{
            "name": "local-path-provisioner", "image": "rancher/local-path-provisioner:v0.0.32",
        }],
    });
    let class = json!({
        "metadata": {"annotations": {volume::DEFAULT: "true"}},
        "provisioner": "rancher.io/local-path", "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    });
    vec![
        account("local-path-provisioner-service-account"),
        deployment("local-path-provisioner", &labels, pod),
        object(
            Key::new("storage.k8s.io", "storageclasses", "", "local-path"),
            "storage.k8s.io/v1",
            "StorageClass",
            class,
        ),
    ]
}

fn metrics() -> Vec<(Key, Json)> {
    let labels = json!({"k8s-app": "metrics-server"});
    let pod = json!({
        "serviceAccountName": "metrics-server", "priorityClassName": "system-node-critical",
        "containers": [{
            "name": "metrics-server", "image": "rancher/mirrored-metrics-server:v0.8.0",
            "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}},
            "ports": [{"name": "https", "containerPort": 10250, "protocol": "TCP"}],
        }],
        "volumes": [{"name": "tmp-dir", "emptyDir": {}}],
    });
    let ports = json!([{"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"}]);
    vec![
        account("metrics-server"),
        deployment("metrics-server", &labels, pod),
        service("metrics-server", &labels, "ClusterIP", ports),
    ]
}

fn charts() -> Vec<(Key, Json)> {
    let chart = |name: &str, values: &str| {
        object(
            Key::new("helm.cattle.io", "helmcharts", SPACE, name),
            "helm.cattle.io/v1",
            "HelmChart",
            json!({"spec": {
                "chart": format!("https://%{{KUBERNETES_API}}%/static/charts/{name}.tgz"),
                "valuesContent": values,
            }}),
        )
    };
    vec![chart("traefik-crd", ""), chart("traefik", "")]
}

/// What Helm does when Traefik's chart or the values for it change. Values that cannot be read
/// leave everything as it was.
fn install(work: &mut Work<'_>) {
    let chart_key = Key::new("helm.cattle.io", "helmcharts", SPACE, "traefik");
    let Some(chart) = work.get(&chart_key) else { return remove(work) };
    let config = work.get(&Key::new("helm.cattle.io", "helmchartconfigs", SPACE, "traefik"));
    let values = config.as_ref().map_or("", |config| text(config, "/spec/valuesContent"));
    let hash = ids::sha256(values);
    if annotation(&chart, HASH) == hash {
        return;
    }
    let values = match yaml::read(values) {
        Ok(values) => values,
        Err(why) => {
            let about = About {
                object: &chart,
                api: "helm.cattle.io/v1",
                kind: "HelmChart",
                by: "helm-controller",
                warns: true,
            };
            return work.event(&about, "ApplyJobFailed", &format!("helm-install-traefik: {why}"));
        }
    };
    for (key, object) in traefik(&values) {
        match work.get(&key) {
            None => {
                work.create(&key, object);
            }
            Some(known) => {
                let mut known = (*known).clone();
                merge(&mut known["spec"], &object["spec"]);
                work.put(&key, known);
            }
        }
    }
    let mut installed = (*chart).clone();
    insert(&mut installed, "annotations", HASH, &hash);
    installed["status"] = json!({"jobName": "helm-install-traefik"});
    work.put(&chart_key, installed);
}

/// Helm writes the fields that the chart has, and leaves the others.
fn merge(known: &mut Json, new: &Json) {
    match (known, new) {
        (Json::Object(known), Json::Object(new)) => {
            for (name, value) in new {
                merge(known.entry(name.clone()).or_insert(Json::Null), value);
            }
        }
        (Json::Array(known), Json::Array(new)) if known.len() == new.len() => {
            known.iter_mut().zip(new).for_each(|(known, new)| merge(known, new));
        }
        (known, new) => *known = new.clone(),
    }
}

fn traefik(values: &Json) -> Vec<(Key, Json)> {
    let labels = json!({"app.kubernetes.io/instance": "traefik-kube-system", "app.kubernetes.io/name": "traefik"});
    let mut arguments = vec![
        "--entryPoints.web.address=:8000/tcp".to_owned(),
        "--entryPoints.websecure.address=:8443/tcp".to_owned(),
        "--providers.kubernetesingress".to_owned(),
    ];
    for port in ["web", "websecure"] {
        let timeouts = values.pointer(&format!("/ports/{port}/transport/respondingTimeouts"));
        for (name, value) in timeouts.and_then(Json::as_object).into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            arguments
                .push(format!("--entryPoints.{port}.transport.respondingTimeouts.{name}={value}"));
        }
    }
    let more = list(values, "/additionalArguments").iter().filter_map(Json::as_str);
    arguments.extend(more.map(str::to_owned));
    let pod = json!({
        "serviceAccountName": "traefik", "priorityClassName": "system-cluster-critical",
        "containers": [{
            "name": "traefik", "image": "rancher/mirrored-library-traefik:3.5.1",
            "args": arguments,
            "ports": [
                {"name": "web", "containerPort": 8000, "protocol": "TCP"},
                {"name": "websecure", "containerPort": 8443, "protocol": "TCP"},
            ],
        }],
    });
    let (key, mut workload) = deployment("traefik", &labels, pod);
    if let Some(replicas) = values.pointer("/deployment/replicas").and_then(Json::as_i64) {
        workload["spec"]["replicas"] = json!(replicas);
    }
    let ports = json!([
        {"name": "web", "port": 80, "protocol": "TCP", "targetPort": "web"},
        {"name": "websecure", "port": 443, "protocol": "TCP", "targetPort": "websecure"},
    ]);
    let (service_key, mut entry) = service("traefik", &labels, "LoadBalancer", ports);
    let policy = values.pointer("/service/spec/externalTrafficPolicy").and_then(Json::as_str);
    entry["spec"]["externalTrafficPolicy"] = json!(policy.unwrap_or("Cluster"));
    let class = object(
        Key::new("networking.k8s.io", "ingressclasses", "", "traefik"),
        "networking.k8s.io/v1",
        "IngressClass",
        json!({"spec": {"controller": "traefik.io/ingress-controller"}}),
    );
    let mut all = vec![account("traefik"), (key, workload), (service_key, entry), class];
    all.extend(definitions());
    all
}

/// What Traefik's own chart of definitions brings.
fn definitions() -> Vec<(Key, Json)> {
    let kinds = [
        ("IngressRoute", "ingressroutes"),
        ("Middleware", "middlewares"),
        ("ServersTransport", "serverstransports"),
        ("TLSOption", "tlsoptions"),
    ];
    let definition = |(kind, plural): (&str, &str)| {
        let key = Key::new(
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            "",
            &format!("{plural}.traefik.io"),
        );
        (key, custom::definition("traefik.io", "v1alpha1", kind, plural, "Namespaced"))
    };
    kinds.into_iter().map(definition).collect()
}

/// Helm takes away what it installed.
fn remove(work: &mut Work<'_>) {
    let service = Key::new("", "services", SPACE, "traefik");
    if let Some(known) = work.get(&service) {
        let short: String = super::json::uid(&known).chars().take(8).collect();
        work.delete(&Key::new("apps", "daemonsets", SPACE, &format!("svclb-traefik-{short}")));
        for (key, _) in traefik(&Json::Null) {
            work.delete(&key);
        }
    }
}
