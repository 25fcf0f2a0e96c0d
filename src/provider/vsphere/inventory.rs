//! vCenter's tree of entities: paths from names and parents.

use std::collections::{BTreeMap, HashMap};

use super::collect::{Query, Row, View, retrieve, retrieve_all, traversal};
use super::failure::Failure;
use super::moref::MoRef;
use super::path;
use super::session::Session;

/// Every type of entity that a path may lead to. A view selects subtypes too; they are named
/// where programs other than vCenter compare types exactly. Distributed switches are left out:
/// nothing of boma's is on one.
pub const ENTITIES: &[&str] = &[
    "VirtualMachine",
    "Folder",
    "Datacenter",
    "Datastore",
    "ComputeResource",
    "ClusterComputeResource",
    "HostSystem",
    "ResourcePool",
    "Network",
    "DistributedVirtualPortgroup",
];

/// Entities with name and parent, and what else was read of them.
pub struct Inventory {
    root: MoRef,
    rows: HashMap<String, Row>,
    paths: BTreeMap<String, MoRef>,
}

/// Deeper than any inventory; guards against parents that form a circle.
const DEPTH_MAX: usize = 64;

impl Inventory {
    /// Reads every entity of some types; `properties` are asked of VMs beside name and parent.
    /// Further rows come from what `query` begins at. The view is the caller's to end.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub async fn load(
        session: &Session,
        kinds: &[&str],
        more: &[(&str, &[&str])],
        query: Query,
    ) -> Result<(Self, View), Failure> {
        let query = kinds.iter().fold(query, |query, kind| {
            let extra = more.iter().find(|(of, _)| of == kind).map_or(&[][..], |(_, paths)| paths);
            let paths: Vec<&str> = ["name", "parent"].iter().chain(extra).copied().collect();
            query.properties(kind, &paths)
        });
        let root = session.open().await?.content.root_folder.clone();
        let (rows, view) = retrieve_all(session, kinds, query).await?;
        Ok((Self::new(root, rows), view))
    }

    /// Reads one object, the chain of its parents, and the objects a further selection leads to.
    ///
    /// # Errors
    /// Any [`Failure`]; `ManagedObjectNotFound` where the object is gone.
    pub async fn climb(
        session: &Session,
        object: &MoRef,
        properties: &[&str],
        further: &[(&str, &str)],
    ) -> Result<Self, Failure> {
        let own: Vec<&str> = ["name", "parent"].iter().chain(properties).copied().collect();
        let mut query = Query::default().properties(&object.kind, &own);
        for kind in ENTITIES.iter().filter(|kind| **kind != object.kind) {
            query = query.properties(kind, &["name", "parent"]);
        }
        let mut selections = vec![traversal("up", "ManagedEntity", "parent", &["up"])];
        selections
            .extend(further.iter().map(|(name, path)| traversal(name, &object.kind, path, &[])));
        let root = session.open().await?.content.root_folder.clone();
        Ok(Self::new(root, retrieve(session, query.object(object, selections)).await?))
    }

    /// Takes rows that were read.
    pub fn new(root: MoRef, rows: Vec<Row>) -> Self {
        let rows: HashMap<String, Row> =
            rows.into_iter().map(|row| (row.object.value.clone(), row)).collect();
        let mut inventory = Self { root, rows, paths: BTreeMap::new() };
        let paths = inventory
            .rows
            .values()
            .filter_map(|row| Some((inventory.path(&row.object)?, row.object.clone())));
        inventory.paths = paths.collect();
        inventory
    }

    /// The row of an object that was read.
    pub fn row(&self, object: &MoRef) -> Option<&Row> {
        self.rows.get(&object.value)
    }

    /// All rows of a type, in no order.
    pub fn rows<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.values().filter(move |row| row.object.kind == kind)
    }

    /// The object at a path. `None` where there is none among those read.
    pub fn at(&self, path: &str) -> Option<&MoRef> {
        match path::normal(path).as_str() {
            "/" => Some(&self.root),
            path => self.paths.get(path),
        }
    }

    /// An object's name as people write it.
    pub fn name(&self, object: &MoRef) -> Option<String> {
        self.row(object)?.text("name").map(path::decode)
    }

    /// An object's path. `None` where a parent was not read or the object is in a vApp.
    pub fn path(&self, object: &MoRef) -> Option<String> {
        let mut segments = Vec::new();
        let mut next = object.clone();
        while next != self.root {
            let row = self.rows.get(&next.value)?;
            segments.push(path::segment(row.text("name")?));
            next = row.moref("parent")?;
            if segments.len() > DEPTH_MAX {
                return None;
            }
        }
        segments.reverse();
        Some(format!("/{}", segments.join("/")))
    }

    /// Finds one object of some types by name or path below an ancestor.
    ///
    /// # Errors
    /// `Refused` where there is none or more than one; `what` names the thing in the message.
    pub fn choose(
        &self,
        what: &str,
        kinds: &[&str],
        below: &str,
        wanted: &str,
    ) -> Result<&Row, Failure> {
        let fits = |found: &str, object: &MoRef| {
            let named = found.rsplit('/').next() == Some(path::encode(wanted).as_str());
            path::is_below(found, below)
                && kinds.contains(&object.kind.as_str())
                && (named || found == wanted)
        };
        let found: Vec<(&String, &MoRef)> =
            self.paths.iter().filter(|(path, object)| fits(path, object)).collect();
        match found.as_slice() {
            [(_, object)] => self.row(object).ok_or_else(|| Failure::missing("choose", what)),
            [] => Err(Failure::refused(
                format!("there is no {what} {wanted} in {below}"),
                format!("name a {what} that is there, or check that boma's account may see it"),
            )),
            several => {
                let paths: Vec<&str> = several.iter().map(|(path, _)| path.as_str()).collect();
                Err(Failure::refused(
                    format!("there are {} of {what} {wanted}: {}", paths.len(), paths.join(", ")),
                    format!("give the path of the {what} instead of its name"),
                ))
            }
        }
    }

    /// The datacenter that a path lies in.
    ///
    /// # Errors
    /// `Refused` where it lies in none.
    pub fn datacenter_of(&self, path: &str) -> Result<String, Failure> {
        let datacenters = self.rows("Datacenter").filter_map(|row| self.path(&row.object));
        let mut around = datacenters.filter(|datacenter| path::is_below(path, datacenter));
        around.next().ok_or_else(|| {
            Failure::refused(
                format!("{path} lies in no datacenter"),
                "paths begin with the datacenter: /DC1/vm/cht",
            )
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
pub mod tests {
    use super::*;
    use crate::provider::vsphere::testing::row;

    /// A small inventory: two VM folders, one cluster, a template, a name with a slash.
    pub fn small() -> Inventory {
        let parts = [
            ("Datacenter", "datacenter-2", "DC1", ("Folder", "group-d1")),
            ("Folder", "group-v3", "vm", ("Datacenter", "datacenter-2")),
            ("Folder", "group-h4", "host", ("Datacenter", "datacenter-2")),
            ("Folder", "group-v9", "cht", ("Folder", "group-v3")),
            ("VirtualMachine", "vm-11", "server-1", ("Folder", "group-v9")),
            ("VirtualMachine", "vm-12", "a%2fb", ("Folder", "group-v9")),
            ("VirtualMachine", "vm-13", "server-1", ("Folder", "group-v3")),
            ("VirtualMachine", "vm-14", "lost", ("Folder", "group-v77")),
            ("ClusterComputeResource", "domain-c7", "Cluster1", ("Folder", "group-h4")),
        ];
        let rows = parts.map(|(kind, value, name, parent)| {
            row(
                kind,
                value,
                &format!(
                    r#"<propSet><name>name</name><val>{name}</val></propSet><propSet><name>parent</name><val type="{}">{}</val></propSet>"#,
                    parent.0, parent.1
                ),
            )
        });
        Inventory::new(MoRef::new("Folder", "group-d1"), rows.to_vec())
    }

    #[test]
    fn paths_come_from_names_and_parents() {
        let inventory = small();
        let path = |value| inventory.path(&MoRef::new("VirtualMachine", value));
        assert_eq!(path("vm-11").as_deref(), Some("/DC1/vm/cht/server-1"));
        assert_eq!(path("vm-12").as_deref(), Some("/DC1/vm/cht/a%2fb"));
        assert_eq!(path("vm-14"), None);
        assert_eq!(inventory.at("DC1/vm/cht/a%2Fb").unwrap().value, "vm-12");
        assert_eq!(inventory.at("/").unwrap().value, "group-d1");
        assert_eq!(inventory.path(&MoRef::new("Folder", "group-d1")).as_deref(), Some("/"));
        assert_eq!(inventory.name(&MoRef::new("VirtualMachine", "vm-12")).as_deref(), Some("a/b"));
    }

    #[test]
    fn names_must_be_unambiguous() {
        let inventory = small();
        let choose = |kind, wanted| {
            let row = inventory.choose("template", &[kind], "/DC1", wanted);
            row.map(|row| row.object.value.clone()).map_err(|failure| failure.to_string())
        };
        assert_eq!(choose("ClusterComputeResource", "Cluster1").unwrap(), "domain-c7");
        assert_eq!(choose("VirtualMachine", "a/b").unwrap(), "vm-12");
        assert_eq!(choose("VirtualMachine", "/DC1/vm/server-1").unwrap(), "vm-13");
        assert_eq!(
            choose("VirtualMachine", "server-1").unwrap_err(),
            "there are 2 of template server-1: /DC1/vm/cht/server-1, /DC1/vm/server-1"
        );
        assert_eq!(choose("Folder", "nope").unwrap_err(), "there is no template nope in /DC1");
        assert_eq!(inventory.datacenter_of("/DC1/vm/cht").unwrap(), "/DC1");
        assert!(inventory.datacenter_of("/elsewhere").is_err());
    }
}
