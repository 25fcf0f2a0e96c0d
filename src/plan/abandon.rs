//! Projects whose data the user gives up: what stands of them, whoever remembers it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use thiserror::Error;

use super::{Live, Options};
use crate::resource::{Address, Attributes, Edge, EdgeKind, Endpoint, Glob, Kind, Object, Reading};
use crate::state::{Record, State};

/// Where the volumes of a cluster are read: `cluster/PersistentVolume/pvc-…`.
pub const VOLUMES: &str = "cluster/PersistentVolume";

/// Why the data of a project is not deleted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotGivenUp {
    /// There is nothing of it.
    #[error(
        "nothing stands of the project {0}: no Namespace is recorded or bears its mark. See \
         `kubectl get namespaces -L boma.dev/address`, or leave it out"
    )]
    Nothing(String),
    /// A claim in its namespace is somebody else's, and would go with the namespace.
    #[error(
        "the claim {claim} in the Namespace {namespace} is not boma's, and would be deleted with \
         the project {project}: move it away or delete it by hand first"
    )]
    Foreign {
        /// The project.
        project: String,
        /// Its namespace.
        namespace: String,
        /// The claim's name.
        claim: String,
    },
    /// The spec protects some of it.
    #[error("{0} is protected: take it out of `protect`, apply, and try again")]
    Protected(Address),
    /// Nobody knows what there is.
    #[error("what stands of the project {project} could not be read: {reason}")]
    Unread {
        /// The project.
        project: String,
        /// Why.
        reason: String,
    },
}

/// What is planned with.
#[derive(Clone, Debug)]
pub struct GivenUp {
    /// The state, with what it had forgotten of the projects.
    pub prior: State,
    /// All of the projects and nothing else.
    pub options: Options,
    /// Readings of all that holds data, by address.
    pub live: Live,
    /// Their volumes, by project and claim.
    pub disks: Vec<Disk>,
}

/// The disk behind a claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Disk {
    /// The project, or the namespace where that is no project's.
    pub project: String,
    /// The claim.
    pub claim: String,
    /// The volume.
    pub volume: String,
    /// The driver's id of the disk. `None` where it says none.
    pub id: Option<String>,
    /// As in `50Gi`.
    pub size: String,
    /// Whether it stays when the volume goes.
    pub retained: bool,
}

impl Disk {
    /// Reads it off a volume. `None` where no claim has it.
    pub fn of(address: &Address, volume: &Json, project: Option<&str>) -> Option<Self> {
        let spec = &volume["spec"];
        let text = |value: &Json| value.as_str().map(str::to_owned);
        Some(Self {
            project: project.or(spec["claimRef"]["namespace"].as_str())?.to_owned(),
            claim: text(&spec["claimRef"]["name"])?,
            volume: address.name().to_owned(),
            id: text(&spec["csi"]["volumeHandle"]),
            size: text(&spec["capacity"]["storage"]).unwrap_or_default(),
            retained: spec["persistentVolumeReclaimPolicy"] == "Retain",
        })
    }
}

/// Namespaces that hold a project: those that are recorded, and those that bear its mark. Names, by
/// project; `found` are readings of all namespaces.
pub fn namespaces(state: &State, found: &Live) -> BTreeMap<String, BTreeSet<String>> {
    let mut namespaces: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |address: &Address, namespace: &str| {
        if let Some(project) = address.project().filter(|_| address.name() == namespace) {
            namespaces.entry(project.to_owned()).or_default().insert(namespace.to_owned());
        }
    };
    for (address, record) in &state.resources {
        let place = record.place.tree();
        if let Some(name) = place["name"].as_str().filter(|_| place["kind"] == "Namespace") {
            add(address, name);
        }
    }
    for (address, reading) in found {
        let mark = reading.object().and_then(|object| object.mark.as_ref());
        if let Some(mark) = mark.filter(|mark| mark.lineage == state.lineage) {
            add(&mark.address, address.name());
        }
    }
    namespaces
}

/// Plans to be made with data that is given up: of these projects, by name.
///
/// `found` holds readings of every namespace below `Namespace`, of claims and Secrets of the
/// projects' namespaces below `NAMESPACE/PersistentVolumeClaim` and `NAMESPACE/Secret`, and of
/// every volume below [`VOLUMES`].
///
/// # Errors
/// See [`NotGivenUp`].
pub fn give_up(
    projects: &BTreeSet<String>,
    state: &State,
    found: &Live,
) -> Result<GivenUp, NotGivenUp> {
    let options = Options { destroy: true, ..Options::default() };
    let (live, disks) = (Live::new(), Vec::new());
    let mut given_up = GivenUp { prior: state.clone(), options, live, disks };
    let unread = found.values().find_map(|reading| match reading {
        Reading::Unread(reason) => Some(reason.clone()),
        _ => None,
    });
    let namespaces = namespaces(state, found);
    for project in projects {
        if let Some(reason) = &unread {
            let (project, reason) = (project.clone(), reason.clone());
            return Err(NotGivenUp::Unread { project, reason });
        }
        let of_project = namespaces.get(project);
        let spaces = of_project.ok_or_else(|| NotGivenUp::Nothing(project.clone()))?;
        given_up.options.target.push(Glob::new(format!("project/{project}/**")));
        for namespace in spaces {
            given_up.take(&Space { project, namespace }, found)?;
        }
    }
    given_up.disks.sort();
    Ok(given_up)
}

