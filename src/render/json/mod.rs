//! JSON for scripts: one type for each output, its schema made of the same type. Keys are only
//! ever added; a script must ignore those it does not know.

mod apply;
mod drift;
mod error;
mod event;
mod finding;
mod graph;
mod import;
mod inventory;
mod lab;
mod names;
mod plan;
mod schema;
mod state;
mod validate;

pub use apply::{ApplyJson, DiskJson, FailureJson, HaltedJson, OutcomeJson, apply_json};
pub use drift::{DriftAttributeJson, DriftJson, DriftedJson, UnreadJson, drift_json};
pub use error::{ErrorJson, FaultJson};
pub use event::EventJson;
pub use finding::{FindingJson, PlaceJson};
pub use graph::{GraphJson, NeedJson, NodeJson, graph_json};
pub use import::{ImportJson, import_json};
pub use inventory::{
    DatastoreJson, HostJson, InventoryJson, NamedJson, RoleJson, VcenterJson, VmJson,
};
pub use lab::{
    LabClusterJson, LabDiskJson, LabDriftJson, LabDriftedJson, LabFaultJson, LabHostJson,
    LabNodeJson, LabSessionsJson, LabStatusJson, LabWorkloadsJson,
};
pub use plan::{
    AttributeJson, BlockedJson, ChangeJson, PlanJson, ReadJson, ReasonJson, RolloutJson, StepJson,
    SummaryJson, WaveJson, WindowJson, plan_json,
};
pub use schema::schemas;
pub use state::{EdgeJson, Recorded, StateItemJson, StateListJson, StateShowJson, state_show_json};
pub use validate::{DiagnosticJson, ValidateJson, validate_json};
