//! Every form of a project, against what the charts' facts say of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::lower::lower;
use crate::lower::testing::spec;
use crate::plan::Desired;
use crate::resource::{Address, EdgeKind, Resource};

/// The small spec, its first project with these keys.
fn desired(keys: &str) -> Desired {
    let written = format!("[projects.overrides.county-01]\n{keys}\n[projects.defaults]");
    lower(&spec(&[("[projects.defaults]", &written)]))
}

/// The objects of the first project, by kind and name.
fn objects(desired: &Desired) -> BTreeMap<String, &Resource> {
    let name =
        |address: &Address| address.as_str().strip_prefix("project/county-01/").map(str::to_owned);
    let own = desired.resources.values();
    own.filter_map(|resource| Some((name(&resource.address)?, resource))).collect()
}

/// The objects that a project has, without those that all have.
fn check_objects(keys: &str, expected: &[&str]) {
    const ALWAYS: [&str; 11] = [
        "ConfigMap/couchdb-servers-configmap",
        "Deployment/cht-api",
        "Deployment/cht-haproxy",
        "Deployment/cht-haproxy-healthcheck",
        "Deployment/cht-sentinel",
        "Ingress/api-ingress",
        "Namespace/cht-county-01",
        "Secret/cht-couchdb-credentials",
        "Service/api",
        "Service/haproxy",
        "Service/healthcheck",
    ];
    let desired = desired(keys);
    let found: BTreeSet<String> = objects(&desired).into_keys().collect();
    let expected = expected.iter().chain(&ALWAYS).map(|name| (*name).to_owned());
    assert_eq!(found, expected.collect::<BTreeSet<String>>(), "{keys}");
}

/// One value of one object; null where there is none.
fn check(keys: &str, object: &str, pointer: &str, expected: &Json) {
    let desired = desired(keys);
    let found = objects(&desired)[object].attributes.tree();
    let found = found.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(found, *expected, "{object} {pointer}: {keys}");
}

const POD: &str = "/spec/template/spec";
const CONTAINER: &str = "/spec/template/spec/containers/0";

fn at(above: &str, below: &str) -> String {
    format!("{above}/{below}")
}

