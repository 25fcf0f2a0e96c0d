//! Disks of projects outlive their cluster, and projects go with their data only where they are
//! named.

use super::rig::{APPLY, Rig};

const DESTROY: &[&str] = &["destroy", "--lab", "--yes", "small.toml"];

/// Disks of the driver: file, and the machine that it hangs on.
fn disks(rig: &Rig) -> Vec<(String, bool)> {
    let disks = rig.status().foreign_disks.into_iter();
    let volumes = disks.filter(|disk| disk.file.contains("fcd/"));
    volumes.map(|disk| (disk.file, disk.machine.is_some())).collect()
}

#[test]
fn a_cluster_that_goes_leaves_its_disks() {
    let rig = Rig::applied();
    let before = disks(&rig);
    assert_eq!(before.len(), 6, "{before:?}");
    assert!(before.iter().all(|(_, hangs)| *hangs), "{before:?}");
    let refused = rig.env.expect(3, DESTROY);
    assert!(refused.stderr.contains("6 volumes hold data of county-01, county-02"), "{refused}");
    assert_eq!(disks(&rig), before);
    let gone = rig.env.expect(0, &[DESTROY, &["--keep-disks"]].concat());
    assert!(gone.stdout.contains("Left on the datastore"), "{gone}");
    assert!(gone.stdout.contains("county-01/couchdb-1-claim0  5Gi"), "{gone}");
    let left: Vec<_> = before.into_iter().map(|(file, _)| (file, false)).collect();
    assert_eq!(disks(&rig), left);
    assert_eq!(rig.status().lost_disks, []);
    let lists = rig.env.files("state/lab/small/state");
    let lists = lists.iter().filter(|path| path.to_string_lossy().contains("disks-"));
    assert_eq!(lists.count(), 1);
}

#[test]
fn a_project_that_is_given_up_goes_alone() {
    let rig = Rig::applied();
    let one = rig.env.expect(3, &[DESTROY, &["--abandon-data", "county-03"]].concat());
    assert!(one.stderr.contains("nothing stands of the project county-03"), "{one}");
    rig.env.expect(1, &[DESTROY, &["--abandon-data", "county-*"]].concat());
    rig.env.edit("count  = 2\nname   = \"county-{:02}\"", "names = [\"county-01\"]");
    let removed = rig.env.expect(0, APPLY);
    assert!(removed.stdout.contains("--abandon-data county-02"), "{removed}");
    let gone = rig.env.expect(0, &[DESTROY, &["--abandon-data", "county-02"]].concat());
    assert!(gone.stdout.contains("county-02/couchdb-3-claim0  5Gi"), "{gone}");
    assert_eq!(disks(&rig).iter().filter(|(_, hangs)| *hangs).count(), 3);
    assert_eq!(disks(&rig).len(), 6);
    rig.env.assert_settled();
    let again = rig.env.expect(3, &[DESTROY, &["--abandon-data", "county-02"]].concat());
    assert!(again.stderr.contains("nothing stands of the project county-02"), "{again}");
}
