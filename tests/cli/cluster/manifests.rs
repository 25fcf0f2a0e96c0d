//! A manifest that is named by URL, in a lab that fetches nothing.

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
    assert!(plan.stdout.contains("cluster/csi/ConfigMap/a"), "{plan}");
}