struct Space<'a> {
    project: &'a str,
    namespace: &'a str,
}

impl Space<'_> {
    fn address(&self, kind: &str, name: &str) -> Address {
        Address::from(format!("project/{}/{kind}/{name}", self.project))
    }

    fn place(&self, kind: &str, plural: &str, name: &str) -> Json {
        serde_json::json!({"api": "v1", "kind": kind, "plural": plural,
            "namespace": self.namespace, "name": name})
    }
}

impl GivenUp {
    fn take(&mut self, space: &Space<'_>, found: &Live) -> Result<(), NotGivenUp> {
        let home = space.address("Namespace", space.namespace);
        let inside = Edge { kind: EdgeKind::LivesIn, to: home.clone() };
        let listed = Address::of("Namespace", space.namespace);
        if let Some(object) = found.get(&listed).and_then(Reading::object) {
            let place = serde_json::json!({"api": "v1", "kind": "Namespace",
                "plural": "namespaces", "name": space.namespace});
            self.add(&home, "kubernetes/ProjectNamespace", place, object, Vec::new())?;
        }
        let mut volumes: BTreeMap<String, Address> = BTreeMap::new();
        for (address, object) in below(found, VOLUMES) {
            let volume = object.attributes.tree();
            if volume["spec"]["claimRef"]["namespace"] != space.namespace {
                continue;
            }
            let place = serde_json::json!({"api": "v1", "kind": "PersistentVolume",
                "plural": "persistentvolumes", "name": address.name()});
            let after = Edge { kind: EdgeKind::After, to: home.clone() };
            self.add(address, "kubernetes/PersistentVolume", place, object, vec![after])?;
            self.options.target.push(Glob::new(address.as_str()));
            let disk = Disk::of(address, &volume, Some(space.project));
            volumes.extend(disk.iter().map(|disk| (disk.claim.clone(), address.clone())));
            self.disks.extend(disk);
        }
        let claims = format!("{}/PersistentVolumeClaim", space.namespace);
        for (listed, object) in below(found, &claims) {
            let name = listed.name();
            let address = space.address("PersistentVolumeClaim", name);
            if !self.is_ours(&address, object) {
                let (project, namespace) = (space.project.to_owned(), space.namespace.to_owned());
                return Err(NotGivenUp::Foreign { project, namespace, claim: name.to_owned() });
            }
            let place = space.place("PersistentVolumeClaim", "persistentvolumeclaims", name);
            let volume = volumes.get(name).cloned();
            let volume = volume.map(|to| Edge { kind: EdgeKind::After, to });
            let edges = volume.into_iter().chain([inside.clone()]).collect();
            self.add(&address, "kubernetes/PersistentVolumeClaim", place, object, edges)?;
        }
        for (listed, object) in below(found, &format!("{}/Secret", space.namespace)) {
            let address = space.address("Secret", listed.name());
            if self.is_ours(&address, object) {
                let place = space.place("Secret", "secrets", listed.name());
                self.add(&address, "kubernetes/Credentials", place, object, vec![inside.clone()])?;
            }
        }
        Ok(())
    }

    fn is_ours(&self, address: &Address, object: &Object) -> bool {
        let marked = object.mark.as_ref() == Some(&self.prior.mark(address));
        marked || self.prior.resources.get(address).is_some_and(|record| record.id == object.id)
    }

    /// Adds something that goes for good, in order: what needs it goes before it.
    fn add(
        &mut self,
        address: &Address,
        kind: &str,
        place: Json,
        object: &Object,
        edges: Vec<Edge>,
    ) -> Result<(), NotGivenUp> {
        let Some(kind) = Kind::named(kind) else { return Ok(()) };
        let record = self.prior.resources.entry(address.clone()).or_insert_with(|| Record {
            kind,
            endpoint: Endpoint::kubernetes(),
            id: object.id.clone(),
            place: Attributes::new(&place),
            attributes: Attributes::default(),
            outputs: Attributes::default(),
            seen: object.attributes.digest(),
            edges: Vec::new(),
            protected: false,
        });
        if record.protected {
            return Err(NotGivenUp::Protected(address.clone()));
        }
        record.edges.extend(edges);
        record.edges.sort();
        record.edges.dedup();
        self.options.abandon.insert(address.clone());
        self.live.insert(address.clone(), Reading::Present(object.clone()));
        Ok(())
    }
}

/// Objects that were read under an address.
fn below<'a>(found: &'a Live, prefix: &str) -> impl Iterator<Item = (&'a Address, &'a Object)> {
    let prefix = format!("{prefix}/");
    found
        .iter()
        .filter(move |(address, _)| address.as_str().starts_with(&prefix))
        .filter_map(|(address, reading)| Some((address, reading.object()?)))
}
