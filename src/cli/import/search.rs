//! Which object is meant.

use serde_json::json;

use super::super::error::{CliError, Exit};
use super::refused;
use crate::resource::{Attributes, Kind, Lifecycle, Locator, Object, Reading, Resource};

/// How the user named the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// `-`: whatever stands where the spec puts it.
    Place,
    /// The endpoint's own id.
    Id(String),
    /// Another inventory path.
    Path(String),
}

/// What names the objects of a kind.
struct Forms {
    kind: &'static str,
    id: &'static str,
    fits: fn(&str) -> bool,
    has_path: bool,
}

const FORMS: &[Forms] = &[
    Forms { kind: "vsphere/vm", id: "an instance UUID", fits: is_uuid, has_path: true },
    Forms { kind: "vsphere/folder", id: "a moref (group-v3)", fits: is_folder, has_path: true },
    Forms { kind: "vsphere/role", id: "a role id (1001)", fits: is_number, has_path: false },
    Forms {
        kind: "vsphere/rule",
        id: "cluster/key (domain-c7/12)",
        fits: is_rule,
        has_path: false,
    },
    Forms {
        kind: "vsphere/permission",
        id: "Type:moref|PRINCIPAL (VirtualMachine:vm-42|VSPHERE.LOCAL\\cht-storage)",
        fits: is_permission,
        has_path: false,
    },
    on_host("host/firewall"),
    on_host("host/docker"),
    on_host("k3s/server"),
    on_host("k3s/agent"),
];

/// What is on a machine is found by the machine it is on.
const fn on_host(kind: &'static str) -> Forms {
    let id = "the machine-id of its host (32 hexadecimal digits)";
    Forms { kind, id, fits: is_machine_id, has_path: false }
}

/// Objects of the cluster all have one form.
const IN_CLUSTER: Forms = Forms {
    kind: "object of the cluster",
    id: "its uid (kubectl get … -o jsonpath={.metadata.uid})",
    fits: is_uuid,
    has_path: false,
};

fn forms(kind: Kind) -> Option<&'static Forms> {
    if kind.lifecycle == Lifecycle::Applied {
        return Some(&IN_CLUSTER);
    }
    FORMS.iter().find(|forms| forms.kind == kind.name)
}

impl Search {
    /// Reads what the user gave.
    ///
    /// # Errors
    /// It is no form that the resource's kind has.
    pub fn of(resource: &Resource, text: &str) -> Result<Self, CliError> {
        let forms = forms(resource.kind);
        match (text, forms) {
            ("-", _) => Ok(Self::Place),
            (text, Some(forms)) if (forms.fits)(text) => Ok(Self::Id(text.into())),
            (text, Some(forms)) if forms.has_path && text.starts_with('/') => {
                Ok(Self::Path(text.into()))
            }
            (text, Some(forms)) => Err(misnamed(text, forms)),
            (text, None) => Ok(Self::Id(text.into())),
        }
    }

    /// Where to look. No mark is looked for: the object need not be boma's yet.
    pub fn locator(&self, resource: &Resource) -> Locator {
        let place = resource.place.clone();
        match self {
            Self::Place => Locator { place, ..Locator::default() },
            Self::Id(id) => Locator { id: Some(id.clone()), place, ..Locator::default() },
            Self::Path(path) => {
                Locator { place: Attributes::new(&json!({ "path": path })), ..Locator::default() }
            }
        }
    }

    /// The object that was meant. A look by id falls back to the place, where another may stand.
    ///
    /// # Errors
    /// It is not there or was not read.
    pub fn check(&self, resource: &Resource, reading: Reading) -> Result<Object, CliError> {
        let address = &resource.address;
        match (self, reading) {
            (_, Reading::Unread(reason)) => Err(CliError::new(
                format!("{self} could not be read: {reason}"),
                "nothing was recorded; try again when that is mended",
            )
            .exit(Exit::Error)),
            (_, Reading::Absent) => Err(refused(
                format!("there is no {} that is {self}", resource.kind.name),
                "name one that stands, or let `boma apply` make it",
            )),
            (Self::Id(id), Reading::Present(object))
                if id.to_lowercase() != object.id.to_lowercase() =>
            {
                Err(another(id, &object))
            }
            (_, Reading::Present(object)) => {
                tracing::debug!("{address} is {}", object.id);
                Ok(object)
            }
        }
    }
}

impl std::fmt::Display for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Place => f.write_str("what stands where the spec puts it"),
            Self::Id(text) | Self::Path(text) => f.write_str(text),
        }
    }
}

