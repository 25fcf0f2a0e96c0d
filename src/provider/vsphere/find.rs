//! Which VM an address stands for, among all that were listed.

use super::collect::Row;
use super::inventory::Inventory;
use super::moref::MoRef;
use super::vm;
use crate::resource::Locator;

/// What is known of an address's VM from what is read of every VM.
pub enum Find {
    /// There is none.
    Nothing,
    /// This one, or what else stands at its place.
    One(MoRef),
    /// Its mark is on several, clones that somebody made of boma's machine: why that is too many.
    Several(String),
    /// None among those whose mark can be read; the reason names one whose mark cannot.
    Unreadable(String),
    /// None among those read has the recorded id: vCenter is asked for it, and where it has none
    /// either, the rest counts.
    Ask(String, Box<Find>),
}

/// Finds a VM by recorded id, then by mark, then by place. `inventory` holds [`vm::LIGHT`] of every
/// VM.
pub fn machine(locator: &Locator, inventory: &Inventory) -> Find {
    let Some(id) = locator.id.as_deref().map(str::to_lowercase) else {
        return by_mark_or_place(locator, inventory);
    };
    let has_id = |row: &&Row| {
        row.text("config.instanceUuid").is_some_and(|found| found.eq_ignore_ascii_case(&id))
    };
    if let Some(row) = inventory.rows("VirtualMachine").find(has_id) {
        return Find::One(row.object.clone());
    }
    match by_mark_or_place(locator, inventory) {
        several @ Find::Several(_) => several,
        otherwise => Find::Ask(id, Box::new(otherwise)),
    }
}

fn by_mark_or_place(locator: &Locator, inventory: &Inventory) -> Find {
    let place = locator.place.tree();
    let at = place["path"].as_str().and_then(|path| inventory.at(path)).cloned();
    let is_marked = |row: &&Row| {
        locator.mark.is_some() && vm::light_mark(row) == locator.mark && !vm::is_template(row)
    };
    let marked: Vec<&Row> = inventory.rows("VirtualMachine").filter(is_marked).collect();
    match (marked.as_slice(), at) {
        ([], Some(at)) => Find::One(at),
        ([], None) if locator.mark.is_some() => {
            unreadable(inventory).map_or(Find::Nothing, Find::Unreadable)
        }
        ([], None) => Find::Nothing,
        ([one], _) => Find::One(one.object.clone()),
        (several, Some(at)) if several.iter().any(|row| row.object == at) => Find::One(at),
        (several, _) => Find::Several(too_many(several, inventory)),
    }
}

/// A VM whose mark is not shown may bear any, so that nothing can be said to be absent.
fn unreadable(inventory: &Inventory) -> Option<String> {
    let hides = |row: &Row| {
        let (property, fault) = row.missing.iter().find(|(path, _)| path == vm::MARK_PATH)?;
        if !fault.hides() {
            return None;
        }
        let path = inventory.path(&row.object);
        let reason = vm::unreadable(property, fault, path);
        Some(format!("it may be a VM whose mark is not shown: {reason}"))
    };
    // The first in any order, so that two reads give one reason.
    inventory.rows("VirtualMachine").filter_map(hides).min()
}

