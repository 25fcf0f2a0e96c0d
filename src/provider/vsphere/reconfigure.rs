//! Changing machines that stand: name, folder, CPUs, memory, system disk, controllers, disk UUID,
//! virtual hardware.

use super::collect::{Row, retrieve_one};
use super::failure::Failure;
use super::fault::Fault;
use super::moref::MoRef;
use super::session::Session;
use super::spec::ConfigSpec;
use super::{locate, path, task, vm};
use crate::provider::{Inputs, Run};
use crate::resource::Reading;
use crate::xml::Element;

/// Writes the fields that are given, in a fixed order of tasks: name, folder, scheduled hardware of
/// a machine that is off, configuration. Hardware that cannot wait and power have steps of their
/// own.
///
/// # Errors
/// Any [`Failure`]; `ConcurrentAccess` where somebody else wrote meanwhile.
pub async fn update(session: &Session, inputs: &Inputs, run: &dyn Run) -> Result<Reading, Failure> {
    let vm = vm::of_step(session, inputs).await?.ok_or_else(gone)?;
    let row = retrieve_one(session, &vm, LIVE).await?;
    if let Some(call) = rename(inputs, &row) {
        task::run(session, run, "rename", call).await?;
    }
    if let Some(folder) = inputs.attributes["folder"].as_str() {
        let folder = locate::must(session, "folder", folder).await?;
        if row.moref("parent").as_ref() != Some(&folder) {
            let call = folder.call("MoveIntoFolder_Task").push(vm.element("list"));
            task::run(session, run, "move", call).await?;
        }
    }
    if let Some(version) = scheduled(inputs, &row).filter(|_| is_off(&row)) {
        raise(session, run, &vm, version).await?;
    }
    // Renaming writes the configuration too, so its version is read after that.
    let row = retrieve_one(session, &vm, LIVE).await?;
    let spec = changes(inputs, &row)?;
    if !spec.is_empty() {
        let call = vm.call("ReconfigVM_Task").push(spec.element("spec"));
        task::run(session, run, "reconfigure", call).await?;
    }
    vm::read_reference(session, &vm).await
}

/// Raises the virtual hardware to `hardware_version` exactly: without a version vCenter takes the
/// newest the host knows, which other hosts of the cluster may not run.
///
/// # Errors
/// Any [`Failure`].
pub async fn upgrade(
    session: &Session,
    inputs: &Inputs,
    run: &dyn Run,
) -> Result<Reading, Failure> {
    let vm = vm::of_step(session, inputs).await?.ok_or_else(gone)?;
    let version = inputs.attributes["hardware_version"].as_u64().ok_or_else(|| {
        Failure::refused(
            "the hardware version to upgrade to is not known",
            "set hardware_version in the spec",
        )
    })?;
    raise(session, run, &vm, version).await?;
    vm::read_reference(session, &vm).await
}

/// The failure of a step whose VM is not there.
pub fn gone() -> Failure {
    Failure::later("the VM is not there any more", "plan again: boma reads vCenter anew")
}

/// What is read just before writing.
const LIVE: &[&str] = &[
    "name",
    "parent",
    "runtime.powerState",
    "config.version",
    "config.changeVersion",
    "config.extraConfig",
    "config.hardware.device",
    "config.files.vmPathName",
];

fn rename(inputs: &Inputs, live: &Row) -> Option<Element> {
    let wanted = path::encode(inputs.attributes["name"].as_str()?);
    let found = path::segment(live.text("name")?);
    let call = live.object.call("Rename_Task");
    (wanted != found).then(|| call.push(Element::with_text("newName", wanted)))
}