/// The names of a container's variables, in order.
fn check_variables(keys: &str, object: &str, expected: &str) {
    let desired = desired(keys);
    let found = objects(&desired)[object].attributes.tree();
    let variables = found.pointer(&at(CONTAINER, "env")).and_then(Json::as_array).cloned();
    let names: Vec<String> = variables
        .unwrap_or_default()
        .iter()
        .map(|variable| variable["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(names.join(" "), expected, "{object}: {keys}");
}

#[test]
fn a_lone_node_of_5_3() {
    check_objects(
        "",
        &[
            "Deployment/cht-couchdb",
            "NetworkPolicy/cht-neighbours",
            "PersistentVolumeClaim/couchdb-claim0",
            "Service/couchdb",
            "Service/nouveau",
        ],
    );
    let variables = "COUCHDB_LOG_LEVEL COUCHDB_PASSWORD COUCHDB_SECRET COUCHDB_USER COUCHDB_UUID \
         SVC_NAME";
    check_variables("", "Deployment/cht-couchdb", variables);
    check("", "Service/nouveau", "/spec/selector", &json!({ "cht.service": "couchdb" }));
    let servers = json!({ "COUCHDB_SERVERS": "couchdb.cht-county-01.svc.cluster.local" });
    check("", "ConfigMap/couchdb-servers-configmap", "/data", &servers);
    let name = json!("cht-couchdb-nouveau");
    check("", "Deployment/cht-couchdb", &at(POD, "containers/1/name"), &name);
}

#[test]
fn three_nodes_of_5_3_have_a_nouveau_each() {
    let keys = "couchdb = { nodes = 3 }";
    check_objects(
        keys,
        &[
            "Deployment/cht-couchdb-1",
            "Deployment/cht-couchdb-2",
            "Deployment/cht-couchdb-3",
            "NetworkPolicy/cht-neighbours",
            "PersistentVolumeClaim/couchdb-1-claim0",
            "PersistentVolumeClaim/couchdb-2-claim0",
            "PersistentVolumeClaim/couchdb-3-claim0",
            "Service/couchdb-1",
            "Service/couchdb-2",
            "Service/couchdb-3",
            "Service/nouveau-1",
            "Service/nouveau-2",
            "Service/nouveau-3",
        ],
    );
    let first = "COUCHDB_LOG_LEVEL COUCHDB_PASSWORD COUCHDB_SECRET COUCHDB_USER COUCHDB_UUID \
         SVC_NAME NODE_COUNT CLUSTER_PEER_IPS NOUVEAU_URL";
    check_variables(keys, "Deployment/cht-couchdb-1", first);
    let other = "COUCHDB_SYNC_ADMINS_NODE COUCHDB_LOG_LEVEL COUCHDB_PASSWORD COUCHDB_SECRET \
         COUCHDB_USER COUCHDB_UUID SVC_NAME NODE_COUNT NOUVEAU_URL";
    check_variables(keys, "Deployment/cht-couchdb-2", other);
    let url = json!({ "name": "NOUVEAU_URL", "value": "http://nouveau-2:5987" });
    check(keys, "Deployment/cht-couchdb-2", &at(CONTAINER, "env/8"), &url);
    check(keys, "Service/nouveau-3", "/spec/selector", &json!({ "cht.service": "couchdb-3" }));
    let data = json!({
        "COUCHDB_SERVERS": "couchdb-1.cht-county-01.svc.cluster.local,\
             couchdb-2.cht-county-01.svc.cluster.local,couchdb-3.cht-county-01.svc.cluster.local",
        "COUCHDB_SYNC_ADMINS_NODE": "couchdb-1.cht-county-01.svc.cluster.local",
        "CLUSTER_PEER_IPS": "couchdb-2.cht-county-01.svc.cluster.local,\
             couchdb-3.cht-county-01.svc.cluster.local",
    });
    check(keys, "ConfigMap/couchdb-servers-configmap", "/data", &data);
    let image = json!("public.ecr.aws/medic/cht-couchdb:5.3.1");
    check(keys, "Deployment/cht-couchdb-3", &at(CONTAINER, "image"), &image);
}

#[test]
fn up_to_5_2_all_nodes_ask_one_nouveau() {
    let keys = "cht = \"5.2.0\"\ncouchdb = { nodes = 2 }";
    check_objects(
        keys,
        &[
            "Deployment/cht-couchdb-1",
            "Deployment/cht-couchdb-2",
            "NetworkPolicy/cht-neighbours",
            "PersistentVolumeClaim/couchdb-1-claim0",
            "PersistentVolumeClaim/couchdb-2-claim0",
            "Service/couchdb-1",
            "Service/couchdb-2",
            "Service/nouveau",
        ],
    );
    check(keys, "Service/nouveau", "/spec/selector", &json!({ "cht.service": "couchdb-1" }));
    check(keys, "Deployment/cht-couchdb-2", &at(POD, "containers/1"), &Json::Null);
    let api = "NODE_ENV LOG_LEVEL BUILDS_URL COUCH_URL API_PORT";
    check_variables(keys, "Deployment/cht-api", api);
    let keys = "cht = \"5.1.3\"";
    check_variables(keys, "Deployment/cht-api", "BUILDS_URL COUCH_URL API_PORT");
    check_variables(keys, "Deployment/cht-sentinel", "API_HOST COUCH_URL API_PORT");
}

#[test]
fn a_project_of_4_x_upgrades_itself() {
    let keys = "cht = \"4.22.0\"";
    check_objects(
        keys,
        &[
            "Deployment/cht-couchdb",
            "Deployment/upgrade-service",
            "NetworkPolicy/cht-neighbours",
            "PersistentVolumeClaim/couchdb-claim0",
            "Role/deployment-manager",
            "RoleBinding/deployment-manager-cht",
            "Service/couchdb",
            "Service/upgrade-service",
            "ServiceAccount/cht-upgrade-service-user",
        ],
    );
    let api = "BUILDS_URL COUCH_URL UPGRADE_SERVICE_URL API_PORT";
    check_variables(keys, "Deployment/cht-api", api);
    let strategy = json!({
        "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 },
    });
    check(keys, "Deployment/cht-api", "/spec/strategy", &strategy);
    check(keys, "Deployment/cht-sentinel", "/spec/strategy", &Json::Null);
    let desired = desired(keys);
    let kind = |name: &str| objects(&desired)[name].kind.name;
    assert_eq!(kind("Deployment/cht-couchdb"), "kubernetes/SelfUpgrading");
    assert_eq!(kind("Deployment/upgrade-service"), "kubernetes/Deployment");
}

#[test]
fn with_boma_as_owner_of_images_4_x_has_no_upgrade_service() {
    let keys = "cht = \"4.22.0\"\nimage_owner = \"boma\"";
    let own = [
        "Deployment/cht-couchdb",
        "NetworkPolicy/cht-neighbours",
        "PersistentVolumeClaim/couchdb-claim0",
        "Service/couchdb",
    ];
    check_objects(keys, &own);
    check_variables(keys, "Deployment/cht-api", "BUILDS_URL COUCH_URL API_PORT");
    let desired = desired(keys);
    assert_eq!(objects(&desired)["Deployment/cht-api"].kind.name, "kubernetes/Deployment");
}

#[test]
fn what_holds_data_is_of_a_kind_that_does() {
    let desired = desired("");
    for (name, object) in objects(&desired) {
        let expected = ["Namespace/", "Secret/", "PersistentVolumeClaim/"];
        let expected = expected.iter().any(|kind| name.starts_with(kind));
        assert_eq!(object.kind.holds_data, expected, "{name}");
    }
}

#[test]
fn what_the_spec_does_not_give_is_made_up_under_the_projects_name() {
    let secret = "Secret/cht-couchdb-credentials";
    let generated = |name: &str, form: &str| json!({ "$secret": { "generated": { "name": name, "form": form } } });
    check("", secret, "/data/COUCHDB_USER", &json!({"$secret": {"text": [{"plain": "medic"}]}}));
    let password = generated("county-01/password", "password");
    check("", secret, "/data/COUCHDB_PASSWORD", &password);
    check("", secret, "/data/COUCHDB_SECRET", &generated("county-01/secret", "hex32"));
    check("", secret, "/data/COUCHDB_UUID", &generated("county-01/uuid", "uuid"));
    let keys = "credentials = { user = \"a b\", password = { env = \"P\" } }";
    let url = json!({ "$secret": { "text": [
        { "plain": "http://a%20b:" },
        { "secret": [{ "env": "P" }, "url"] },
        { "plain": "@haproxy.cht-county-01.svc.cluster.local:5984/medic" },
    ] } });
    check(keys, secret, "/data/COUCH_URL", &url);
}

/// A project comes up in the order of its edges, whatever of it changes.
#[test]
fn every_part_comes_after_all_that_it_talks_to() {
    let desired = desired(
        "cht = \"4.22.0\"\ncouchdb = { nodes = 3 }\nquota = { cpu = \"20\", memory = \"40GiB\" }",
    );
    let objects = objects(&desired);
    let after = |name: &str, other: &str| {
        let other = format!("project/county-01/{other}");
        let found = objects[name].edges.iter().any(|edge| edge.to.as_str() == other);
        assert!(found, "{name} after {other}");
    };
    let order = [
        "Deployment/cht-couchdb-1",
        "Deployment/cht-couchdb-3",
        "Deployment/cht-haproxy-healthcheck",
        "Deployment/cht-haproxy",
        "Deployment/cht-api",
        "Deployment/cht-sentinel",
        "Deployment/upgrade-service",
    ];
    for (index, later) in order.iter().enumerate() {
        order[..index].iter().for_each(|earlier| after(later, earlier));
        after(later, "Secret/cht-couchdb-credentials");
        after(later, "ResourceQuota/cht-quota");
    }
    after("Deployment/cht-couchdb-2", "PersistentVolumeClaim/couchdb-2-claim0");
    after("Deployment/cht-couchdb-2", "Service/couchdb-1");
    after("ResourceQuota/cht-quota", "LimitRange/cht-limits");
    after("Deployment/upgrade-service", "RoleBinding/deployment-manager-cht");
    after("Ingress/api-ingress", "Deployment/upgrade-service");
    let apart = objects["Deployment/cht-couchdb-3"].edges.iter();
    assert!(apart.map(|edge| edge.to.name()).all(|name| name != "cht-couchdb-2"));
}

#[test]
fn every_edge_leads_to_a_resource_and_every_object_lives_in_its_namespace() {
    for keys in ["", "cht = \"4.22.0\"", "cht = \"5.2.0\"\ncouchdb = { nodes = 3 }"] {
        let desired = desired(keys);
        for (name, object) in objects(&desired) {
            for edge in &object.edges {
                assert!(desired.resources.contains_key(&edge.to), "{name} after {}", edge.to);
            }
            let lives = object.edges.iter().find(|edge| edge.kind == EdgeKind::LivesIn);
            let home = lives.map(|edge| edge.to.as_str());
            let expected = "project/county-01/Namespace/cht-county-01";
            assert_eq!(home, (!name.starts_with("Namespace/")).then_some(expected), "{name}");
        }
    }
}

#[test]
fn a_project_is_begun_once_its_machines_are_nodes() {
    let check = |keys: &str, expected: &[&str]| {
        let desired = desired(keys);
        let edges = &objects(&desired)["Namespace/cht-county-01"].edges;
        let found: Vec<&str> = edges.iter().map(|edge| edge.to.as_str()).collect();
        assert_eq!(found, expected, "{keys}");
    };
    let driver = "cluster/csi/DaemonSet/vsphere-csi-node";
    check("", &[driver, "cluster/node/agent-1", "cluster/node/agent-2"]);
    check("agents = [\"agent-2\"]", &[driver, "cluster/node/agent-2"]);
}

#[test]
fn claims_are_of_the_size_and_class_that_the_spec_says() {
    let claim = "PersistentVolumeClaim/couchdb-claim0";
    let spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": { "requests": { "storage": "10Gi" } },
        "storageClassName": "vmware-sc",
    });
    check("", claim, "/spec", &spec);
    let keys =
        "couchdb = { storage = \"1536MiB\", storage_class = \"other\", volumes = [\"pv-1\"] }";
    let spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": { "requests": { "storage": "1536Mi" } },
        "storageClassName": "other",
        "volumeName": "pv-1",
    });
    check(keys, claim, "/spec", &spec);
    let volumes = json!([{ "name": "couchdb-claim0", "persistentVolumeClaim": { "claimName": "couchdb-claim0" } }]);
    check("", "Deployment/cht-couchdb", &at(POD, "volumes"), &volumes);
}

