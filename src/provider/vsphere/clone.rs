//! Making machines from a template.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::collect::{Query, Row, retrieve_one};
use super::failure::Failure;
use super::fault::Fault;
use super::inventory::{ENTITIES, Inventory};
use super::moref::MoRef;
use super::session::Session;
use super::spec::ConfigSpec;
use super::{guestinfo, locate, network, path, task, vm};
use crate::plan::Step;
use crate::provider::{Inputs, Run};
use crate::resource::{Mark, Reading};
use crate::xml::Element;

/// Clones the template and gives the new machine, powered off.
///
/// The mark is part of the clone from its first moment, so a run that is killed at any point finds
/// its own machine again.
///
/// # Errors
/// Any [`Failure`]; `Refused` where template, folder, pool, datastore or network are not there or
/// not unambiguous, and where another machine stands at the path.
pub async fn create(
    session: &Session,
    step: &Step,
    inputs: &Inputs,
    run: &dyn Run,
) -> Result<Reading, Failure> {
    let call = prepare(session, inputs).await?;
    let path = target(&inputs.attributes)?;
    match task::run(session, run, "clone", call).await {
        Ok(Some(vm)) => vm::read_reference(session, &vm).await,
        Ok(None) => Err(Failure::missing("CloneVM_Task", "result")),
        Err(Failure::Fault(Fault::DuplicateName { .. })) => {
            adopt(session, step, inputs.mark.as_ref(), run, &path).await
        }
        Err(failure) => Err(failure),
    }
}

/// Where the machine will stand.
///
/// # Errors
/// `Unexpected` where the inputs lack folder or name.
pub fn target(attributes: &Json) -> Result<String, Failure> {
    Ok(path::join(
        &path::normal(text(attributes, "folder")?),
        &path::encode(text(attributes, "name")?),
    ))
}

/// Something of that name is there, or is being made by a run that was interrupted: waits until it
/// can be read, and takes it if it bears the mark.
async fn adopt(
    session: &Session,
    step: &Step,
    mark: Option<&Mark>,
    run: &dyn Run,
    path: &str,
) -> Result<Reading, Failure> {
    let deadline = Instant::now() + Duration::from_secs(step.deadline_s);
    let mut delay = task::Delay::default();
    loop {
        let found = match locate::by_path(session, path).await? {
            Some(found) if found.kind != "VirtualMachine" => return Err(taken(path, &found.kind)),
            Some(found) => vm::read_reference(session, &found).await?,
            None => Reading::Absent,
        };
        match found {
            Reading::Present(object) if mark.is_some() && object.mark.as_ref() == mark => {
                return Ok(Reading::Present(object));
            }
            Reading::Present(object) => return Err(taken(path, &owner(object.mark.as_ref()))),
            Reading::Unread(reason) => {
                return Err(Failure::refused(format!("{path} is taken: {reason}"), "plan again"));
            }
            Reading::Absent => run.progress("waiting for the clone of an interrupted run"),
        }
        if Instant::now() >= deadline {
            return Err(Failure::later(
                format!("the name is taken, and nothing is to be seen at {path}"),
                "look at the tasks in vCenter: something of that name is being made or hidden from boma's account",
            ));
        }
        if !delay.pause(Some(run)).await {
            return Err(Failure::later("stopped while waiting for another clone", "apply again"));
        }
    }
}

fn owner(mark: Option<&Mark>) -> String {
    match mark {
        Some(mark) => format!(
            "VM that belongs to {} of the state with lineage {}",
            mark.address, mark.lineage
        ),
        None => "VM without boma's mark".into(),
    }
}

fn taken(path: &str, by: &str) -> Failure {
    Failure::refused(
        format!("at {path} stands a {by}"),
        "take it over with adopt in the spec, or rename one of the two",
    )
}

async fn prepare(session: &Session, inputs: &Inputs) -> Result<Element, Failure> {
    let attributes = &inputs.attributes;
    let inventory = load(session).await?;
    let folder_path = path::normal(text(attributes, "folder")?);
    let datacenter = inventory.datacenter_of(&folder_path)?;
    let folder = inventory.at(&folder_path).ok_or_else(|| {
        Failure::refused(
            format!("there is no folder {folder_path}"),
            "add it to the spec, or name one that is there",
        )
    })?;
    let template = inventory.choose(
        "template",
        &["VirtualMachine"],
        &datacenter,
        text(attributes, "template")?,
    )?;
    if !vm::is_template(template) {
        return Err(Failure::refused(
            format!("{} is a VM, not a template", text(attributes, "template")?),
            "convert it to a template in vCenter",
        ));
    }
    let pool = inventory.choose(
        "cluster or resource pool",
        POOLS,
        &datacenter,
        text(attributes, "pool")?,
    )?;
    let datastore = inventory.choose(
        "datastore",
        &["Datastore"],
        &datacenter,
        text(attributes, "datastore")?,
    )?;
    let row = retrieve_one(session, &template.object, DEVICES).await?;
    let devices = vm::devices(&row);
    let mut spec = config(attributes, inputs.mark.as_ref());
    spec.device_changes = devices
        .changes(attributes["disk_gib"].as_u64(), attributes["scsi_controllers"].as_u64())
        .map_err(|failure| of_template(failure, attributes))?;
    if let Some(name) = attributes["network"].as_str() {
        let row = inventory.choose("network", network::NETWORKS, &datacenter, name)?;
        let backing = network::backing(session, row).await?;
        spec.device_changes.push(network::change(devices, backing));
    }
    let placement = Placement { datastore: &datastore.object, pool: &pool_of(pool)? };
    Ok(call(&template.object, folder, &path::encode(text(attributes, "name")?), &placement, spec))
}

