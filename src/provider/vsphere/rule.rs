//! `vsphere/rule`: anti-affinity rules of clusters.

use serde_json::{Value as Json, json};

use super::collect::{Row, retrieve_one};
use super::failure::Failure;
use super::fault::Fault;
use super::inventory::Inventory;
use super::moref::MoRef;
use super::session::Session;
use super::{locate, task};
use crate::provider::{Inputs, Run};
use crate::resource::{Attributes, Locator, Object, Reading};
use crate::xml::Element;

/// What is read of a cluster beside name and parent.
pub const PROPERTIES: &[&str] = &["configurationEx.rule"];
/// The type of cluster that has rules.
pub const CLUSTER: &str = "ClusterComputeResource";

const ANTI_AFFINITY: &str = "ClusterAntiAffinityRuleSpec";

/// What vCenter says where the edition in use has no DRS.
const UNLICENSED: &[&str] =
    &["LicenseRestricted", "NotEnoughLicenses", "InvalidLicense", "LicenseExpired", "NotSupported"];

/// A `ClusterRuleInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    key: String,
    name: String,
    /// Of the kind that boma writes.
    keeps_apart: bool,
    enabled: bool,
    mandatory: bool,
    in_compliance: bool,
    vms: Vec<String>,
}

impl Rule {
    fn of(element: &Element) -> Option<Self> {
        let is = |name: &str| element.child_text(name) == Some("true");
        let vms = element.children_named("vm").filter_map(MoRef::of);
        let mut vms: Vec<String> = vms.map(|vm| vm.value).collect();
        vms.sort();
        Some(Self {
            key: element.child_text("key")?.to_owned(),
            name: element.child_text("name")?.to_owned(),
            keeps_apart: element.xsi_type() == Some(ANTI_AFFINITY),
            enabled: is("enabled"),
            mandatory: is("mandatory"),
            in_compliance: is("inCompliance"),
            vms,
        })
    }

    fn reading(&self, cluster: &MoRef, path: &str) -> Reading {
        if !self.keeps_apart {
            return Reading::Unread(format!(
                "{path} has a rule {} of another type; rename one of the two",
                self.name
            ));
        }
        Reading::Present(Object {
            id: format!("{}/{}", cluster.value, self.key),
            attributes: Attributes::new(&json!({
                "name": self.name,
                "cluster": path,
                "vms": self.vms,
                "mandatory": self.mandatory,
                "enabled": self.enabled,
                "key": self.key,
                "in_compliance": self.in_compliance,
            })),
            mark: None,
        })
    }
}

/// Finds the rule of an address among the clusters of an inventory: by recorded id, else by place.
pub fn find(locator: &Locator, inventory: &Inventory) -> Reading {
    let recorded = locator.id.as_deref().and_then(parse_id);
    if let Some((cluster, key)) = recorded
        && let Some(path) = inventory.path(&cluster)
        && let Some(rule) = inventory.row(&cluster).and_then(|row| with_key(row, &key))
    {
        return rule.reading(&cluster, &path);
    }
    let place = locator.place.tree();
    let at = place["cluster"].as_str().and_then(|path| inventory.at(path));
    let Some((cluster, path)) = at.and_then(|at| Some((at, inventory.path(at)?))) else {
        return Reading::Absent;
    };
    let rule = inventory.row(cluster).and_then(|row| named(row, place["name"].as_str()?));
    rule.map_or(Reading::Absent, |rule| rule.reading(cluster, &path))
}

/// Reads one address with calls of its own.
///
/// # Errors
/// Any [`Failure`].
pub async fn read_one(session: &Session, locator: &Locator) -> Result<Reading, Failure> {
    let cluster = match locator.id.as_deref().and_then(parse_id) {
        Some((cluster, _)) => cluster,
        None => {
            let place = locator.place.tree();
            let Some(path) = place["cluster"].as_str() else { return Ok(Reading::Absent) };
            match locate::by_path(session, path).await? {
                Some(cluster) if cluster.kind == CLUSTER => cluster,
                _ => return Ok(Reading::Absent),
            }
        }
    };
    match Inventory::climb(session, &cluster, PROPERTIES, &[]).await {
        Ok(inventory) => Ok(find(locator, &inventory)),
        Err(failure) if failure.is_gone() => Ok(Reading::Absent),
        Err(failure) => Err(failure),
    }
}

