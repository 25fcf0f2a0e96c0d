//! Everything goes, and the world is as it was.

use super::rig::{APPLY, Rig};

#[test]
fn leaves_no_trace() {
    let rig = Rig::new();
    rig.env.without_projects();
    let before = rig.status();
    rig.env.apply();
    assert_ne!(rig.status().digest, before.digest);
    rig.env.edit("v1.35.9+k3s1", "v1.36.3+k3s1");
    rig.env.expect(0, APPLY);
    rig.env.expect(0, &["destroy", "--lab", "--keep-disks", "--yes", "small.toml"]);
    let after = rig.status();
    assert_eq!(after.digest, before.digest);
    assert_eq!(after.hosts, []);
    assert_eq!(after.inventory, before.inventory);
    let list = rig.env.expect(0, &["state", "list", "--lab", "small.toml"]);
    assert_eq!(list.stdout, "");
}
