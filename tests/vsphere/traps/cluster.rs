//! What of sections 0, 3 and 6 shows in the cluster and on its nodes.

use boma::lab::HostAction;
use serde_json::{Value as Json, json};

use crate::cli::env::{SMALL, TestEnv};
use crate::cli::served::control;

/// A change that the spec alone plans.
fn planned(env: &TestEnv, address: &str) -> Option<Json> {
    let plan = env.json(0, &["plan", "--offline", "--state", "none", "small.toml"]);
    let mut changes = plan["changes"].as_array().unwrap().iter();
    changes.find(|change| change["address"] == address).cloned()
}

#[test]
fn a_snapshotter_comes_with_the_definitions_of_snapshots() {
    const CONTROLLER: &str = "cluster/csi/Deployment/vsphere-csi-controller";
    let definition = |kind: &str| {
        format!("cluster/snapshots/CustomResourceDefinition/{kind}.snapshot.storage.k8s.io")
    };
    let kinds = ["volumesnapshots", "volumesnapshotcontents", "volumesnapshotclasses"];
    let runs_one = |env: &TestEnv| {
        planned(env, CONTROLLER).unwrap()["attributes"].to_string().contains("csi-snapshotter")
    };

    let env = TestEnv::new();
    assert!(runs_one(&env));
    let graph = env.json(0, &["graph", "small.toml"]);
    for kind in kinds {
        let edge = json!({"from": CONTROLLER, "to": definition(kind), "kinds": ["after"], "implied": false});
        assert!(graph["edges"].as_array().unwrap().contains(&edge), "{kind}");
    }
    assert!(planned(&env, "cluster/snapshots/Deployment/snapshot-controller").is_some());

    let (before, rest) = SMALL.split_once("[backup]").unwrap();
    let (_, projects) = rest.split_once("[projects]").unwrap();
    let before = before.replace("[snapshots]\n", "[snapshots]\nenabled = false\n");
    let backup = "[backup]\nmode = \"external\"\nreason = \"another tool\"\n";
    env.write("small.toml", format!("{before}{backup}[projects]{projects}"));
    assert!(!runs_one(&env));
    assert!(kinds.iter().all(|kind| planned(&env, &definition(kind)).is_none()));
}

/// With any other key no volume is made.
#[test]
fn a_class_has_only_parameters_that_the_driver_knows() {
    let env = TestEnv::new();
    let class = "class = \"vmware-sc\"\n";
    let all =
        "policy = \"Gold\"\ndatastore_url = \"ds:///vmfs/volumes/1/\"\nfile_system = \"xfs\"\n";
    env.edit(class, &format!("{class}{all}"));
    let change = planned(&env, "cluster/StorageClass/vmware-sc").unwrap();
    let mut attributes = change["attributes"].as_array().unwrap().iter();
    let parameters = attributes.find(|attribute| attribute["path"] == "parameters").unwrap();
    let expected = json!({"csi.storage.k8s.io/fstype": "xfs", "storagepolicyname": "Gold",
        "datastoreurl": "ds:///vmfs/volumes/1/"});
    assert_eq!(parameters["after"], expected);
    env.edit("file_system", "fstype");
    let refused = env.expect(3, &["validate", "small.toml"]);
    assert!(refused.stdout.contains("fstype"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_named_by_its_product_serial_and_never_by_its_product_uuid() {
    let env = TestEnv::new();
    env.apply();
    let served = env.serve(0);
    let control = control(&env);
    let inventory = env.json(0, &["inventory", "--lab", "small.toml"]);
    let clusters = control.status().await.unwrap().clusters;
    for vm in inventory["vms"].as_array().unwrap() {
        let (name, uuid) = (vm["name"].as_str().unwrap(), vm["bios_uuid"].as_str().unwrap());
        let line = "cat /sys/class/dmi/id/product_uuid".to_owned();
        let action = HostAction::Run { line, stdin: String::new() };
        let product = control.at_host(name, &action).await.unwrap().stdout.to_lowercase();
        // Its first three groups are swapped, byte by byte; the rest is the same.
        assert_ne!(product.trim(), uuid);
        assert_eq!(product.trim()[18..], uuid[18..]);
        let node = clusters[0].nodes.iter().find(|node| node.name == name).unwrap();
        assert_eq!(node.provider_id, format!("vsphere://{uuid}"));
    }
    served.stop();
}

/// Of a class only expansion can be changed; volumes go on without it.
#[test]
fn a_class_is_made_anew_and_nothing_with_it() {
    let env = TestEnv::new();
    env.apply();
    env.edit(
        "class = \"vmware-sc\"\n",
        "class = \"vmware-sc\"\nbinding = \"WaitForFirstConsumer\"\n",
    );
    let plan = env.json(0, &["plan", "--lab", "small.toml"]);
    let changes = plan["changes"].as_array().unwrap();
    let [change] = &changes[..] else { panic!("{changes:#?}") };
    assert_eq!(change["address"], "cluster/StorageClass/vmware-sc");
    assert_eq!(change["action"], "replace");
    env.expect(0, &["apply", "--lab", "--yes", "small.toml"]);
    env.assert_settled();
}