/// Makes a rule, or writes all of one that is there: vCenter drops a rule whose machines go.
///
/// # Errors
/// Any [`Failure`]; `Refused` where DRS is not licensed.
pub async fn write(session: &Session, inputs: &Inputs, run: &dyn Run) -> Result<Reading, Failure> {
    let cluster = cluster_of(session, inputs).await?;
    let row = retrieve_one(session, &cluster, PROPERTIES).await?;
    let live = live(&row, inputs);
    let change = change(live.as_ref(), inputs)?;
    task::run(session, run, "write the rule", call(&cluster, change)).await.map_err(licensed)?;
    let locator = Locator {
        id: live.map(|live| format!("{}/{}", cluster.value, live.key)),
        ..inputs.locator.clone()
    };
    read_one(session, &locator).await
}

/// Removes a rule.
///
/// # Errors
/// Any [`Failure`].
pub async fn delete(session: &Session, inputs: &Inputs, run: &dyn Run) -> Result<Reading, Failure> {
    let cluster = cluster_of(session, inputs).await?;
    let row = retrieve_one(session, &cluster, PROPERTIES).await?;
    let Some(live) = live(&row, inputs) else { return Ok(Reading::Absent) };
    let change = Element::new("rulesSpec")
        .attr("xsi:type", "ClusterRuleSpec")
        .push(Element::with_text("operation", "remove"))
        .push(Element::with_text("removeKey", live.key.as_str()).attr("xsi:type", "xsd:int"));
    task::run(session, run, "remove the rule", call(&cluster, change)).await?;
    Ok(Reading::Absent)
}

/// The rule that a step works on: by its key, else by its name.
fn live(row: &Row, inputs: &Inputs) -> Option<Rule> {
    let id = inputs.object.as_ref().map(|object| object.id.as_str());
    let recorded = id.or(inputs.locator.id.as_deref()).and_then(parse_id);
    let by_key = recorded.and_then(|(_, key)| with_key(row, &key));
    by_key.or_else(|| named(row, inputs.locator.place.tree()["name"].as_str()?))
}

async fn cluster_of(session: &Session, inputs: &Inputs) -> Result<MoRef, Failure> {
    let id = inputs.object.as_ref().map(|object| object.id.as_str());
    match id.or(inputs.locator.id.as_deref()).and_then(parse_id) {
        Some((cluster, _)) => Ok(cluster),
        None => {
            let place = inputs.locator.place.tree();
            let path = place["cluster"].as_str().unwrap_or_default();
            locate::must(session, "cluster", path).await
        }
    }
}

/// Everything of the rule is sent: what an edit leaves out would be reset.
fn change(live: Option<&Rule>, inputs: &Inputs) -> Result<Element, Failure> {
    let before = inputs.object.as_ref().map(|object| object.attributes.tree());
    let value = |name: &str| match inputs.attributes.get(name) {
        Some(value) if !value.is_null() => value.clone(),
        _ => before.as_ref().map_or(Json::Null, |before| before[name].clone()),
    };
    let missing =
        |what: &str| Failure::refused(format!("the rule's {what} is not known"), "plan again");
    let name = value("name");
    let name = name.as_str().ok_or_else(|| missing("name"))?;
    let vms = value("vms");
    let vms = vms.as_array().ok_or_else(|| missing("machines"))?.iter().filter_map(Json::as_str);
    let flag = |name: &str| (value(name) == true).to_string();
    let info = Element::new("info")
        .attr("xsi:type", ANTI_AFFINITY)
        .extend(live.map(|live| Element::with_text("key", live.key.as_str())))
        .push(Element::with_text("enabled", flag("enabled")))
        .push(Element::with_text("name", name))
        .push(Element::with_text("mandatory", flag("mandatory")))
        .extend(vms.map(|vm| MoRef::new("VirtualMachine", vm).element("vm")));
    let operation = if live.is_some() { "edit" } else { "add" };
    Ok(Element::new("rulesSpec")
        .attr("xsi:type", "ClusterRuleSpec")
        .push(Element::with_text("operation", operation))
        .push(info))
}

/// With `modify` false vCenter would reset everything that is not said.
fn call(cluster: &MoRef, change: Element) -> Element {
    let spec = Element::new("spec").attr("xsi:type", "ClusterConfigSpecEx").push(change);
    cluster
        .call("ReconfigureComputeResource_Task")
        .push(spec)
        .push(Element::with_text("modify", "true"))
}

fn licensed(failure: Failure) -> Failure {
    match failure.fault() {
        Some(Fault::Other { name, message }) if UNLICENSED.contains(&name.as_str()) => {
            Failure::refused(
                format!("vCenter takes no DRS rule: {message} ({name})"),
                "DRS needs vSphere Enterprise Plus; without it set `keep_apart = \"check\"`: boma \
                 then looks on which hosts the machines run",
            )
        }
        _ => failure,
    }
}