#[test]
fn a_folder_of_the_machine_takes_the_volumes_place() {
    let keys = "agents = [\"agent-1\"]\ncouchdb = { host_path = \"/var/lib/couchdb1\" }";
    let desired = desired(keys);
    assert!(objects(&desired).keys().all(|name| !name.starts_with("PersistentVolumeClaim/")));
    let volumes = json!([{ "name": "local-volume", "hostPath": { "path": "/var/lib/couchdb1" } }]);
    check(keys, "Deployment/cht-couchdb", &at(POD, "volumes"), &volumes);
    let mount =
        json!({ "name": "local-volume", "mountPath": "/opt/couchdb/data", "subPath": "data" });
    check(keys, "Deployment/cht-couchdb", &at(CONTAINER, "volumeMounts/0"), &mount);
}

#[test]
fn the_host_leads_to_api_and_the_certificate_is_given_or_fetched() {
    let rules = |host: &str| {
        let service = json!({ "name": "api", "port": { "number": 5988 } });
        let path = json!({ "path": "/", "pathType": "Prefix", "backend": { "service": service } });
        json!([{ "host": host, "http": { "paths": [path] } }])
    };
    let ingress = "Ingress/api-ingress";
    check("", ingress, "/spec/rules", &rules("county-01.cht.example.org"));
    check("", ingress, "/spec/ingressClassName", &json!("traefik"));
    check("", ingress, "/spec/tls", &Json::Null);
    let keys = "host = \"cht.one.example.org\"\ntls = { secret = \"own\" }";
    let tls = |secret: &str| json!([{ "hosts": ["cht.one.example.org"], "secretName": secret }]);
    check(keys, ingress, "/spec/rules", &rules("cht.one.example.org"));
    check(keys, ingress, "/spec/tls", &tls("own"));
    let keys = "host = \"cht.one.example.org\"\ntls = { issuer = \"letsencrypt\" }";
    check(keys, ingress, "/spec/tls", &tls("api-tls-secret"));
    let issuer = json!({ "cert-manager.io/cluster-issuer": "letsencrypt" });
    check(keys, ingress, "/annotations", &issuer);
}

