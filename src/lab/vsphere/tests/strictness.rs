//! What vpxd refuses before it looks at the world.

use super::client::Client;

#[track_caller]
fn refuse(method: &str, this: &str, parameters: &str, kind: &str, words: &str) {
    let mut client = Client::new();
    let template = client.at("/DC1/vm/ubuntu-22.04").unwrap();
    let this = this.replace("TEMPLATE", &template);
    let (found, text) = client.fault(method, &this, parameters);
    assert!(found == kind && text.contains(words), "{found}: {text}");
}

#[test]
fn elements_out_of_order_are_refused() {
    refuse(
        "ReconfigVM_Task",
        "TEMPLATE",
        "<spec><memoryMB>4096</memoryMB><numCPUs>4</numCPUs></spec>",
        "InvalidRequest",
        "Unexpected element tag \"numCPUs\" seen",
    );
    refuse(
        "Login",
        "SessionManager:SessionManager",
        "<password>x</password><userName>y</userName>",
        "InvalidRequest",
        "Unexpected element tag \"userName\"",
    );
}

#[test]
fn unknown_repeated_and_missing_elements_are_refused() {
    refuse(
        "ReconfigVM_Task",
        "TEMPLATE",
        "<spec><cpus>4</cpus></spec>",
        "InvalidRequest",
        "\"cpus\"",
    );
    refuse(
        "ReconfigVM_Task",
        "TEMPLATE",
        "<spec><numCPUs>4</numCPUs><numCPUs>4</numCPUs></spec>",
        "InvalidRequest",
        "more than once",
    );
    refuse("CreateFolder", "Folder:group-d1", "", "InvalidRequest", "Required property name");
    refuse(
        "RetrievePropertiesEx",
        "PropertyCollector:propertyCollector",
        "<specSet><propSet><type>Folder</type></propSet><objectSet><obj type=\"Folder\">group-d1</obj></objectSet></specSet>",
        "InvalidRequest",
        "Required property options",
    );
}

#[test]
fn polymorphic_fields_need_their_type() {
    let device = |typed: &str| {
        format!(
            "<spec><deviceChange><operation>add</operation><device{typed}><key>-1</key><busNumber>1</busNumber>\
                 <sharedBus>noSharing</sharedBus></device></deviceChange></spec>"
        )
    };
    refuse("ReconfigVM_Task", "TEMPLATE", &device(""), "InvalidRequest", "\"busNumber\"");
    refuse(
        "ReconfigVM_Task",
        "TEMPLATE",
        &device(" xsi:type=\"OptionValue\""),
        "InvalidRequest",
        "is not a VirtualDevice",
    );
    refuse(
        "ReconfigVM_Task",
        "TEMPLATE",
        "<spec><extraConfig><key>a</key><value>b</value></extraConfig></spec>",
        "InvalidRequest",
        "no xsi:type",
    );
    let mut client = Client::new();
    let machine = client.clone_vm("a", "", false);
    let whole = device(" xsi:type=\"ParaVirtualSCSIController\"");
    client.task("ReconfigVM_Task", &machine, &whole).unwrap();
}

#[test]
fn values_must_be_of_their_type() {
    refuse(
        "ReconfigVM_Task",
        "TEMPLATE",
        "<spec><numCPUs>four</numCPUs></spec>",
        "InvalidRequest",
        "type int",
    );
    refuse(
        "ReconfigVM_Task",
        "TEMPLATE",
        "<spec><deviceChange><operation>replace</operation><device xsi:type=\"VirtualDisk\"><key>1</key><capacityInKB>1</capacityInKB></device></deviceChange></spec>",
        "InvalidRequest",
        "VirtualDeviceConfigSpecOperation",
    );
}

#[test]
fn what_is_not_simulated_is_refused_not_ignored() {
    refuse(
        "ReconfigVM_Task",
        "TEMPLATE",
        "<spec><firmware>efi</firmware></spec>",
        "NotSupported",
        "config.firmware",
    );
    refuse(
        "ReconfigVM_Task",
        "TEMPLATE",
        "<spec><bootOptions/></spec>",
        "NotSupported",
        "VirtualMachineBootOptions",
    );
    refuse("SuspendVM_Task", "TEMPLATE", "", "NotSupported", "SuspendVM_Task");
}

#[test]
fn calls_on_the_wrong_or_a_missing_object_are_refused() {
    refuse(
        "CreateFolder",
        "TEMPLATE",
        "<name>a</name>",
        "InvalidRequest",
        "not implemented by VirtualMachine",
    );
    refuse(
        "CreateFolder",
        "Folder:group-v1",
        "<name>a</name>",
        "ManagedObjectNotFound",
        "group-v1",
    );
    refuse("CurrentTime", "ServiceInstance:x", "", "ManagedObjectNotFound", "ServiceInstance:x");
    let mut client = Client::new();
    let (ok, fault) = client.send("<a/>");
    assert!(!ok && fault.child_text("faultstring").unwrap().contains("envelope"));
}

#[test]
fn calls_without_a_session_are_refused() {
    let mut client = Client::new();
    client.ok("Logout", "SessionManager:SessionManager", "");
    let (kind, _) = client.fault("CurrentTime", "ServiceInstance:ServiceInstance", "");
    assert_eq!(kind, "NotAuthenticated");
    let content = client.ok("RetrieveServiceContent", "ServiceInstance:ServiceInstance", "");
    let about = content.child("returnval").unwrap().child("about").unwrap();
    assert_eq!(about.child_text("apiType"), Some("VirtualCenter"));
}

#[test]
fn five_wrong_passwords_lock_an_account_for_five_minutes() {
    let mut client = Client::new();
    let wrong = "<userName>cht-storage@vsphere.local</userName><password>no</password>";
    for _ in 0..5 {
        let (kind, _) = client.fault("Login", "SessionManager:SessionManager", wrong);
        assert_eq!(kind, "InvalidLogin");
    }
    let right = wrong.replace(
        "no<",
        &format!("{}<", crate::lab::Lab::password_of(7, r"VSPHERE.LOCAL\cht-storage")),
    );
    let (kind, _) = client.fault("Login", "SessionManager:SessionManager", &right);
    assert_eq!(kind, "InvalidLogin");
    client.now += 5 * 60 * 1000;
    client.ok("Login", "SessionManager:SessionManager", &right);
}
