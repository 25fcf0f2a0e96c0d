//! Clone, reconfigure, upgrade, power.

use super::client::Client;

#[test]
fn a_clone_has_its_own_identity_and_the_given_configuration() {
    let mut client = Client::new();
    let config = "<config><annotation>made by a test</annotation><numCPUs>4</numCPUs><memoryMB>8192</memoryMB>\
        <extraConfig xsi:type=\"OptionValue\"><key>guestinfo.metadata</key><value xsi:type=\"xsd:string\">local-hostname: server-1\n\
        addresses: [10.20.0.11/24]</value></extraConfig></config>";
    let machine = client.clone_vm("server-1", config, true);
    let template = client.at("/DC1/vm/ubuntu-22.04").unwrap();
    assert_eq!(client.text(&machine, "config.hardware.memoryMB"), "8192");
    assert_eq!(client.text(&machine, "guest.ipAddress"), "10.20.0.11");
    assert_eq!(client.text(&machine, "guest.hostName"), "server-1");
    assert_eq!(client.text(&machine, "config.template"), "false");
    for path in ["config.uuid", "config.instanceUuid", "config.hardware.device[4000].macAddress"] {
        assert_ne!(client.text(&machine, path), client.text(&template, path), "{path}");
    }
}

#[test]
fn ids_do_not_depend_on_the_order_of_requests_and_are_never_used_twice() {
    let (mut one, mut two) = (Client::new(), Client::new());
    let (a, b) = (one.clone_vm("a", "", false), one.clone_vm("b", "", false));
    let (b2, a2) = (two.clone_vm("b", "", false), two.clone_vm("a", "", false));
    assert_eq!((&a, &b), (&a2, &b2));
    one.task("Destroy_Task", &a, "").unwrap();
    assert_ne!(one.clone_vm("a", "", false), a);
}

#[test]
fn a_template_needs_a_pool_and_a_free_name() {
    let mut client = Client::new();
    let template = client.at("/DC1/vm/ubuntu-22.04").unwrap();
    let folder = client.reference("folder", "/DC1/vm");
    let body = format!(
        "{folder}<name>a</name><spec><location/><template>false</template><powerOn>false</powerOn></spec>"
    );
    assert_eq!(client.fault("CloneVM_Task", &template, &body).0, "InvalidArgument");
    let body = client.clone_parameters("ubuntu-22.04", "", false);
    assert_eq!(client.fault("CloneVM_Task", &template, &body).0, "DuplicateName");
    client.settings.task_delay_ms = 1000;
    let body = client.clone_parameters("a", "", false);
    client.ok("CloneVM_Task", &template, &body);
    assert_eq!(client.fault("CloneVM_Task", &template, &body).0, "DuplicateName");
}

#[test]
fn a_stale_change_version_is_refused() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    let version = client.text(&machine, "config.changeVersion");
    let spec = format!("<changeVersion>{version}</changeVersion><numCPUs>4</numCPUs>");
    client.reconfigure(&machine, &spec).unwrap();
    assert_eq!(client.reconfigure(&machine, &spec), Err("ConcurrentAccess".to_owned()));
}

#[test]
fn processors_and_memory_need_the_power_off_or_hot_add() {
    let mut client = Client::new();
    let cold = client.clone_vm("cold", "", true);
    assert_eq!(
        client.reconfigure(&cold, "<numCPUs>4</numCPUs>"),
        Err("InvalidPowerState".to_owned())
    );
    let config = "<config><memoryHotAddEnabled>true</memoryHotAddEnabled><cpuHotAddEnabled>true</cpuHotAddEnabled></config>";
    let hot = client.clone_vm("hot", config, true);
    client.reconfigure(&hot, "<numCPUs>4</numCPUs><memoryMB>4096</memoryMB>").unwrap();
    assert_eq!(
        client.reconfigure(&hot, "<memoryMB>2048</memoryMB>"),
        Err("InvalidPowerState".to_owned())
    );
    assert_eq!(
        client.reconfigure(&hot, "<memoryMB>4097</memoryMB>"),
        Err("InvalidArgument".to_owned())
    );
}

