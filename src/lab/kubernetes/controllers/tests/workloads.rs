//! Deployments, daemons, numbered pods, jobs, and where their pods go.

use serde_json::{Value as Json, json};

use super::rig::{Rig, deployment, deployments};
use crate::lab::kubernetes::Key;

#[track_caller]
fn assert_ready(rig: &Rig, key: &Key, replicas: u32) {
    let status = rig.get(key)["status"].clone();
    for name in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        assert_eq!(status[name], replicas, "{name} in {status:#}");
    }
    assert_eq!(status["unavailableReplicas"], Json::Null);
}

#[test]
fn a_new_cluster_has_what_k3s_brings() {
    let rig = Rig::new(false);
    for name in ["coredns", "metrics-server", "local-path-provisioner", "traefik"] {
        assert_ready(&rig, &deployments("kube-system", name), 1);
    }
    let service = rig.get(&Key::new("", "services", "kube-system", "traefik"));
    let addresses = service["status"]["loadBalancer"]["ingress"].as_array().unwrap();
    assert_eq!(addresses.len(), 5, "{service:#}");
    let class = rig.get(&Key::new("storage.k8s.io", "storageclasses", "", "local-path"));
    let default = "storageclass.kubernetes.io/is-default-class";
    assert_eq!(class["metadata"]["annotations"][default], "true");
    assert_eq!(rig.pods("svclb-traefik-").len(), 5);
    assert!(rig.has(&Key::new("", "configmaps", "default", "kube-root-ca.crt")));
}

#[test]
fn a_rollout_replaces_pods_and_keeps_enough() {
    let mut rig = Rig::new(false);
    let key = deployments("default", "shop");
    rig.put(&key, deployment("shop", 3, &json!({})));
    assert_ready(&rig, &key, 3);
    let first = rig.pods("shop-");
    rig.edit(&key, |web| web["spec"]["template"]["spec"]["containers"][0]["image"] = json!("x:2"));
    assert_ready(&rig, &key, 3);
    let second = rig.pods("shop-");
    assert!(second.len() == 3 && second.iter().all(|pod| !first.contains(pod)));
    let status = rig.get(&key);
    assert_eq!(status["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    assert_eq!(status["status"]["observedGeneration"], status["metadata"]["generation"]);
    // One that cannot start leaves the old ones where they are.
    let dead = json!("k8s.gcr.io/x:1");
    rig.edit(&key, |web| web["spec"]["template"]["spec"]["containers"][0]["image"] = dead);
    let pods = rig.pods("shop-");
    assert_eq!(pods.iter().filter(|pod| pod.3 == "ImagePullBackOff").count(), 1, "{pods:?}");
    assert_eq!(pods.iter().filter(|pod| pod.2 == "Running").count(), 3, "{pods:?}");
    rig.assert_event("BackOff", "Back-off pulling image \"k8s.gcr.io/x:1\"");
    rig.edit(&key, |web| web["spec"]["replicas"] = json!(0));
    assert!(rig.pods("shop-").is_empty());
    rig.delete(&key);
    assert!(
        !rig.cluster()
            .store
            .list("apps", "replicasets")
            .any(|(key, _)| key.name.starts_with("shop-"))
    );
}

#[test]
fn recreate_ends_all_before_it_begins_again() {
    let mut rig = Rig::new(false);
    let key = deployments("default", "db");
    let mut db = deployment("db", 2, &json!({}));
    db["spec"]["strategy"] = json!({"type": "Recreate"});
    rig.put(&key, db);
    let first = rig.pods("db-");
    rig.edit(&key, |db| db["spec"]["template"]["spec"]["containers"][0]["image"] = json!("x:2"));
    assert_ready(&rig, &key, 2);
    assert!(rig.pods("db-").iter().all(|pod| !first.contains(pod)));
}

#[test]
fn a_selector_that_no_node_meets_leaves_pods_pending() {
    let mut rig = Rig::new(false);
    let key = deployments("default", "shop");
    let role = "node-role.kubernetes.io/control-plane";
    rig.put(&key, deployment("shop", 1, &json!({"nodeSelector": {role: ""}})));
    assert_eq!(rig.pods("shop-")[0].2, "Pending");
    rig.assert_event(
        "FailedScheduling",
        "0/5 nodes are available: 5 node(s) didn't match Pod's node affinity/selector. preemption: 0/5 nodes are available: 5 Preemption is not helpful for scheduling.",
    );
    let available = rig.get(&key)["status"]["conditions"][0].clone();
    assert_eq!((&available["type"], &available["status"]), (&json!("Available"), &json!("False")));
    rig.edit(&key, |web| web["spec"]["template"]["spec"]["nodeSelector"] = json!({role: "true"}));
    assert_ready(&rig, &key, 1);
}

#[test]
fn nodes_are_filled_and_no_further() {
    let mut rig = Rig::new(false);
    let key = deployments("default", "shop");
    let container = json!([{
        "name": "main", "image": "example.org/main:1",
        "resources": {"requests": {"cpu": "3", "memory": "1Gi"}},
    }]);
    rig.put(&key, deployment("shop", 6, &json!({"containers": container})));
    let pending: Vec<_> = rig.pods("shop-").into_iter().filter(|pod| pod.2 == "Pending").collect();
    assert_eq!(pending.len(), 1);
    rig.assert_event("FailedScheduling", "0/5 nodes are available: 5 Insufficient cpu. preemption: 0/5 nodes are available: 5 No preemption victims found for incoming pod.");
    let apart = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
        "topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "apart"}},
    }]}});
    let key = deployments("default", "apart");
    rig.put(&key, deployment("apart", 6, &json!({"affinity": apart})));
    rig.assert_event("FailedScheduling", "5 node(s) didn't match pod anti-affinity rules");
    let port = json!([{
        "name": "main", "image": "example.org/main:1",
        "ports": [{"containerPort": 80, "hostPort": 80}],
    }]);
    rig.put(&deployments("default", "port"), deployment("port", 1, &json!({"containers": port})));
    rig.assert_event("FailedScheduling", "5 node(s) didn't have free ports");
}