#[test]
fn nodes_are_together_unless_they_are_to_be_apart_or_pinned() {
    let node = "Deployment/cht-couchdb-2";
    let wish = |services: &[&str]| {
        let others = json!({ "key": "cht.service", "operator": "In", "values": services });
        let term = json!({
            "labelSelector": { "matchExpressions": [others] },
            "topologyKey": "kubernetes.io/hostname",
        });
        let wish = json!([{ "weight": 100, "podAffinityTerm": term }]);
        json!({ "preferredDuringSchedulingIgnoredDuringExecution": wish })
    };
    let both = wish(&["couchdb-1", "couchdb-2"]);
    let keys = "couchdb = { nodes = 2 }";
    check(keys, node, &at(POD, "affinity"), &json!({ "podAffinity": both }));
    let keys = "couchdb = { nodes = 2 }\nplacement = \"spread\"";
    check(keys, node, &at(POD, "affinity"), &json!({ "podAntiAffinity": both }));
    let keys =
        "couchdb = { nodes = 2 }\nplacement = \"spread\"\nagents = [\"agent-1\", \"agent-2\"]";
    check(keys, node, &at(POD, "affinity"), &Json::Null);
    check(keys, node, &at(POD, "nodeSelector"), &json!({ "kubernetes.io/hostname": "agent-2" }));
    let keys = "couchdb = { nodes = 2 }\nagents = [\"agent-1\", \"agent-2\"]";
    let names = json!({
        "key": "kubernetes.io/hostname", "operator": "In", "values": ["agent-1", "agent-2"],
    });
    let pinned = json!({ "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{ "matchExpressions": [names] }],
    } });
    check(keys, node, &at(POD, "affinity/nodeAffinity"), &pinned);
    check(keys, "Deployment/cht-api", &at(POD, "affinity"), &json!({ "nodeAffinity": pinned }));
    check("", "Deployment/cht-couchdb", &at(POD, "affinity"), &Json::Null);
}