fn rules(row: &Row) -> impl Iterator<Item = Rule> {
    let list = row.get("configurationEx.rule").into_iter().flat_map(|list| &list.children);
    list.filter_map(Rule::of)
}

fn with_key(row: &Row, key: &str) -> Option<Rule> {
    rules(row).find(|rule| rule.key == key)
}

fn named(row: &Row, name: &str) -> Option<Rule> {
    rules(row).find(|rule| rule.name == name)
}

fn parse_id(id: &str) -> Option<(MoRef, String)> {
    let (cluster, key) = id.split_once('/')?;
    Some((MoRef::new(CLUSTER, cluster), key.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::provider::vsphere::testing::{names, property, reference, row};

    const RULES: &str = r#"<propSet><name>configurationEx.rule</name><val xsi:type="ArrayOfClusterRuleInfo">
        <ClusterRuleInfo xsi:type="ClusterAffinityRuleSpec"><key>3</key><enabled>true</enabled><name>together</name></ClusterRuleInfo>
        <ClusterRuleInfo xsi:type="ClusterAntiAffinityRuleSpec"><key>7</key><status>green</status><enabled>true</enabled><name>small-servers</name><mandatory>false</mandatory><inCompliance>true</inCompliance><vm type="VirtualMachine">vm-2</vm><vm type="VirtualMachine">vm-1</vm></ClusterRuleInfo>
        </val></propSet>"#;

    fn cluster() -> Row {
        let root = MoRef::new("Folder", "group-d1");
        let sets = property("name", "Cluster1") + &reference("parent", &root) + RULES;
        row(CLUSTER, "domain-c7", &sets)
    }

    fn check(id: Option<&str>, name: &str, expected: Result<&str, &str>) {
        let inventory = Inventory::new(MoRef::new("Folder", "group-d1"), vec![cluster()]);
        let locator = Locator {
            id: id.map(str::to_owned),
            place: Attributes::new(&json!({ "cluster": "/Cluster1", "name": name })),
            ..Locator::default()
        };
        match (find(&locator, &inventory), expected) {
            (Reading::Present(object), Ok(id)) => assert_eq!(object.id, id),
            (Reading::Absent, Err("absent")) => {}
            (Reading::Unread(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn rules_are_found_by_key_then_by_name() {
        check(Some("domain-c7/7"), "renamed", Ok("domain-c7/7"));
        check(None, "small-servers", Ok("domain-c7/7"));
        check(Some("domain-c7/9"), "small-servers", Ok("domain-c7/7"));
        check(None, "nope", Err("absent"));
        check(None, "together", Err("of another type"));
    }

    #[test]
    fn a_rule_is_written_whole_in_the_order_of_the_wsdl() {
        let live = named(&cluster(), "small-servers").unwrap();
        let object = match live.reading(&MoRef::new(CLUSTER, "domain-c7"), "/Cluster1") {
            Reading::Present(object) => object,
            other => panic!("{other:?}"),
        };
        let attributes = json!({"vms": ["vm-1", "vm-3"]});
        let inputs = Inputs {
            attributes,
            generated: Vec::new(),
            object: Some(object),
            locator: Locator::default(),
            mark: None,
        };
        let edit = change(Some(&live), &inputs).unwrap();
        assert_eq!(names(&edit), ["operation", "info"]);
        let info = edit.child("info").unwrap();
        assert_eq!(names(info), ["key", "enabled", "name", "mandatory", "vm", "vm"]);
        assert_eq!(info.child_text("key"), Some("7"));
        assert_eq!(info.child_text("name"), Some("small-servers"));
        let call = call(&MoRef::new(CLUSTER, "domain-c7"), edit);
        assert_eq!(names(&call), ["_this", "spec", "modify"]);
        let add = change(None, &inputs).unwrap();
        assert_eq!(add.child_text("operation"), Some("add"));
        assert_eq!(names(add.child("info").unwrap())[0], "enabled");
    }

    #[test]
    fn without_drs_the_way_out_is_named() {
        let fault = Fault::Other { name: "LicenseRestricted".into(), message: "no".into() };
        let error = licensed(fault.into()).explain("write it");
        assert!(error.help.contains("keep_apart = \"check\""), "{error:?}");
        let other = licensed(Fault::ConcurrentAccess.into()).explain("write it");
        assert!(!other.help.contains("keep_apart"), "{other:?}");
    }
}
