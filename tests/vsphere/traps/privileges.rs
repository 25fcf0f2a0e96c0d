//! Section 7, pain 10: what boma's own account must be allowed is known before the first write, and
//! it is enough.

use std::collections::{BTreeMap, BTreeSet};

use boma::lab::{AccountSetup, GrantSetup, Lab, Setup};

use super::real::{Real, world};

const BOMA: &str = r"VSPHERE.LOCAL\boma";
const READERS: &str = r"VSPHERE.LOCAL\readers";

/// Privileges by the path that they are held on.
type Grants = BTreeMap<String, BTreeSet<String>>;

/// A vCenter that is managed with these privileges, and may be read whole.
async fn managed_with(grants: &Grants) -> Real {
    let own = grants.iter().map(|(path, privileges)| GrantSetup {
        path: path.clone(),
        privileges: privileges.iter().cloned().collect(),
        propagate: !["/", "/DC1"].contains(&path.as_str()),
        group: None,
    });
    let group = Some(READERS.to_owned());
    let read = GrantSetup { path: "/".into(), propagate: true, group, ..GrantSetup::default() };
    let account = AccountSetup {
        principal: BOMA.into(),
        groups: vec![READERS.into()],
        grants: own.chain([read]).collect(),
    };
    let world = Setup { accounts: vec![account], ..world() };
    let password = Lab::password_of(world.seed, BOMA);
    let mut real = Real::with(world).await;
    real.env.manage(BOMA, &password);
    real
}

/// Adds what a command is refused for, as its plan tells; it changes nothing.
async fn learn(grants: &mut Grants, real: &Real, plan: &[&str], command: &[&str]) {
    let before = real.status().await.digest;
    real.run(3, command);
    assert_eq!(real.status().await.digest, before);
    let refused = real.run(3, &[plan, &["--format", "json"]].concat());
    let plan = refused.json();
    let findings = plan["findings"].as_array().unwrap().iter();
    let lacking = findings.filter(|finding| finding["rule"] == "privileges");
    let mut learnt = 0;
    for finding in lacking {
        let message = finding["message"].as_str().unwrap();
        let lacks = message.strip_prefix("boma's account lacks on ").unwrap();
        let (path, privileges) = lacks.split_once(": ").unwrap();
        // What is made later is not there to be granted on.
        let path = if path.starts_with("/DC1/vm/cht") { "/DC1/vm" } else { path };
        let privileges = privileges.split(", ").map(str::to_owned);
        grants.entry(path.to_owned()).or_default().extend(privileges);
        learnt += 1;
    }
    assert!(learnt > 0, "{refused}");
}

/// Every kind of change that a machine takes.
fn edit(real: &Real) {
    for (from, to) in [
        ("folder   = \"cht\"", "folder   = \"cht-2\"\nhardware_version = 19"),
        (
            "cpu_hot_add    = false\nmemory_hot_add = false",
            "cpu_hot_add    = true\nmemory_hot_add = true",
        ),
        ("cpus       = 4", "cpus       = 6\nscsi_controllers = 3"),
        (
            "memory     = \"8GiB\"\ndisk       = \"50GiB\"",
            "memory     = \"12GiB\"\ndisk       = \"60GiB\"",
        ),
        ("keep_apart = \"prefer\"", "keep_apart = \"require\""),
    ] {
        real.edit(from, to);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn privileges_that_are_asked_for_are_enough_and_known_before_the_first_write() {
    const APPLY: &[&str] = &["apply", "--yes", "--allow-disruption"];
    const DESTROY: &[&str] = &["destroy", "--yes"];
    const PLAN: &[&str] = &["plan"];
    let mut grants = Grants::new();
    let real = managed_with(&grants).await;
    learn(&mut grants, &real, PLAN, APPLY).await;
    real.rig.stop().await;

    let real = managed_with(&grants).await;
    real.run(0, APPLY);
    real.assert_settled();
    learn(&mut grants, &real, &["plan", "--destroy"], DESTROY).await;
    edit(&real);
    learn(&mut grants, &real, PLAN, APPLY).await;
    real.rig.stop().await;

    let real = managed_with(&grants).await;
    real.run(0, APPLY);
    edit(&real);
    real.run(0, APPLY);
    real.assert_settled();
    real.run(0, DESTROY);
    real.rig.stop().await;
}