async fn raise(session: &Session, run: &dyn Run, vm: &MoRef, version: u64) -> Result<(), Failure> {
    match task::run(session, run, "upgrade hardware", upgrade_call(vm, version)).await {
        Ok(_) | Err(Failure::Fault(Fault::AlreadyUpgraded)) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// The hardware version to schedule. `None` where none is asked for, or it is that new already.
fn scheduled(inputs: &Inputs, live: &Row) -> Option<u64> {
    let wanted = inputs.attributes["hardware_version_after_shutdown"].as_u64()?;
    vm::hardware_version(live).is_none_or(|found| found < wanted).then_some(wanted)
}

fn is_off(live: &Row) -> bool {
    live.text("runtime.powerState") == Some("poweredOff")
}

fn upgrade_call(vm: &MoRef, version: u64) -> Element {
    vm.call("UpgradeVM_Task").push(Element::with_text("version", format!("vmx-{version}")))
}

fn changes(inputs: &Inputs, live: &Row) -> Result<ConfigSpec, Failure> {
    let attributes = &inputs.attributes;
    let disk_uuid = attributes["disk_uuid"].as_bool();
    // A key that is there in another spelling is reset, not doubled.
    let key = vm::extra_config(live)
        .map(|(key, _)| key)
        .find(|key| key.eq_ignore_ascii_case(vm::DISK_UUID_KEY))
        .unwrap_or(vm::DISK_UUID_KEY);
    let extra = disk_uuid.map(|on| (key.to_owned(), if on { "TRUE" } else { "FALSE" }.to_owned()));
    let device_changes = vm::devices(live)
        .changes(attributes["disk_gib"].as_u64(), attributes["scsi_controllers"].as_u64())?;
    Ok(ConfigSpec {
        change_version: live.text("config.changeVersion").map(str::to_owned),
        // Switching on needs one form, the documented one; switching off needs both.
        disk_uuid_flag: disk_uuid.filter(|on| !on),
        cpus: attributes["cpus"].as_u64(),
        memory_mib: attributes["memory_mib"].as_u64(),
        memory_hot_add: attributes["memory_hot_add"].as_bool(),
        cpu_hot_add: attributes["cpu_hot_add"].as_bool(),
        device_changes,
        extra: extra.into_iter().collect(),
        scheduled_hardware: scheduled(inputs, live).filter(|_| !is_off(live)),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::provider::vsphere::testing::{names, property, row};
    use crate::resource::Locator;

    const EXTRA: &str = r#"<propSet><name>config.extraConfig</name><val><OptionValue><key>disk.enableUUID</key><value>FALSE</value></OptionValue></val></propSet>"#;

    fn spec(attributes: Json, extra: &str) -> Element {
        let inputs = Inputs {
            attributes,
            generated: Vec::new(),
            object: None,
            locator: Locator::default(),
            mark: None,
        };
        let live = row("VirtualMachine", "vm-1", &(property("config.changeVersion", "v7") + extra));
        changes(&inputs, &live).unwrap().element("spec")
    }

    #[test]
    fn only_given_fields_are_written_against_the_version_read() {
        let element = spec(json!({"cpus": 8}), "");
        assert_eq!(names(&element), ["changeVersion", "numCPUs"]);
        assert_eq!(element.child_text("changeVersion"), Some("v7"));
    }

    #[test]
    fn the_disk_uuid_key_keeps_its_spelling() {
        let on = spec(json!({"disk_uuid": true}), EXTRA);
        assert_eq!(names(&on), ["changeVersion", "extraConfig"]);
        let option = on.child("extraConfig").unwrap();
        assert_eq!(option.child_text("key"), Some("disk.enableUUID"));
        assert_eq!(option.child_text("value"), Some("TRUE"));
        let off = spec(json!({"disk_uuid": false}), "");
        assert_eq!(names(&off), ["changeVersion", "flags", "extraConfig"]);
        assert_eq!(off.child("extraConfig").unwrap().child_text("key"), Some("disk.EnableUUID"));
    }

    #[test]
    fn a_name_is_written_encoded_and_only_where_it_differs() {
        let call = |wanted, found| {
            let attributes = json!({ "name": wanted });
            let inputs = Inputs {
                attributes,
                generated: Vec::new(),
                object: None,
                locator: Locator::default(),
                mark: None,
            };
            rename(&inputs, &row("VirtualMachine", "vm-1", &property("name", found)))
        };
        assert_eq!(call("a/b", "a%2fb"), None);
        let call = call("a/b", "old").unwrap();
        assert_eq!(names(&call), ["_this", "newName"]);
        assert_eq!(call.child_text("newName"), Some("a%2fb"));
    }

    #[test]
    fn an_upgrade_is_scheduled_where_the_machine_runs_with_older_hardware() {
        let wanted = json!({"hardware_version_after_shutdown": 19});
        let live = |power: &str, version: &str| {
            property("runtime.powerState", power) + &property("config.version", version)
        };
        let check = |power, version, expected: &[&str]| {
            assert_eq!(names(&spec(wanted.clone(), &live(power, version))), expected);
        };
        let written = ["changeVersion", "scheduledHardwareUpgradeInfo"];
        check("poweredOn", "vmx-15", &written);
        check("poweredOn", "vmx-19", &written[..1]);
        check("poweredOff", "vmx-15", &written[..1]);
    }

    #[test]
    fn an_upgrade_names_its_version() {
        let call = upgrade_call(&MoRef::new("VirtualMachine", "vm-1"), 15);
        assert_eq!(names(&call), ["_this", "version"]);
        assert_eq!(call.child_text("version"), Some("vmx-15"));
    }
}