#[test]
fn what_a_pod_mounts_must_be_there() {
    let mut rig = Rig::new(false);
    let volumes = json!([{"name": "conf", "configMap": {"name": "conf"}}]);
    let env = json!([{
        "name": "main", "image": "example.org/main:1",
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "a"}}}],
    }]);
    rig.put(
        &deployments("default", "shop"),
        deployment("shop", 1, &json!({"volumes": volumes, "containers": env})),
    );
    assert_eq!(rig.pods("shop-")[0].3, "ContainerCreating");
    rig.assert_event("FailedMount", "volume \"conf\" : configmap \"conf\" not found");
    let map = Key::new("", "configmaps", "default", "conf");
    rig.put(&map, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {}}));
    assert_eq!(rig.pods("shop-")[0].3, "CreateContainerConfigError");
    rig.assert_event("Failed", "Error: secret \"secret\" not found");
    let secret = Key::new("", "secrets", "default", "secret");
    rig.put(
        &secret,
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": {"b": "eA=="},
        }),
    );
    rig.assert_event("Failed", "Error: couldn't find key a in Secret default/secret");
    rig.edit(&secret, |secret| secret["data"]["a"] = json!("eA=="));
    assert_eq!(rig.pods("shop-")[0].2, "Running");
    // What runs goes on without it.
    rig.delete(&map);
    assert_eq!(rig.pods("shop-")[0].2, "Running");
}

#[test]
fn a_pod_needs_its_account() {
    let mut rig = Rig::new(false);
    let key = deployments("default", "shop");
    rig.put(&key, deployment("shop", 1, &json!({"serviceAccountName": "shop"})));
    assert!(rig.pods("shop-").is_empty());
    rig.assert_event("FailedCreate", "serviceaccount \"shop\" not found");
    let failure = rig.get(&key)["status"]["conditions"][2].clone();
    assert_eq!(failure["type"], "ReplicaFailure");
    let account = Key::new("", "serviceaccounts", "default", "shop");
    rig.put(&account, json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}}));
    assert_ready(&rig, &key, 1);
}

#[test]
fn jobs_run_to_their_end() {
    let mut rig = Rig::new(false);
    let key = Key::new("batch", "jobs", "default", "job");
    let template = json!({"metadata": {"labels": {"job": "job"}}, "spec": {
        "restartPolicy": "Never", "containers": [{"name": "main", "image": "x:1"}],
    }});
    rig.put(
        &key,
        json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {}, "spec": {"template": template},
        }),
    );
    let status = rig.get(&key)["status"].clone();
    assert_eq!(
        (&status["succeeded"], &status["conditions"][0]["type"]),
        (&json!(1), &json!("Complete"))
    );
}

fn numbered(name: &str) -> (Key, Json) {
    let mut set = deployment(name, 3, &json!({}));
    set["kind"] = json!("StatefulSet");
    set["spec"]["serviceName"] = json!(name);
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "local-path",
        "resources": {"requests": {"storage": "1Gi"}},
    }}]);
    (Key::new("apps", "statefulsets", "default", name), set)
}

#[test]
fn numbered_pods_have_claims_that_outlive_them() {
    let mut rig = Rig::new(false);
    let (key, set) = numbered("queue");
    rig.put(&key, set);
    let status = |rig: &Rig| rig.get(&key)["status"].clone();
    assert_eq!((&status(&rig)["replicas"], &status(&rig)["readyReplicas"]), (&json!(3), &json!(3)));
    let names = |rig: &Rig| rig.pods("queue-").into_iter().map(|pod| pod.0).collect::<Vec<_>>();
    assert_eq!(names(&rig), ["queue-0", "queue-1", "queue-2"]);
    let claim = |name: &str| Key::new("", "persistentvolumeclaims", "default", name);
    let volume = rig.get(&claim("data-queue-2"))["spec"]["volumeName"].clone();
    assert!(volume.is_string());
    rig.edit(&key, |set| set["spec"]["replicas"] = json!(1));
    assert_eq!(names(&rig), ["queue-0"]);
    rig.edit(&key, |set| set["spec"]["replicas"] = json!(3));
    assert_eq!(rig.get(&claim("data-queue-2"))["spec"]["volumeName"], volume);
    rig.delete(&key);
    assert!(names(&rig).is_empty() && rig.has(&claim("data-queue-0")));
}