fn too_many(several: &[&Row], inventory: &Inventory) -> String {
    let path = |row: &&Row| inventory.path(&row.object).unwrap_or_else(|| row.object.to_string());
    let mut paths: Vec<String> = several.iter().map(path).collect();
    paths.sort();
    format!(
        "several VMs bear its mark: {}; remove the key {} from the copies",
        paths.join(", "),
        vm::MARK_KEY
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::vsphere::testing::{property, reference, row};
    use crate::resource::{Address, Attributes, Mark};

    fn vm(value: &str, name: &str, uuid: &str, mark: Option<&str>) -> Row {
        let mark = mark.map(|mark| {
            format!(
                r#"<propSet><name>config.extraConfig["boma.mark"]</name><val xsi:type="OptionValue"><key>boma.mark</key><value xsi:type="xsd:string">{mark}</value></val></propSet>"#
            )
        });
        let sets = property("name", name)
            + &reference("parent", &MoRef::new("Folder", "group-d1"))
            + &property("config.instanceUuid", uuid)
            + &mark.unwrap_or_default();
        row("VirtualMachine", value, &sets)
    }

    /// A VM that shows its name and no more.
    fn hidden(value: &str, name: &str) -> Row {
        let denied = format!(
            r#"<missingSet><path>config.extraConfig["boma.mark"]</path><fault><fault xsi:type="NoPermission"><object type="VirtualMachine">{value}</object><privilegeId>System.Read</privilegeId></fault></fault></missingSet>"#
        );
        let sets = property("name", name)
            + &reference("parent", &MoRef::new("Folder", "group-d1"))
            + &denied;
        row("VirtualMachine", value, &sets)
    }

    fn check(id: Option<&str>, rows: Vec<Row>, expected: &str) {
        let inventory = Inventory::new(MoRef::new("Folder", "group-d1"), rows);
        let locator = Locator {
            id: id.map(str::to_owned),
            place: Attributes::new(&json!({"path": "/server-1"})),
            mark: Some(Mark { lineage: "L".into(), address: Address::from("vsphere/vm/server-1") }),
            notes: Vec::new(),
        };
        assert_eq!(text(machine(&locator, &inventory)), expected);
    }

    fn text(find: Find) -> String {
        match find {
            Find::Nothing => "nothing".into(),
            Find::One(vm) => vm.value,
            Find::Several(reason) | Find::Unreadable(reason) => reason,
            Find::Ask(id, otherwise) => format!("ask {id} else {}", text(*otherwise)),
        }
    }

    #[test]
    fn machines_are_found_by_id_then_mark_then_place() {
        let ours = Some("L vsphere/vm/server-1");
        let other = Some("M vsphere/vm/server-1");
        check(
            Some("AA"),
            vec![vm("vm-1", "moved", "aa", None), vm("vm-2", "server-1", "bb", ours)],
            "vm-1",
        );
        check(
            None,
            vec![vm("vm-1", "moved", "aa", ours), vm("vm-2", "server-1", "bb", None)],
            "vm-1",
        );
        check(
            None,
            vec![vm("vm-1", "x", "aa", other), vm("vm-2", "server-1", "bb", other)],
            "vm-2",
        );
        check(None, vec![vm("vm-1", "x", "aa", None)], "nothing");
        check(Some("cc"), vec![vm("vm-1", "x", "aa", None)], "ask cc else nothing");
        check(Some("cc"), vec![vm("vm-1", "x", "aa", ours)], "ask cc else vm-1");
        let several = "several VMs bear its mark: /x, /y; remove the key boma.mark from the copies";
        check(None, vec![vm("vm-1", "x", "aa", ours), vm("vm-2", "y", "bb", ours)], several);
        check(None, vec![vm("vm-1", "x", "aa", ours), vm("vm-2", "server-1", "bb", ours)], "vm-2");
    }

    #[test]
    fn a_mark_that_is_not_shown_proves_no_absence() {
        let ours = Some("L vsphere/vm/server-1");
        let reason = "it may be a VM whose mark is not shown: config.extraConfig[\"boma.mark\"] cannot be read: the account lacks the privilege System.Read on /a; give boma's account a role with System.Read on /a";
        check(None, vec![hidden("vm-2", "b"), hidden("vm-1", "a")], reason);
        check(Some("cc"), vec![hidden("vm-1", "a")], &format!("ask cc else {reason}"));
        check(None, vec![hidden("vm-1", "a"), vm("vm-2", "x", "aa", ours)], "vm-2");
        check(None, vec![hidden("vm-1", "server-1")], "vm-1");
    }
}