#[test]
fn the_two_forms_of_the_disk_uuid_setting_are_one() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", true);
    let option = |key: &str, value: &str| {
        format!(
            "<extraConfig xsi:type=\"OptionValue\"><key>{key}</key><value xsi:type=\"xsd:string\">{value}</value></extraConfig>"
        )
    };
    let before = client.get(&machine, "config.extraConfig").unwrap().children.len();
    client.reconfigure(&machine, &option("disk.enableuuid", "TRUE")).unwrap();
    assert_eq!(client.text(&machine, "config.flags.diskUuidEnabled"), "true");
    client.reconfigure(&machine, &option("disk.EnableUUID", "")).unwrap();
    assert_eq!(client.text(&machine, "config.flags.diskUuidEnabled"), "false");
    let keys = client.get(&machine, "config.extraConfig").unwrap().children.len();
    assert_eq!(keys, before, "only what it had");
    client.reconfigure(&machine, "<flags><diskUuidEnabled>true</diskUuidEnabled></flags>").unwrap();
    let option = client.get(&machine, "config.extraConfig[\"disk.EnableUUID\"]").unwrap();
    assert_eq!(option.child_text("value"), Some("TRUE"));
}

#[test]
fn controllers_and_disks_are_added_and_disks_only_grow() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", true);
    let controller = |bus: u8| {
        format!(
            "<deviceChange><operation>add</operation><device xsi:type=\"ParaVirtualSCSIController\"><key>-10{bus}</key>\
                 <busNumber>{bus}</busNumber><sharedBus>noSharing</sharedBus></device></deviceChange>"
        )
    };
    client.reconfigure(&machine, &format!("{}{}", controller(1), controller(2))).unwrap();
    assert_eq!(client.text(&machine, "config.hardware.device[1002].busNumber"), "2");
    assert_eq!(client.reconfigure(&machine, &controller(1)), Err("InvalidDeviceSpec".to_owned()));
    assert_eq!(client.reconfigure(&machine, &controller(4)), Err("InvalidDeviceSpec".to_owned()));
    let size = |kib: u64| {
        format!(
            "<deviceChange><operation>edit</operation><device xsi:type=\"VirtualDisk\"><key>2000</key><capacityInKB>{kib}</capacityInKB>\
                 </device></deviceChange>"
        )
    };
    client.reconfigure(&machine, &size(50 << 20)).unwrap();
    assert_eq!(client.reconfigure(&machine, &size(40 << 20)), Err("InvalidDeviceSpec".to_owned()));
    assert_eq!(
        client.text(&machine, "config.hardware.device[2000].capacityInKB"),
        (50 << 20).to_string()
    );
}

#[test]
fn hardware_goes_up_with_the_power_off() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", true);
    let version = "<version>vmx-15</version>";
    let power = Err("InvalidPowerState".to_owned());
    assert_eq!(client.task("UpgradeVM_Task", &machine, version), power);
    assert_eq!(client.task("PowerOnVM_Task", &machine, ""), power);
    assert_eq!(client.task("Destroy_Task", &machine, ""), power);
    client.task("PowerOffVM_Task", &machine, "").unwrap();
    assert_eq!(client.task("PowerOffVM_Task", &machine, ""), power);
    client.task("UpgradeVM_Task", &machine, version).unwrap();
    assert_eq!(client.text(&machine, "config.version"), "vmx-15");
    assert_eq!(client.task("UpgradeVM_Task", &machine, version), Err("AlreadyUpgraded".to_owned()));
    let older = "<version>vmx-14</version>";
    assert_eq!(client.task("UpgradeVM_Task", &machine, older), Err("AlreadyUpgraded".to_owned()));
}

