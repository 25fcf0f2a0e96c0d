//! Manifests of others: named by URL in a lab that fetches nothing, and written as only they do.

use std::fs;

use crate::cli::env::TestEnv;

const URL: &str = "https://example.org/csi.yaml";
const MANIFEST: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}}";

#[test]
fn that_is_not_at_hand_is_refused_with_its_place() {
    let env = TestEnv::new();
    let digest = boma::resource::Digest::of(MANIFEST.as_bytes());
    let named = format!("[csi.manifest]\nfrom = \"{URL}\"\nsha256 = \"{digest}\"\n\n[storage]");
    env.edit("[storage]", &named);
    for command in
        [&["plan", "--lab", "small.toml"][..], &["apply", "--lab", "--yes", "small.toml"]]
    {
        let refused = env.expect(3, command);
        let told = format!("the manifest {URL} is not at hand, and a lab fetches nothing");
        assert_eq!(refused.stderr.matches(&told).count(), 1, "{refused}");
        assert!(refused.stderr.contains(&format!("{digest}.yaml")), "{refused}");
    }
    let folder = env.path("state/lab/small/state/manifests");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{digest}.yaml")), MANIFEST).unwrap();
    let plan = env.expect(0, &["plan", "--lab", "--full", "small.toml"]);
    assert!(plan.stdout.contains("cluster/csi/default/ConfigMap/a"), "{plan}");
}

/// Valid, and nothing is as boma would write it.
const ODD: &str = r#"# head
---
apiVersion: v1
kind: ConfigMapList
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: twin, namespace: kube-system}, data: {a: null, b: ""}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: twin, namespace: vmware-system-csi}, data: &data {x.y: "1"}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: twin, namespace: "", labels: null}, data: *data}
---
apiVersion: v1
kind: Secret
metadata: {name: plain, annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}}
data: {a: eA==, bytes: "/w=="}
stringData: {b: hunter2}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: odd, creationTimestamp: null}
spec:
  replicas: null
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}, creationTimestamp: null}
    spec:
      containers:
      - name: a
        image: registry.k8s.io/a:1
        args: null
        env:
        - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 0}}}
        resources: {limits: {cpu: 0.5, memory: 1024Mi}}
      volumes: [{name: e, emptyDir: {sizeLimit: 1024Mi, medium: ""}}]
status: {}
---
{apiVersion: policy.example/v1, kind: Policy, metadata: {name: all}, spec: {a: 1}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: policies.policy.example}
spec:
  group: policy.example
  scope: Cluster
  names: {kind: Policy, plural: policies}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
"#;

#[test]
fn that_is_odd_and_valid_is_applied_whole_and_once() {
    let env = TestEnv::new();
    env.without_projects();
    let digest = boma::resource::Digest::of(ODD.as_bytes());
    env.write("csi.yaml", ODD);
    env.edit(
        "[storage]",
        &format!("[csi.manifest]\nfrom = \"csi.yaml\"\nsha256 = \"{digest}\"\n\n[storage]"),
    );
    let plan = env.expect(0, &["plan", "--lab", "--full", "small.toml"]);
    for address in [
        "cluster/csi/ConfigMap/twin",
        "cluster/csi/kube-system/ConfigMap/twin",
        "cluster/csi/default/ConfigMap/twin",
        "cluster/csi/default/Secret/plain",
        "cluster/csi/default/Deployment/odd",
        "cluster/csi/Policy/all",
    ] {
        assert!(plan.stdout.contains(&format!("+ {address} ")), "{address}: {plan}");
    }
    let applied = env.apply();
    assert!(!format!("{plan}{applied}").contains("hunter2"), "{plan}{applied}");
    env.assert_settled();
}

#[test]
fn that_is_no_manifest_by_its_length_is_not_read_to_its_end() {
    let env = TestEnv::new();
    env.write("csi.yaml", "# long\n".repeat(2 << 20));
    let named = format!(
        "[csi.manifest]\nfrom = \"csi.yaml\"\nsha256 = \"{}\"\n\n[storage]",
        "0".repeat(64)
    );
    env.edit("[storage]", &named);
    let refused = env.expect(3, &["plan", "--lab", "small.toml"]);
    assert!(refused.stderr.contains("csi.yaml: it is longer than 8388608 bytes"), "{refused}");
}