#[test]
fn probes_say_what_is_ready_and_restart_nothing() {
    let desired = desired("cht = \"4.22.0\"\ncouchdb = { nodes = 2 }");
    let mut probed = Vec::new();
    for (name, object) in objects(&desired) {
        let tree = object.attributes.tree();
        let containers = tree.pointer(&at(POD, "containers")).and_then(Json::as_array).cloned();
        for container in containers.unwrap_or_default() {
            assert_eq!(
                (&container["livenessProbe"], &container["startupProbe"]),
                (&Json::Null, &Json::Null)
            );
            let port = &container["readinessProbe"]["tcpSocket"]["port"];
            probed.extend(port.as_u64().map(|port| format!("{name} {port}")));
        }
    }
    let expected = [
        "Deployment/cht-api 5988",
        "Deployment/cht-couchdb-1 5984",
        "Deployment/cht-couchdb-2 5984",
        "Deployment/cht-haproxy 5984",
        "Deployment/upgrade-service 5008",
    ];
    assert_eq!(probed, expected);
}

#[test]
fn components_have_what_the_spec_gives_them() {
    let keys = "resources = { couchdb = { cpu = \"2\", memory = \"8GiB\", memory_request = \"4GiB\" }, \
         nouveau = { cpu_request = \"250m\" } }";
    let held = json!({
        "limits": { "cpu": "2", "memory": "8Gi" }, "requests": { "cpu": "2", "memory": "4Gi" },
    });
    check(keys, "Deployment/cht-couchdb", &at(CONTAINER, "resources"), &held);
    let asked = json!({ "requests": { "cpu": "250m" } });
    check(keys, "Deployment/cht-couchdb", &at(POD, "containers/1/resources"), &asked);
    check(keys, "Deployment/cht-api", &at(CONTAINER, "resources"), &Json::Null);
}

#[test]
fn what_is_pinned_to_tainted_machines_runs_there() {
    let taint = "taints = [\"dedicated=large:NoSchedule\", \"spare:NoExecute\"]";
    let check = |keys: &str, expected: &Json| {
        let written = format!("[projects.overrides.county-01]\n{keys}\n[projects.defaults]");
        let machine = format!("[agents.overrides.agent-2]\n{taint}\n[k3s]");
        let desired = lower(&spec(&[("[projects.defaults]", &written), ("[k3s]", &machine)]));
        for name in ["Deployment/cht-couchdb", "Deployment/cht-api"] {
            let pod = objects(&desired)[name].attributes.tree();
            let found = pod.pointer(&at(POD, "tolerations")).cloned().unwrap_or_default();
            assert_eq!(found, *expected, "{name}: {keys}");
        }
    };
    check("agents = [\"agent-1\"]", &Json::Null);
    check("", &Json::Null);
    let both = json!([
        { "key": "dedicated", "operator": "Equal", "value": "large", "effect": "NoSchedule" },
        { "key": "spare", "operator": "Exists", "effect": "NoExecute" },
    ]);
    check("agents = [\"agent-2\"]", &both);
    check("agents = [\"agent-1\", \"agent-2\"]", &both);
    check("agents = [\"agent-2\"]\nadopt = true", &Json::Null);
}

