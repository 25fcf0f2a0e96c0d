//! Schemas of all JSON outputs, one file each.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

use super::{
    ApplyJson, DriftJson, ErrorJson, EventJson, GraphJson, ImportJson, InventoryJson, LabDriftJson,
    LabStatusJson, PlanJson, StateListJson, StateShowJson, ValidateJson,
};

/// File names below `schema/` and their content: JSON Schema, draft 2020-12.
pub fn schemas() -> Vec<(&'static str, Json)> {
    vec![
        ("apply.schema.json", schema::<ApplyJson>()),
        ("drift.schema.json", schema::<DriftJson>()),
        ("error.schema.json", schema::<ErrorJson>()),
        ("event.schema.json", schema::<EventJson>()),
        ("graph.schema.json", schema::<GraphJson>()),
        ("import.schema.json", schema::<ImportJson>()),
        ("inventory.schema.json", schema::<InventoryJson>()),
        ("lab-drift.schema.json", schema::<LabDriftJson>()),
        ("lab-status.schema.json", schema::<LabStatusJson>()),
        ("plan.schema.json", schema::<PlanJson>()),
        ("state-list.schema.json", schema::<StateListJson>()),
        ("state-show.schema.json", schema::<StateShowJson>()),
        ("validate.schema.json", schema::<ValidateJson>()),
    ]
}

