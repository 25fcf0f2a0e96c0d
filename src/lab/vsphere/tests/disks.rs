//! Disks that belong to no machine: attached, taken off, lost.

use super::super::disk::{attach, detach};
use super::super::status::status;
use super::client::Client;

const FILE: &str = "[vsanDatastore] fcd/volume-1.vmdk";

fn hang(client: &mut Client, path: &str, file: &str) -> Result<(), String> {
    let entry = attach(&client.desk.world, path, file)?;
    client.desk.world.apply(&entry);
    Ok(())
}

/// File and machine.
type Disk = (String, Option<String>);

/// The foreign disks, and of those that were deleted.
fn disks(client: &Client) -> (Vec<Disk>, Vec<Disk>) {
    let status = status(&client.desk);
    let pairs = |disks: Vec<crate::lab::StatusDisk>| {
        disks.into_iter().map(|disk| (disk.file, disk.machine)).collect()
    };
    (pairs(status.foreign_disks), pairs(status.lost_disks))
}

fn on(path: Option<&str>) -> Vec<Disk> {
    vec![(FILE.to_owned(), path.map(str::to_owned))]
}

#[test]
fn a_first_class_disk_is_hung_on_a_running_machine_and_told_from_its_own() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", true);
    hang(&mut client, "/DC1/vm/a", FILE).unwrap();
    let disk = "config.hardware.device[2001]";
    assert_eq!(client.text(&machine, &format!("{disk}.backing.fileName")), FILE);
    assert_eq!(client.text(&machine, &format!("{disk}.vDiskId.id")).len(), 36);
    assert_eq!(client.text(&machine, &format!("{disk}.controllerKey")), "1000");
    assert_eq!(disks(&client), (on(Some("/DC1/vm/a")), Vec::new()));
    for (path, file) in [
        ("/DC1/vm/none", FILE),
        ("/DC1/vm", FILE),
        ("/DC1/vm/a", FILE),
        ("/DC1/vm/a", "fcd/x.vmdk"),
        ("/DC1/vm/a", "[none] fcd/x.vmdk"),
    ] {
        assert!(hang(&mut client, path, file).is_err(), "{path} {file}");
    }
    for number in 3..16 {
        hang(&mut client, "/DC1/vm/a", &format!("[vsanDatastore] fcd/{number}.vmdk")).unwrap();
    }
    // 14 foreign disks and its own: a controller takes no more.
    let full = hang(&mut client, "/DC1/vm/a", "[vsanDatastore] fcd/16.vmdk").unwrap_err();
    assert!(full.contains("no free place"), "{full}");
}

#[test]
fn destroying_a_machine_deletes_foreign_disks_that_hang_on_it() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    hang(&mut client, "/DC1/vm/a", FILE).unwrap();
    client.task("Destroy_Task", &machine, "").unwrap();
    assert_eq!(disks(&client), (Vec::new(), on(Some("/DC1/vm/a"))));
}

#[test]
fn a_disk_that_is_taken_off_stays_and_can_be_attached_elsewhere() {
    let mut client = Client::new();
    let (a, b) = (client.clone_vm("a", "", false), client.clone_vm("b", "", true));
    hang(&mut client, "/DC1/vm/a", FILE).unwrap();
    let add = |file: &str| {
        format!(
            "<deviceChange><operation>add</operation><device xsi:type=\"VirtualDisk\"><key>-1</key>\
             <backing xsi:type=\"VirtualDiskFlatVer2BackingInfo\"><fileName>{file}</fileName>\
             <diskMode>persistent</diskMode></backing><controllerKey>1000</controllerKey>\
             <capacityInKB>0</capacityInKB></device></deviceChange>"
        )
    };
    let remove = |file: &str| {
        format!(
            "<deviceChange><operation>remove</operation>{file}<device xsi:type=\"VirtualDisk\">\
             <key>2001</key><capacityInKB>0</capacityInKB></device></deviceChange>"
        )
    };
    assert_eq!(client.reconfigure(&b, &add(FILE)), Err("FileLocked".to_owned()));
    assert_eq!(client.reconfigure(&b, &add("[vsanDatastore] x.vmdk")), Err("FileNotFound".into()));
    client.reconfigure(&a, &remove("")).unwrap();
    assert_eq!(disks(&client), (on(None), Vec::new()));
    client.task("Destroy_Task", &a, "").unwrap();
    client.reconfigure(&b, &add(FILE)).unwrap();
    assert_eq!(disks(&client), (on(Some("/DC1/vm/b")), Vec::new()));
    client.reconfigure(&b, &remove("<fileOperation>destroy</fileOperation>")).unwrap();
    assert_eq!(disks(&client), (Vec::new(), on(Some("/DC1/vm/b"))));
}

#[test]
fn a_clone_has_copies_of_foreign_disks_and_detaching_leaves_the_world_as_it_was() {
    let mut client = Client::new();
    client.clone_vm("a", "", false);
    hang(&mut client, "/DC1/vm/a", FILE).unwrap();
    let machine = client.at("/DC1/vm/a").unwrap();
    let parameters = client.clone_parameters("b", "", false);
    client.task("CloneVM_Task", &machine, &parameters).unwrap();
    assert_eq!(disks(&client).0, on(Some("/DC1/vm/a")));
    let entry = detach(&client.desk.world, "/DC1/vm/a", FILE).unwrap();
    client.desk.world.apply(&entry);
    assert_eq!(disks(&client).0, on(None));
    assert!(detach(&client.desk.world, "/DC1/vm/a", FILE).is_err());
}