#[test]
fn numbered_pods_are_renewed_from_the_last_one_on() {
    let mut rig = Rig::new(false);
    let (key, set) = numbered("queue");
    rig.put(&key, set);
    let image = |image: &'static str| {
        move |set: &mut Json| {
            set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        }
    };
    rig.edit(&key, |set| set["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = json!(2));
    rig.edit(&key, image("x:2"));
    let count = |rig: &Rig, name: &str| rig.get(&key)["status"][name].clone();
    assert_eq!(
        (count(&rig, "updatedReplicas"), count(&rig, "readyReplicas")),
        (json!(1), json!(3))
    );
    rig.edit(&key, |set| set["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = json!(0));
    assert_eq!(count(&rig, "updatedReplicas"), 3);
    assert_eq!(count(&rig, "currentRevision"), count(&rig, "updateRevision"));
    // One that cannot start keeps the others as they are.
    rig.edit(&key, image("k8s.gcr.io/x:1"));
    assert_eq!(
        (count(&rig, "updatedReplicas"), count(&rig, "readyReplicas")),
        (json!(1), json!(2))
    );
    rig.edit(&key, image("x:3"));
    assert_eq!(
        (count(&rig, "updatedReplicas"), count(&rig, "readyReplicas")),
        (json!(3), json!(3))
    );
}

#[test]
fn a_namespace_goes_with_what_is_in_it() {
    let mut rig = Rig::new(false);
    rig.space("a");
    rig.put(&deployments("a", "shop"), deployment("shop", 2, &json!({})));
    let held = Key::new("", "configmaps", "a", "held");
    rig.put(
        &held,
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"finalizers": ["x.example/held"]},
        }),
    );
    let space = Key::new("", "namespaces", "", "a");
    // The API server's mark of a namespace that is to go.
    rig.edit(&space, |_| ());
    let mut going = rig.get(&space);
    going["metadata"]["deletionTimestamp"] = json!("2026-11-22T00:00:00Z");
    rig.gone(&space);
    rig.put(&space, going);
    assert!(rig.pods("shop-").is_empty());
    let status = rig.get(&space)["status"].clone();
    assert_eq!(status["phase"], "Terminating");
    assert!(
        status["conditions"][1]["message"]
            .as_str()
            .unwrap()
            .contains("x.example/held in resource instances: 1")
    );
    rig.gone(&held);
    assert!(!rig.has(&space));
}

#[test]
fn daemons_run_where_they_are_let() {
    let mut rig = Rig::new(false);
    let key = Key::new("apps", "daemonsets", "default", "agent");
    let mut daemon = deployment("agent", 0, &json!({}));
    daemon["kind"] = json!("DaemonSet");
    daemon["spec"].as_object_mut().unwrap().remove("replicas");
    rig.put(&key, daemon);
    assert_eq!(rig.get(&key)["status"]["numberReady"], 5);
    rig.edit(&key, |it| it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("x:2"));
    let status = rig.get(&key)["status"].clone();
    assert_eq!((&status["updatedNumberScheduled"], &status["numberReady"]), (&json!(5), &json!(5)));
    let selector = json!({"nowhere": "true"});
    rig.edit(&key, |it| it["spec"]["template"]["spec"]["nodeSelector"] = selector);
    assert_eq!(rig.get(&key)["status"]["desiredNumberScheduled"], 0);
    assert!(rig.pods("agent-").is_empty());
}

#[test]
fn values_change_traefik_and_bad_ones_do_not() {
    let mut rig = Rig::new(false);
    let config = Key::new("helm.cattle.io", "helmchartconfigs", "kube-system", "traefik");
    let values = "service:\n  spec:\n    externalTrafficPolicy: Local\nports:\n  websecure:\n    transport:\n      respondingTimeouts:\n        readTimeout: 3600s\n";
    rig.put(
        &config,
        json!({
            "apiVersion": "helm.cattle.io/v1", "kind": "HelmChartConfig", "metadata": {},
            "spec": {"valuesContent": values},
        }),
    );
    let service = rig.get(&Key::new("", "services", "kube-system", "traefik"));
    assert_eq!(service["spec"]["externalTrafficPolicy"], "Local");
    assert_eq!(service["status"]["loadBalancer"]["ingress"].as_array().unwrap().len(), 1);
    let workload = rig.get(&deployments("kube-system", "traefik")).to_string();
    assert!(workload.contains("respondingTimeouts.readTimeout=3600s"));
    assert_ready(&rig, &deployments("kube-system", "traefik"), 1);
    rig.edit(&config, |config| config["spec"]["valuesContent"] = json!("a: 1\n   b"));
    rig.assert_event("ApplyJobFailed", "helm-install-traefik");
    rig.delete(&config);
    let service = rig.get(&Key::new("", "services", "kube-system", "traefik"));
    assert_eq!(service["spec"]["externalTrafficPolicy"], "Cluster");
}