/// What is written, rather than what could be read: keys that are always printed are required.
fn schema<T: JsonSchema>() -> Json {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<T>().to_value()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde::Serialize;
    use serde_json::json;

    use super::super::*;
    use super::*;
    use crate::apply::{Failure, Halted, Outcome, Report};
    use crate::diag::{Diagnostic, Level, Severity};
    use crate::plan::{Disk, DriftReport, Unread};
    use crate::render::fixture::{VM, drifted, everything, finding, place, review};
    use crate::resource::{Address, Attributes, Edge, EdgeKind, Endpoint};

    fn check(file: &str, output: &impl Serialize) -> Json {
        let (_, schema) = schemas().into_iter().find(|(name, _)| *name == file).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let output = serde_json::to_value(output).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&output).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{file}: {errors:?}");
        assert!(!validator.is_valid(&json!({})), "{file} takes anything");
        output
    }

    #[test]
    fn plan() {
        check("plan.schema.json", &plan_json(&review(Vec::new())));
        let plan = check("plan.schema.json", &plan_json(&everything()));
        assert_eq!(plan["summary"]["no_op"], 1);
        assert_eq!(plan["changes"].as_array().unwrap().len(), 3);
        assert_eq!(plan["refused"], true);
        assert_eq!(
            plan["changes"][0]["attributes"][0],
            json!({
                "path": "disk_uuid", "before": false, "after": true, "sensitive": false,
                "impact": "power-cycle", "cause": "drift", "origin": null,
            })
        );
        let attributes = &plan["changes"][2]["attributes"];
        assert_eq!((&attributes[0]["before"], &attributes[0]["after"]), (&Json::Null, &Json::Null));
        assert_eq!(attributes[1]["unknown_after"], "vsphere/vm/agent-5");
        assert_eq!(attributes[2]["removed"], true);
        assert_eq!(
            plan["changes"][2]["reasons"],
            json!([{"reason": "spec-changed"}, {"reason": "dependency", "address": "vsphere/vm/agent-5"}])
        );
        assert_eq!(plan["blocked"][2]["message"], "vsphere/vm/server-3");
    }

    #[test]
    fn no_secret_in_any_output() {
        let outputs = [json!(plan_json(&everything())), json!(drift_json(&drifted()))];
        for text in outputs.map(|output| output.to_string()) {
            assert!(!text.contains("hunter2") && !text.contains("sealed"), "{text}");
        }
    }

    #[test]
    fn drift() {
        let unread = vec![Unread { address: Address::from("a/b"), reason: "timeout".into() }];
        check("drift.schema.json", &drift_json(&DriftReport { unread, ..drifted() }));
        let drift = check("drift.schema.json", &drift_json(&drifted()));
        let gone = json!([{"path": "exists", "recorded": true, "live": false, "sensitive": false}]);
        assert_eq!(drift["drift"][1]["attributes"], gone);
    }

    #[test]
    fn validate() {
        let diagnostic = |severity, place| Diagnostic {
            severity,
            message: "unknown key".into(),
            label: "here".into(),
            help: "remove it".into(),
            place,
        };
        let warning = diagnostic(Severity::Warning, None);
        let error = diagnostic(Severity::Error, Some(place(3)));
        let findings = [finding("quorum", Level::Warn)];
        let output = validate_json(&[error], &findings);
        assert_eq!(check("validate.schema.json", &output)["valid"], false);
        let output = validate_json(&[warning], &findings);
        assert_eq!(check("validate.schema.json", &output)["valid"], true);
        assert!(!validate_json(&[], &[finding("quorum", Level::Deny)]).valid);
    }

    #[test]
    fn state() {
        let (vm, vcenter) = (Address::from("vsphere/vm/a"), Endpoint::vcenter());
        let item = StateItemJson { address: vm.to_string(), kind: "vsphere/vm", id: "5".into() };
        let list = StateListJson {
            name: "n".into(),
            lineage: "l".into(),
            serial: 1,
            resources: vec![item],
        };
        check("state-list.schema.json", &list);
        let recorded = Recorded {
            address: &vm,
            kind: VM,
            endpoint: &vcenter,
            id: "5",
            attributes: &Attributes::new(
                &json!({"cpus": 4, "password": "p", "auth": {"token": "t", "x": 1}}),
            ),
            outputs: &Attributes::new(&json!({"key": {"$sealed": "00"}})),
            edges: &[Edge { kind: EdgeKind::LivesIn, to: vm.clone() }],
            protected: false,
        };
        let shown = check("state-show.schema.json", &state_show_json(&recorded));
        assert_eq!(
            shown["attributes"],
            json!({"cpus": 4, "password": null, "auth": {"token": null, "x": 1}})
        );
        assert_eq!(shown["outputs"], json!({"key": null}));
        assert_eq!(shown["edges"], json!([{"kind": "lives-in", "to": "vsphere/vm/a"}]));
    }

    #[test]
    fn apply_and_its_events() {
        let address = Address::from("vsphere/vm/a");
        let outcome = Outcome { done: 1, failed: 1, skipped: 0, interrupted: false };
        let failures = vec![Failure { address, message: "no".into(), help: "retry".into() }];
        let halted = Halted { failed: vec!["a".into()], unreached: vec!["b".into()] };
        let report = Report { outcome, failures, halted: Some(halted), fatal: None };
        let disk = Disk {
            project: "acacia".into(),
            claim: "couchdb-claim0".into(),
            volume: "pvc-1".into(),
            id: None,
            size: "50Gi".into(),
            retained: true,
        };
        let output = check("apply.schema.json", &apply_json(&report, &[disk]));
        assert_eq!(output["disks_left"][0]["volume"], "pvc-1");
        assert_eq!(output["failures"][0]["help"], "retry");
        assert_eq!(output["halted"]["unreached"], json!(["b"]));
        for event in crate::render::progress::examples() {
            let output = check("event.schema.json", &EventJson::from(&event));
            let mut bare = output.clone();
            let project = bare.as_object_mut().unwrap().remove("project");
            assert_eq!(bare, serde_json::to_value(&event).unwrap());
            let of = output["address"].as_str().and_then(|text| text.strip_prefix("project/"));
            let expected = of.and_then(|text| text.split('/').next()).map(Json::from);
            assert_eq!(project, expected);
        }
    }

    #[test]
    fn inventory() {
        let output = check("inventory.schema.json", &crate::render::inventory::tests::small());
        let uuid = output["vms"][0]["bios_uuid"].as_str().unwrap();
        assert_eq!(output["vms"][0]["provider_id"], format!("vsphere://{uuid}"));
        assert_eq!(output["vms"][2]["exists"], false);
        assert_eq!(output["vms"][3]["exists"], Json::Null);
    }

    #[test]
    fn graph() {
        let drawing = crate::render::drawing::tests::small();
        let output = check("graph.schema.json", &graph_json(&drawing));
        assert_eq!(output["nodes"].as_array().unwrap().len(), 4);
        assert_eq!(output["edges"][2]["kinds"], json!(["refers", "lives-in"]));
        assert_eq!(output["edges"][0]["implied"], true);
    }

    #[test]
    fn import() {
        let change = everything().plan.changes.remove(0);
        let output = check("import.schema.json", &import_json(&change, "5005"));
        assert_eq!(output["id"], "5005");
        assert_eq!(output["attributes"][0]["path"], "disk_uuid");
    }

    #[test]
    fn lab_and_error() {
        let drifted = LabDriftedJson {
            address: "vsphere/vm/a".into(),
            attribute: "cpus".into(),
            before: json!(4),
            after: json!(8),
        };
        check("lab-drift.schema.json", &LabDriftJson { drifted: vec![drifted] });
        let status = LabStatusJson {
            name: "n".into(),
            served_at: None,
            objects: [("VirtualMachine".to_owned(), 14)].into(),
            sessions: LabSessionsJson {
                open: 1,
                total: 3,
                by_user: [("VSPHERE.LOCAL\\Administrator".to_owned(), 1)].into(),
                by_agent: [("boma/0.1.0".to_owned(), 1)].into(),
            },
            requests: Default::default(),
            running_tasks: 0,
            foreign_disks: vec![LabDiskJson { file: "[a] b.vmdk".into(), machine: None }],
            lost_disks: Vec::new(),
            faults: vec![LabFaultJson {
                host: None,
                method: None,
                nth: 1,
                times: 2,
                fault: json!({"slow_task": {"ms": 5}}),
            }],
            hosts: vec![LabHostJson {
                name: "server-1".into(),
                address: "10.20.0.11".into(),
                answers: true,
                port: Some(2222),
                boots: 1,
                connections: 2,
                commands: 3,
            }],
            clusters: vec![LabClusterJson {
                answers: true,
                voters: 1,
                nodes: vec![LabNodeJson {
                    name: "server-1".into(),
                    role: "server".into(),
                    ready: true,
                    cordoned: false,
                    version: "v1.35.9+k3s1".into(),
                    provider_id: "vsphere://1".into(),
                    member: "voter".into(),
                    pods: 0,
                }],
                snapshots: Vec::new(),
                workloads: vec![LabWorkloadsJson {
                    namespace: "kube-system".into(),
                    desired: 2,
                    ready: 1,
                    waiting: vec!["coredns-1: Pending".into()],
                }],
            }],
            digest: "00".into(),
        };
        check("lab-status.schema.json", &status);
        let error = FaultJson { message: "no".into(), help: None, code: 1 };
        check("error.schema.json", &ErrorJson { error });
    }

    #[test]
    fn schemas_are_documented() {
        for (file, schema) in schemas() {
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{file}");
            assert!(schema["title"].as_str().unwrap().starts_with("boma "), "{file}");
            assert!(schema["description"].is_string(), "{file}");
        }
    }
}