#[test]
fn a_scheduled_upgrade_happens_at_the_next_power_cycle() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", true);
    let info = "<scheduledHardwareUpgradeInfo><upgradePolicy>always</upgradePolicy><versionKey>vmx-17</versionKey></scheduledHardwareUpgradeInfo>";
    client.reconfigure(&machine, info).unwrap();
    client.ok("ShutdownGuest", &machine, "");
    assert_eq!(client.text(&machine, "runtime.powerState"), "poweredOff");
    client.task("PowerOnVM_Task", &machine, "").unwrap();
    assert_eq!(client.text(&machine, "config.version"), "vmx-17");
}

#[test]
fn a_new_disk_may_hang_on_a_controller_of_the_same_request() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    let add = "<deviceChange><operation>add</operation><device xsi:type=\"ParaVirtualSCSIController\"><key>-101</key>\
        <busNumber>1</busNumber><sharedBus>noSharing</sharedBus></device></deviceChange>\
        <deviceChange><operation>add</operation><fileOperation>create</fileOperation><device xsi:type=\"VirtualDisk\"><key>-102</key>\
        <controllerKey>-101</controllerKey><capacityInKB>1048576</capacityInKB></device></deviceChange>";
    client.reconfigure(&machine, add).unwrap();
    assert_eq!(client.text(&machine, "config.hardware.device[2001].controllerKey"), "1001");
    let remove = "<deviceChange><operation>remove</operation><device xsi:type=\"ParaVirtualSCSIController\"><key>1001</key>\
        <busNumber>1</busNumber><sharedBus>noSharing</sharedBus></device></deviceChange>";
    assert_eq!(client.reconfigure(&machine, remove), Err("InvalidDeviceSpec".to_owned()));
}

#[test]
fn a_clone_can_be_put_on_another_network() {
    let mut client = Client::new();
    let network = client.reference("network", "/DC1/network/Other");
    let config = format!(
        "<config><deviceChange><operation>edit</operation><device xsi:type=\"VirtualVmxnet3\"><key>4000</key>\
         <backing xsi:type=\"VirtualEthernetCardNetworkBackingInfo\"><deviceName>Other</deviceName>{network}</backing></device></deviceChange></config>"
    );
    let machine = client.clone_vm("a", &config, false);
    let networks = client.get(&machine, "network").unwrap();
    assert!(network.contains(&networks.children[0].text));
}

#[test]
fn a_change_is_made_whole_or_not_at_all() {
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    let spec =
        "<annotation>new</annotation><numCPUs>3</numCPUs><numCoresPerSocket>2</numCoresPerSocket>";
    assert_eq!(client.reconfigure(&machine, spec), Err("InvalidArgument".to_owned()));
    assert_eq!(client.text(&machine, "config.annotation"), "");
}

#[test]
fn a_clone_publishes_its_host_key_while_it_runs_where_its_user_data_says_so() {
    let mut client = Client::new();
    let config = "<config><extraConfig xsi:type=\"OptionValue\"><key>guestinfo.userdata</key>\
        <value xsi:type=\"xsd:string\">info-set guestinfo.boma.hostkey</value></extraConfig></config>";
    let (told, silent) = (client.clone_vm("a", config, false), client.clone_vm("b", "", false));
    let key = |client: &mut Client, machine: &str| {
        client
            .get(machine, "config.extraConfig[\"guestinfo.boma.hostkey\"]")
            .map(|option| option.child_text("value").unwrap_or_default().to_owned())
    };
    assert_eq!(key(&mut client, &told), None);
    for machine in [&told, &silent] {
        client.task("PowerOnVM_Task", machine, "").unwrap();
    }
    assert!(key(&mut client, &told).unwrap().starts_with("SHA256:"));
    assert_eq!(key(&mut client, &silent), None);
    client.task("PowerOffVM_Task", &told, "").unwrap();
    assert_eq!(key(&mut client, &told), None);
}
