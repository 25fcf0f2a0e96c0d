//! The cloud provider: what tells the cluster which VM each node is.

use serde_json::Value as Json;

use super::cpi_conf::NAMESPACE;
use super::object::object;
use super::sources::Sources;
use super::{cpi_manifest, supplied, upstream};
use crate::lower::permission;
use crate::resource::{Address, Resource};
use crate::spec::Spec;
use crate::spec::releases::{Version, reads_endpoint_slices};

const PART: &str = "cluster/cpi";

/// The address of the manager, which nodes wait for.
pub fn address() -> Address {
    Address::from(format!("{PART}/DaemonSet/{}", cpi_manifest::DAEMON_SET))
}

/// Lowers all of it. Nothing where the spec names a manifest that was not read.
pub fn cpi(spec: &Spec, sources: &Sources) -> Vec<Resource> {
    let manifests = manifests(spec, sources);
    let others = manifests.iter().filter(|manifest| !is_manager(manifest)).map(address_of);
    let mut last: Vec<Address> = others.collect();
    // Without them it logs in, finds no VM, and every node waits.
    last.extend(permission::standing(spec));
    let resource = |manifest: Json| {
        let after = if is_manager(&manifest) { last.as_slice() } else { &[] };
        object(address_of(&manifest), manifest, after, &spec.cloud_provider.place)
    };
    manifests.into_iter().map(resource).collect()
}

/// The objects, before they are resources.
pub fn manifests(spec: &Spec, sources: &Sources) -> Vec<Json> {
    match &spec.cloud_provider.manifest {
        None => rendered(spec),
        Some(manifest) => {
            sources.objects(manifest).map(|objects| edited(spec, objects)).unwrap_or_default()
        }
    }
}

fn is_manager(manifest: &Json) -> bool {
    manifest["kind"] == "DaemonSet"
}

fn address_of(manifest: &Json) -> Address {
    supplied::address(PART, NAMESPACE, manifest)
}

fn rendered(spec: &Spec) -> Vec<Json> {
    let version = Version::parse(&spec.cloud_provider.version);
    let rights = cpi_manifest::rights(version.is_some_and(reads_endpoint_slices));
    settings(spec).into_iter().chain(rights).chain([cpi_manifest::daemon_set(spec)]).collect()
}

/// What the spec alone can know.
fn settings(spec: &Spec) -> Vec<Json> {
    let known = [cpi_manifest::secret(spec), cpi_manifest::config(spec)];
    known.into_iter().chain(cpi_manifest::ca(spec)).collect()
}