/// What is read of the template alone: devices are 10 kB a VM.
const DEVICES: &[&str] = &["config.hardware.device", "config.files.vmPathName"];

/// Says that it is the template that does not fit.
fn of_template(failure: Failure, attributes: &Json) -> Failure {
    let template = attributes["template"].as_str().unwrap_or_default();
    match failure {
        Failure::Refused { message, help, retry } => {
            Failure::Refused { message: format!("template {template}: {message}"), help, retry }
        }
        other => other,
    }
}

const POOLS: &[&str] = &["ClusterComputeResource", "ComputeResource", "ResourcePool"];

async fn load(session: &Session) -> Result<Inventory, Failure> {
    let kinds: Vec<&str> = ENTITIES.iter().filter(|kind| **kind != "HostSystem").copied().collect();
    let more: &[(&str, &[&str])] = &[
        ("VirtualMachine", &["config.template"]),
        ("ComputeResource", &["resourcePool"]),
        ("ClusterComputeResource", &["resourcePool"]),
        ("DistributedVirtualPortgroup", network::PORTGROUP),
    ];
    let (inventory, view) = Inventory::load(session, &kinds, more, Query::default()).await?;
    view.end(session).await;
    Ok(inventory)
}

fn config(attributes: &Json, mark: Option<&Mark>) -> ConfigSpec {
    let mut extra = guestinfo::entries(&attributes["cloud_init"]);
    if let Some(on) = attributes["disk_uuid"].as_bool() {
        extra.push((vm::DISK_UUID_KEY.to_owned(), if on { "TRUE" } else { "FALSE" }.to_owned()));
    }
    if let Some(mark) = mark {
        extra.push((vm::MARK_KEY.to_owned(), vm::mark_value(mark)));
    }
    ConfigSpec {
        cpus: attributes["cpus"].as_u64(),
        memory_mib: attributes["memory_mib"].as_u64(),
        memory_hot_add: attributes["memory_hot_add"].as_bool(),
        cpu_hot_add: attributes["cpu_hot_add"].as_bool(),
        extra,
        ..ConfigSpec::default()
    }
}

fn pool_of(row: &Row) -> Result<MoRef, Failure> {
    if row.object.kind == "ResourcePool" {
        return Ok(row.object.clone());
    }
    row.moref("resourcePool")
        .ok_or_else(|| Failure::missing("RetrievePropertiesEx", "resource pool of the cluster"))
}

struct Placement<'a> {
    datastore: &'a MoRef,
    pool: &'a MoRef,
}

fn call(
    template: &MoRef,
    folder: &MoRef,
    name: &str,
    placement: &Placement<'_>,
    config: ConfigSpec,
) -> Element {
    let location = Element::new("location")
        .push(placement.datastore.element("datastore"))
        .push(placement.pool.element("pool"));
    let spec = Element::new("spec")
        .push(location)
        .push(Element::with_text("template", "false"))
        .push(config.element("config"))
        .push(Element::with_text("powerOn", "false"));
    template
        .call("CloneVM_Task")
        .push(folder.element("folder"))
        .push(Element::with_text("name", name))
        .push(spec)
}

fn text<'a>(attributes: &'a Json, name: &str) -> Result<&'a str, Failure> {
    attributes[name].as_str().ok_or_else(|| {
        Failure::refused(
            format!("the spec does not say its {name}"),
            format!("set {name} of the machine"),
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::vsphere::testing::names;
    use crate::resource::Address;

    #[test]
    fn the_clone_carries_its_mark_and_follows_the_order_of_the_wsdl() {
        let mark = Mark { lineage: "abc".into(), address: Address::from("vsphere/vm/server-1") };
        let spec = config(&json!({"cpus": 4, "memory_mib": 8192, "disk_uuid": true}), Some(&mark));
        let placement = Placement {
            datastore: &MoRef::new("Datastore", "datastore-5"),
            pool: &MoRef::new("ResourcePool", "resgroup-8"),
        };
        let folder = MoRef::new("Folder", "group-v9");
        let call =
            call(&MoRef::new("VirtualMachine", "vm-1"), &folder, "server-1", &placement, spec);
        assert_eq!(names(&call), ["_this", "folder", "name", "spec"]);
        let spec = call.child("spec").unwrap();
        assert_eq!(names(spec), ["location", "template", "config", "powerOn"]);
        assert_eq!(names(spec.child("location").unwrap()), ["datastore", "pool"]);
        let config = spec.child("config").unwrap();
        assert_eq!(names(config), ["numCPUs", "memoryMB", "extraConfig", "extraConfig"]);
        let mark = config.children_named("extraConfig").last().unwrap();
        assert_eq!(mark.child_text("key"), Some("boma.mark"));
        assert_eq!(mark.child_text("value"), Some("abc vsphere/vm/server-1"));
        assert_eq!(spec.child_text("powerOn"), Some("false"));
    }

    #[test]
    fn names_are_encoded_in_the_path() {
        let attributes = json!({"folder": "DC1/vm/cht/", "name": "a/b"});
        assert_eq!(target(&attributes).unwrap(), "/DC1/vm/cht/a%2fb");
        assert!(target(&json!({})).unwrap_err().to_string().contains("folder"));
    }
}