#[test]
fn under_a_quota_every_container_has_limits() {
    let keys = "quota = { cpu = \"7\", memory = \"14GiB\" }
resources = { couchdb = { cpu = \"2\", memory = \"4GiB\" } }";
    let hard = json!({ "limits.cpu": "7", "limits.memory": "14Gi" });
    check(keys, "ResourceQuota/cht-quota", "/spec/hard", &hard);
    let each = json!({ "cpu": "1", "memory": "2Gi" });
    let limits = json!([{ "type": "Container", "default": each, "defaultRequest": each }]);
    check(keys, "LimitRange/cht-limits", "/spec/limits", &limits);
}

#[test]
fn neighbours_are_kept_out_and_the_entry_is_let_in() {
    let entry = json!({ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } } });
    let spec = json!({
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{ "from": [{ "podSelector": {} }, entry] }],
    });
    check("", "NetworkPolicy/cht-neighbours", "/spec", &spec);
}

#[test]
fn an_adopted_project_gets_only_what_is_asked_for_beside_the_word() {
    let defaults =
        "probes = true\nplacement = \"spread\"\nquota = { cpu = \"9\", memory = \"9GiB\" }
resources = { api = { cpu = \"1\" } }";
    let lowered = |keys: &str, more: &str| {
        let own = format!("[projects.overrides.county-01]\n{keys}\ncouchdb = {{ nodes = 2 }}\n");
        let written = format!("{own}[projects.defaults]\n{defaults}\n{more}");
        lower(&spec(&[("[projects.defaults]", &written)]))
    };
    let check = |keys: &str, more: &str, expected: (bool, bool, bool, bool, bool)| {
        let desired = lowered(keys, more);
        let objects = objects(&desired);
        let pod = objects["Deployment/cht-couchdb-1"].attributes.tree();
        let api = objects["Deployment/cht-api"].attributes.tree();
        let found = (
            objects["Deployment/cht-api"].adopt,
            pod.pointer(&at(CONTAINER, "readinessProbe")).is_some(),
            pod.pointer(&at(POD, "affinity")).is_some(),
            api.pointer(&at(CONTAINER, "resources")).is_some(),
            objects.contains_key("ResourceQuota/cht-quota"),
        );
        assert_eq!(found, expected, "{keys} {more}");
        assert_eq!(objects.contains_key("NetworkPolicy/cht-neighbours"), !found.0);
    };
    check("", "", (false, true, true, true, true));
    check("adopt = true", "", (true, false, false, false, false));
    check("adopt = true\nprobes = true", "", (true, true, false, false, false));
    check("adopt = true\nplacement = \"together\"", "", (true, false, true, false, false));
    check("", "adopt = true", (true, true, true, true, true));
    check("adopt = false", "adopt = true", (false, true, true, true, true));
}

#[test]
fn a_glob_over_a_project_adopts_it_too() {
    let glob = "name = \"small\"\nadopt = [\"project/county-01/**\"]";
    let desired = lower(&spec(&[("name = \"small\"", glob)]));
    let objects = objects(&desired);
    assert!(objects.values().all(|object| object.adopt));
    assert!(!objects.contains_key("NetworkPolicy/cht-neighbours"));
    assert_eq!(
        objects["Ingress/api-ingress"].attributes.tree()["spec"]["ingressClassName"],
        Json::Null
    );
    let other = Address::from("project/county-02/Deployment/cht-api");
    assert!(!desired.resources[&other].adopt);
}

#[test]
fn images_come_from_the_projects_registry_and_through_replacements() {
    let projects =
        "[images]\nreplace = { \"medicmobile/upgrade-service\" = \"m/upgrade-service\" }\n
[projects]\nregistry = \"m.example/cht\"";
    let own = "[projects.overrides.county-01]\ncht = \"4.22.0\"\n[projects.defaults]";
    let desired = lower(&spec(&[("[projects]", projects), ("[projects.defaults]", own)]));
    let objects = objects(&desired);
    let image = |name: &str| {
        let tree = objects[name].attributes.tree();
        tree.pointer(&at(CONTAINER, "image")).cloned().unwrap_or_default()
    };
    assert_eq!(image("Deployment/cht-api"), json!("m.example/cht/cht-api:4.22.0"));
    let check = json!("m.example/cht/cht-haproxy-healthcheck:4.22.0");
    assert_eq!(image("Deployment/cht-haproxy-healthcheck"), check);
    assert_eq!(image("Deployment/upgrade-service"), json!("m/upgrade-service:0.32"));
}