/// Upstream's objects with the spec's values in them: the account, the configuration, images, and
/// what [`cpi_manifest::adjust`] adds. Its example accounts go.
fn edited(spec: &Spec, objects: &[Json]) -> Vec<Json> {
    let mut manifests = objects.to_vec();
    for setting in settings(spec) {
        let name = setting["metadata"]["name"].as_str().unwrap_or_default();
        let kind = setting["kind"].as_str().unwrap_or_default();
        match manifests.iter_mut().find(|manifest| upstream::is(manifest, kind, name)) {
            Some(manifest) => upstream::set_data(manifest, setting["data"].clone()),
            None => manifests.push(setting),
        }
    }
    for manifest in &mut manifests {
        upstream::replace_images(spec, manifest);
        upstream::select_servers_by_key(manifest);
        upstream::drop_empty_groups(manifest);
        if upstream::is(manifest, "DaemonSet", cpi_manifest::DAEMON_SET) {
            upstream::at(manifest, upstream::POD, &mut |pod| cpi_manifest::adjust(spec, pod));
        }
    }
    manifests
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::testing::spec;
    use crate::resource::{Digest, EdgeKind};

    fn section(text: &str) -> String {
        format!("[cloud_provider]\n{text}\n[storage]")
    }

    fn of(settings: &str, kind: &str, name: &str) -> Json {
        let spec = spec(&[("[storage]", &section(settings))]);
        let manifests = manifests(&spec, &Sources::default());
        manifests.into_iter().find(|manifest| upstream::is(manifest, kind, name)).unwrap()
    }

    fn manager(settings: &str) -> Json {
        of(settings, "DaemonSet", cpi_manifest::DAEMON_SET)["spec"]["template"]["spec"].take()
    }

    #[test]
    fn the_whole_manager() {
        let exists =
            |key: &str| json!({ "key": key, "operator": "Exists", "effect": "NoSchedule" });
        let term =
            |key: &str| json!({ "matchExpressions": [{ "key": key, "operator": "Exists" }] });
        let expected = json!({
            "serviceAccountName": "cloud-controller-manager",
            "priorityClassName": "system-node-critical",
            "hostNetwork": true,
            "securityContext": { "runAsUser": 1001 },
            "tolerations": [
                { "key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true",
                    "effect": "NoSchedule" },
                exists("node-role.kubernetes.io/master"),
                exists("node-role.kubernetes.io/control-plane"),
                exists("node.kubernetes.io/not-ready"),
            ],
            "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    term("node-role.kubernetes.io/control-plane"),
                    term("node-role.kubernetes.io/master"),
                ],
            } } },
            "containers": [{
                "name": "vsphere-cloud-controller-manager",
                "image": "registry.k8s.io/cloud-pv-vsphere/cloud-provider-vsphere:v1.35.0",
                "args": ["--cloud-provider=vsphere", "--v=2",
                    "--cloud-config=/etc/cloud/vsphere.conf"],
                "resources": { "requests": { "cpu": "200m" } },
                "volumeMounts": [
                    { "mountPath": "/etc/cloud", "name": "vsphere-config-volume",
                        "readOnly": true },
                    { "mountPath": "/etc/vcenter-ca", "name": "vcenter-ca", "readOnly": true },
                ],
            }],
            "volumes": [
                { "name": "vsphere-config-volume", "configMap": { "name": "vsphere-cloud-config" } },
                { "name": "vcenter-ca", "secret": { "secretName": "vsphere-cloud-ca" } },
            ],
        });
        assert_eq!(manager(""), expected);
    }

    #[test]
    fn the_spec_decides_on_image_and_deletion_of_nodes() {
        let settings = "image = \"gcr.io/cloud-provider-vsphere/cpi/release/manager\"\n\
                        version = \"v1.25.3\"\nskip_node_deletion = true";
        let container = manager(settings)["containers"][0].take();
        let expected = json!([{ "name": "SKIP_NODE_DELETION", "value": "true" }]);
        assert_eq!(container["env"], expected);
        let image = "gcr.io/cloud-provider-vsphere/cpi/release/manager:v1.25.3";
        assert_eq!(container["image"], image);
        assert_eq!(manager("")["containers"][0].get("env"), None);
    }

    #[test]
    fn servers_that_the_spec_taints_run_it_all_the_same() {
        let taints = "taints = [\"critical=true:NoExecute\", \"slow:PreferNoSchedule\"]";
        let spec = spec(&[("[servers]", &format!("[servers]\n{taints}"))]);
        let pod = cpi_manifest::daemon_set(&spec)["spec"]["template"]["spec"].take();
        let expected = json!({ "key": "critical", "operator": "Exists", "effect": "NoExecute" });
        assert_eq!(pod["tolerations"].as_array().unwrap()[4..], [expected]);
    }

    #[test]
    fn releases_differ_in_what_they_may_read() {
        let rules = |minor: u32| {
            let role = of(
                &format!("version = \"v1.{minor}.0\""),
                "ClusterRole",
                "system:cloud-controller-manager",
            );
            role["rules"].as_array().unwrap().clone()
        };
        let slices = |minor: u32| {
            rules(minor).iter().any(|rule| rule["resources"] == json!(["endpointslices"]))
        };
        assert_eq!((25..=35).find(|minor| slices(*minor)), None);
        assert!(slices(36) && slices(37));
        assert_eq!((rules(25).len(), rules(36).len()), (10, 11));
    }

    #[test]
    fn the_manager_comes_last_and_after_its_rights_in_the_vcenter() {
        let spec = spec(&[]);
        let resources = cpi(&spec, &Sources::default());
        let needs = |address: &str| -> Vec<String> {
            let resource = resources.iter().find(|one| one.address.as_str() == address).unwrap();
            assert!(resource.edges.iter().all(|edge| edge.kind == EdgeKind::After));
            resource.edges.iter().map(|edge| edge.to.to_string()).collect()
        };
        assert!(needs("cluster/cpi/Secret/vsphere-cloud-secret").is_empty());
        let last = needs(address().as_str());
        for need in [
            "cluster/cpi/Secret/vsphere-cloud-ca",
            "cluster/cpi/ConfigMap/vsphere-cloud-config",
            "cluster/cpi/RoleBinding/servicecatalog.k8s.io:apiserver-authentication-reader",
            "vsphere/permission/datacenter/DC1",
        ] {
            assert!(last.iter().any(|one| one == need), "{need} is not in {last:?}");
        }
        assert!(!last.iter().any(|one| one.starts_with("vsphere/permission/vm/")), "{last:?}");
        assert_eq!(resources.len(), 8);
    }

    #[test]
    fn the_guides_mistakes_come_out_as_written() {
        let guide = include_str!("../../../examples/guide-as-written.toml");
        let spec = crate::spec::parse("guide-as-written.toml", guide).spec.unwrap();
        let text = json!(manifests(&spec, &Sources::default())).to_string();
        for mistake in [
            "gcr.io/cloud-provider-vsphere/cpi/release/manager:v1.25.3",
            "insecureFlag: true",
            "server: \\\"192.0.2.10\\\"",
            "192.0.2.10.password",
            "user: \\\"k3s@vsphere.local\\\"",
            "password: \"},{\"secret\"",
        ] {
            assert!(text.contains(mistake), "{mistake} is not in {text}");
        }
    }

    #[test]
    fn nothing_waits_for_itself_and_nodes_wait_for_the_manager() {
        let spec = spec(&[]);
        let graph = crate::lower::lower(&spec).graph();
        let order: Vec<String> = graph.order().unwrap().iter().map(ToString::to_string).collect();
        let at = |address: &str| order.iter().position(|one| one == address).unwrap();
        assert!(
            at("k3s/server/server-3")
                < at("cluster/cpi/ClusterRole/system:cloud-controller-manager")
        );
        assert!(at("cluster/cpi/Secret/vsphere-cloud-secret") < at(address().as_str()));
        assert!(at(address().as_str()) < at("cluster/node/agent-1"));
        assert!(at("k3s/server/server-1") < at("cluster/traefik/HelmChartConfig/traefik"));
    }

    /// What upstream's manifest has that matters here, in our own words.
    const UPSTREAM: &str = r#"
