//! What the engine would hand to the provider.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use boma::plan::{Operation, Step};
use boma::provider::vsphere::Vcenter;
use boma::provider::{Act, Inputs, Provider as _, ProviderError, Run, Wanted};
use boma::resource::{Address, Attributes, Condition, Endpoint, Kind, Locator, Mark, Object};
use serde_json::{Value as Json, json};

/// The account that CPI and CSI log in with.
pub const STORAGE: &str = r"VSPHERE.LOCAL\cht-storage";

/// One resource as the engine would hand it to the provider.
#[derive(Clone)]
pub struct Subject {
    pub address: Address,
    pub kind: Kind,
    pub locator: Locator,
    pub object: Option<Object>,
    pub mark: Option<Mark>,
}

impl Subject {
    pub fn new(kind: &str, name: &str, place: Json) -> Self {
        let address = Address::of(kind, name);
        let mark = Mark { lineage: "lineage-1".into(), address: address.clone() };
        let mark = (kind == "vsphere/vm").then_some(mark);
        Self {
            address,
            kind: Kind::named(kind).unwrap(),
            locator: Locator {
                place: Attributes::new(&place),
                mark: mark.clone(),
                ..Locator::default()
            },
            object: None,
            mark,
        }
    }

    pub fn vm(name: &str) -> Self {
        Self::new("vsphere/vm", name, json!({"path": format!("/DC1/vm/cht/{name}")}))
    }

    pub fn role(name: &str) -> Self {
        Self::new("vsphere/role", name, json!({"name": name}))
    }

    pub fn permission(name: &str, entity: &str) -> Self {
        Self::new("vsphere/permission", name, json!({"entity": entity, "principal": STORAGE}))
    }

    pub fn known(mut self, object: Object) -> Self {
        self.locator.id = Some(object.id.clone());
        self.object = Some(object);
        self
    }

    pub fn noted(mut self, notes: Vec<Json>) -> Self {
        self.locator.notes = notes;
        self
    }

    pub fn wanted(&self) -> Wanted {
        Wanted { address: self.address.clone(), kind: self.kind, locator: self.locator.clone() }
    }

    pub async fn act(
        &self,
        vcenter: &Vcenter,
        run: &Notes,
        operation: Operation,
        attributes: Json,
    ) -> Act {
        let step = Step {
            address: self.address.clone(),
            kind: self.kind,
            endpoint: Endpoint::vcenter(),
            operation,
            fields: Vec::new(),
            guard: None,
            guard_s: 0,
            done: Condition::Exists,
            deadline_s: 30,
        };
        let inputs = Inputs {
            attributes,
            generated: Vec::new(),
            object: self.object.clone(),
            locator: self.locator.clone(),
            mark: self.mark.clone(),
        };
        vcenter.act(&step, &inputs, run).await
    }
}

/// A run that keeps what it is told, and can be asked to stop at its first task.
#[derive(Default)]
pub struct Notes {
    pub notes: Mutex<Vec<Json>>,
    stop_at_note: bool,
    stopping: AtomicBool,
}

impl Notes {
    /// A run that is asked to stop once it has noted a task.
    pub fn stopping() -> Self {
        Self { stop_at_note: true, ..Self::default() }
    }
}

impl Run for Notes {
    fn note(&self, data: Json) -> Result<(), ProviderError> {
        let is_task = data.get("task").is_some();
        self.notes.lock().unwrap().push(data);
        self.stopping.store(self.stop_at_note && is_task, Ordering::Relaxed);
        Ok(())
    }

    fn progress(&self, _text: &str) {}

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// The inputs of a machine of that name.
pub fn machine(name: &str) -> Json {
    json!({
        "name": name,
        "folder": "/DC1/vm/cht",
        "template": "ubuntu-22.04",
        "datastore": "vsanDatastore",
        "network": "Other",
        "pool": "Cluster1",
        "cpus": 4,
        "memory_mib": 8192,
        "cpu_hot_add": true,
        "memory_hot_add": false,
        "disk_gib": 50,
        "disk_uuid": true,
        "scsi_controllers": 2,
        "hardware_version": 15,
        "power": "on",
        "cloud_init": {"metadata": metadata(name), "userdata": r#"{"ssh_deletekeys":true}"#},
    })
}

fn metadata(name: &str) -> String {
    let card = json!({"match": {"name": "e*"}, "addresses": ["10.20.0.77/24"]});
    let network = json!({"version": 2, "ethernets": {"node": card}});
    json!({"instance-id": name, "local-hostname": format!("{name}-guest"), "network": network})
        .to_string()
}