/// The guide mixes up the two UUIDs of a VM, and so may the user.
fn another(id: &str, object: &Object) -> CliError {
    let bios = object.attributes.tree()["bios_uuid"].as_str().map(str::to_lowercase);
    if bios.as_deref() == Some(id.to_lowercase().as_str()) {
        return refused(
            format!("{id} is the BIOS UUID of a VM whose instance UUID is {}", object.id),
            "give the instance UUID: it is unique in the vCenter",
        );
    }
    refused(
        format!("nothing has the id {id}; where the spec puts the resource stands {}", object.id),
        "name that one if it is meant",
    )
}

fn misnamed(text: &str, forms: &Forms) -> CliError {
    let path = if forms.has_path { ", an inventory path (/DC1/vm/cht/x)" } else { "" };
    refused(
        format!("{text} names no {}", forms.kind),
        &format!("give {}{path}, or - for what stands where the spec puts it", forms.id),
    )
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && text.chars().all(|letter| letter == '-' || letter.is_ascii_hexdigit())
}

fn is_machine_id(text: &str) -> bool {
    text.len() == 32 && text.chars().all(|letter| letter.is_ascii_hexdigit())
}

fn is_folder(text: &str) -> bool {
    text.strip_prefix("group-").is_some_and(|rest| !rest.is_empty())
}

fn is_number(text: &str) -> bool {
    text.parse::<i64>().is_ok()
}

fn is_rule(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(cluster, key)| cluster.starts_with("domain-c") && is_number(key))
}

fn is_permission(text: &str) -> bool {
    let parts = text.split_once('|').and_then(|(entity, principal)| {
        let (kind, moref) = entity.split_once(':')?;
        Some([kind, moref, principal])
    });
    parts.is_some_and(|parts| parts.iter().all(|part| !part.is_empty()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::resource::Address;

    const SPEC: &str = include_str!("../../../examples/national-50-counties.toml");
    const UUID: &str = "500E3F74-ea84-f9a2-0000-000000000001";

    fn resource(address: &str) -> Resource {
        let spec = crate::spec::parse("national.toml", SPEC).spec.unwrap();
        crate::lower::lower(&spec).resources.remove(&Address::from(address)).unwrap()
    }

    fn check(address: &str, text: &str, expected: Option<Search>) {
        assert_eq!(Search::of(&resource(address), text).ok(), expected, "{text}");
    }

    #[test]
    fn each_kind_has_its_ids() {
        let id = |text: &str| Some(Search::Id(text.into()));
        check("vsphere/vm/server-1", UUID, id(UUID));
        check("vsphere/vm/server-1", "/DC1/vm/x", Some(Search::Path("/DC1/vm/x".into())));
        check("vsphere/vm/server-1", "vm-42", None);
        check("vsphere/vm/server-1", "-", Some(Search::Place));
        check("vsphere/role/CNS-VM", "1001", id("1001"));
        check("vsphere/role/CNS-VM", "/DC1", None);
        check("vsphere/folder/cht", "group-v3", id("group-v3"));
        check("vsphere/permission/root", r"Folder:group-d1|A\b", id(r"Folder:group-d1|A\b"));
        check("vsphere/permission/root", "Folder:group-d1", None);
        check("vsphere/rule/servers", "domain-c7/12", id("domain-c7/12"));
        check("vsphere/rule/servers", "12", None);
        let machine = "0f6c5b1b1f5d4e0c9a1a3f4f5b6c7d8e";
        check("k3s/server/server-1", machine, id(machine));
        check("k3s/server/server-1", "server-1", None);
    }

    #[test]
    fn every_kind_says_what_names_its_objects() {
        let missing = Kind::all().filter(|kind| forms(*kind).is_none());
        let missing: Vec<&str> = missing.map(|kind| kind.name).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn another_object_is_not_taken_for_the_one_that_was_named() {
        let vm = resource("vsphere/vm/server-1");
        let found = |id: &str| {
            let tree = json!({"bios_uuid": "420e3f74-ea84-f9a2-0000-000000000001"});
            let attributes = Attributes::new(&tree);
            Reading::Present(Object { id: id.into(), attributes, mark: None })
        };
        let search = Search::Id(UUID.into());
        assert!(search.check(&vm, found(&UUID.to_lowercase())).is_ok());
        let error = search.check(&vm, found("5")).unwrap_err();
        assert!(error.message.contains("stands 5"), "{error}");
        let bios = Search::Id("420E3F74-ea84-f9a2-0000-000000000001".into());
        let error = bios.check(&vm, found("5")).unwrap_err();
        assert!(error.message.contains("is the BIOS UUID of a VM"), "{error}");
        assert_eq!(Search::Place.check(&vm, Reading::Absent).unwrap_err().exit, Exit::Refused);
    }
}