kind: Secret
apiVersion: v1
metadata: {name: vsphere-cloud-secret, namespace: kube-system, labels: {theirs: "1"}}
stringData: {10.0.0.1.username: x, 10.0.0.1.password: y}
---
kind: ConfigMap
apiVersion: v1
metadata: {name: vsphere-cloud-config, namespace: kube-system}
data:
  vsphere.conf: |
    global: {}
---
kind: ServiceAccount
apiVersion: v1
metadata: {name: cloud-controller-manager, namespace: kube-system}
---
kind: DaemonSet
apiVersion: apps/v1
metadata: {name: vsphere-cloud-controller-manager, namespace: kube-system}
spec:
  template:
    spec:
      nodeSelector: {node-role.kubernetes.io/control-plane: ""}
      containers:
      - name: vsphere-cloud-controller-manager
        image: registry.k8s.io/cloud-pv-vsphere/cloud-provider-vsphere:v1.35.1
        args: [--theirs]
      volumes: [{name: vsphere-config-volume}]
"#;

    fn edited() -> Vec<Json> {
        let digest = Digest::of(UPSTREAM.as_bytes()).to_string();
        let images = "[images]\nreplace = { \"registry.k8s.io/cloud-pv-vsphere/cloud-provider-vsphere\" = \"m/cpi\" }\n";
        let named = format!(
            "skip_node_deletion = true\nmanifest = {{ from = \"cpi.yaml\", sha256 = \"{digest}\" }}"
        );
        let spec = spec(&[("[storage]", &format!("{images}{}", section(&named)))]);
        let mut sources = Sources::default();
        assert!(cpi(&spec, &sources).is_empty());
        let manifest = spec.cloud_provider.manifest.as_ref().unwrap();
        sources.add(manifest, UPSTREAM.as_bytes()).unwrap();
        manifests(&spec, &sources)
    }

    #[test]
    fn upstreams_manifest_gets_the_specs_values() {
        let manifests = edited();
        let names: Vec<&str> =
            manifests.iter().filter_map(|one| one["metadata"]["name"].as_str()).collect();
        let expected = [
            "vsphere-cloud-secret",
            "vsphere-cloud-config",
            "cloud-controller-manager",
            "vsphere-cloud-controller-manager",
            "vsphere-cloud-ca",
        ];
        assert_eq!(names, expected);
        let (secret, config, manager) = (&manifests[0], &manifests[1], &manifests[3]);
        let own = spec(&[]);
        assert_eq!(secret["data"], cpi_manifest::secret(&own)["data"]);
        assert_eq!(
            (&secret["type"], &secret["metadata"]["labels"]["theirs"]),
            (&json!("Opaque"), &json!("1"))
        );
        assert_eq!(config["data"], cpi_manifest::config(&own)["data"]);
        let pod = &manager["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(
            (&container["image"], &container["args"]),
            (&json!("m/cpi:v1.35.1"), &json!(["--theirs"]))
        );
        assert_eq!(container["env"][0]["name"], "SKIP_NODE_DELETION");
        assert_eq!(container["volumeMounts"][0]["mountPath"], "/etc/vcenter-ca");
        assert_eq!(pod["volumes"][1]["secret"]["secretName"], "vsphere-cloud-ca");
        assert_eq!(pod["affinity"]["nodeAffinity"], upstream::on_servers());
        assert_eq!(pod.get("nodeSelector"), None);
    }
}
