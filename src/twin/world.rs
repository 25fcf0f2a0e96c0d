//! What stands, and what somebody other than boma does to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json};

use super::derive::Origin;
use crate::resource::{
    Address, Attributes, EdgeKind, Kind, Lifecycle, Locator, Mark, Object, Reading, Resource,
};

/// A simulated world; clones are the same world.
#[derive(Clone)]
pub struct World(Arc<Mutex<Data>>);

/// One thing that stands. Its fields may hold secrets in plain text, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its kind.
    pub kind: Kind,
    /// Its natural key.
    pub place: Attributes,
    /// Its name for as long as it lives.
    pub id: String,
    /// All its fields: what was written, what somebody else added, what the world filled in.
    pub fields: Map<String, Json>,
    /// boma's sign on it. `None` where nobody left one.
    pub mark: Option<Mark>,
    /// What boma wrote last, which tells a removal from what was never boma's.
    pub(super) written: Map<String, Json>,
    /// Writes so far.
    pub(super) revision: u64,
}

/// Where an object stands: kind and natural key as text. Nothing else is unique in a world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Site {
    kind: &'static str,
    place: String,
}

/// The content of a world.
pub(super) struct Data {
    seed: u64,
    pub(super) standing: BTreeMap<Site, Standing>,
    /// Objects that ever stood at a site.
    generations: BTreeMap<Site, u64>,
    /// What each site lies in: it goes when that goes.
    inside: BTreeMap<Site, BTreeSet<Site>>,
    unread: BTreeMap<Address, String>,
    dark: Option<String>,
}

impl Site {
    pub(super) fn of(kind: Kind, place: &Attributes) -> Self {
        Self { kind: class(kind), place: place.as_str().to_owned() }
    }
}

/// What tells objects with the same natural key apart: an object of Kubernetes is the same one
/// whatever else its kind here says of it.
fn class(kind: Kind) -> &'static str {
    if kind.lifecycle == Lifecycle::Applied { "kubernetes" } else { kind.name }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "World({} objects)", self.data().standing.len())
    }
}

impl World {
    /// An empty world. Ids and computed values follow from the seed.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Data {
            seed,
            standing: BTreeMap::new(),
            generations: BTreeMap::new(),
            inside: BTreeMap::new(),
            unread: BTreeMap::new(),
            dark: None,
        })))
    }

    /// Learns which resources live in which, so that what lives in a container goes with it.
    pub fn learn<'a>(&self, resources: impl IntoIterator<Item = &'a Resource>) {
        let resources: BTreeMap<&Address, &Resource> =
            resources.into_iter().map(|resource| (&resource.address, resource)).collect();
        let mut data = self.data();
        for resource in resources.values() {
            let containers = resource.edges.iter().filter(|edge| edge.kind == EdgeKind::LivesIn);
            for container in containers.filter_map(|edge| resources.get(&edge.to)) {
                let site = Site::of(resource.kind, &resource.place);
                data.inside
                    .entry(Site::of(container.kind, &container.place))
                    .or_default()
                    .insert(site);
            }
        }
    }

    /// Everything that stands, in the order of kinds and places.
    pub fn standing(&self) -> Vec<Standing> {
        self.data().standing.values().cloned().collect()
    }

    /// Every object of one kind in Kubernetes, as it is in the API: natural key and reading.
    pub fn listed(&self, kind: &str) -> Vec<(Json, Reading)> {
        let data = self.data();
        let all = data.standing.values().map(|one| (one.place.tree(), one));
        all.filter(|(place, _)| place["kind"] == kind)
            .map(|(place, one)| (place, Reading::Present(one.object())))
            .collect()
    }

    /// Puts a thing there behind boma's back; what stood at the place is gone. Returns its id.
    /// Machines run unless `fields` say otherwise.
    pub fn put(
        &self,
        kind: Kind,
        place: &Attributes,
        fields: Map<String, Json>,
        mark: Option<Mark>,
    ) -> String {
        let mut data = self.data();
        data.remove(&Site::of(kind, place));
        let mut standing = data.make(kind, place, fields, mark);
        if kind.lifecycle == Lifecycle::Machine {
            standing.fields.entry("power").or_insert_with(|| "on".into());
        }
        standing.written = Map::new();
        let id = standing.id.clone();
        data.standing.insert(Site::of(kind, place), standing);
        id
    }

    /// Changes a thing behind boma's back. False where there is none.
    pub fn edit(
        &self,
        kind: Kind,
        place: &Attributes,
        edit: impl FnOnce(&mut Map<String, Json>),
    ) -> bool {
        let mut data = self.data();
        let found = data.standing.get_mut(&Site::of(kind, place));
        found.map(|standing| edit(&mut standing.fields)).is_some()
    }

    /// Removes a thing, and what lives in it, behind boma's back. False where there is none.
    pub fn remove(&self, kind: Kind, place: &Attributes) -> bool {
        self.data().remove(&Site::of(kind, place))
    }

    /// From now on an address cannot be read, for this reason.
    pub fn hide(&self, address: &Address, reason: &str) {
        self.data().unread.insert(address.clone(), reason.to_owned());
    }

    /// From now on nothing can be read, for this reason.
    pub fn hide_all(&self, reason: &str) {
        self.data().dark = Some(reason.to_owned());
    }

    /// From now on everything can be read again.
    pub fn reveal(&self) {
        let mut data = self.data();
        data.unread.clear();
        data.dark = None;
    }

    /// Reads one address: by recorded id, then by mark, then by place.
    pub fn read(&self, address: &Address, kind: Kind, locator: &Locator) -> Reading {
        let data = self.data();
        if let Some(reason) = data.dark.as_ref().or_else(|| data.unread.get(address)) {
            return Reading::Unread(reason.clone());
        }
        let found = data.find(kind, locator).and_then(|site| data.standing.get(&site));
        found.map_or(Reading::Absent, |standing| Reading::Present(standing.object()))
    }

    pub(super) fn data(&self) -> MutexGuard<'_, Data> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    /// The object as a provider shows it.
    pub fn object(&self) -> Object {
        Object {
            id: self.id.clone(),
            attributes: Attributes::new(&Json::Object(self.fields.clone())),
            mark: self.mark.clone(),
        }
    }

    /// Whether it is a machine that runs.
    pub(super) fn is_running(&self) -> bool {
        self.kind.lifecycle == Lifecycle::Machine
            && self.fields.get("power").is_some_and(|power| power != "off")
    }
}

impl Data {
    pub(super) fn find(&self, kind: Kind, locator: &Locator) -> Option<Site> {
        let by = |is_it: &dyn Fn(&Standing) -> bool| {
            let mut all = self.standing.iter().filter(|(site, _)| site.kind == class(kind));
            all.find(|(_, standing)| is_it(standing)).map(|(site, _)| site.clone())
        };
        let by_id = locator.id.as_ref().and_then(|id| by(&|standing| standing.id == *id));
        let by_mark = || {
            locator
                .mark
                .as_ref()
                .and_then(|mark| by(&|standing| standing.mark.as_ref() == Some(mark)))
        };
        let site = Site::of(kind, &locator.place);
        by_id.or_else(by_mark).or_else(|| self.standing.contains_key(&site).then_some(site))
    }

    /// A new object with the fields that the world fills in. It does not stand yet.
    pub(super) fn make(
        &mut self,
        kind: Kind,
        place: &Attributes,
        fields: Map<String, Json>,
        mark: Option<Mark>,
    ) -> Standing {
        let count = self.generations.entry(Site::of(kind, place)).or_default();
        let generation = *count;
        *count = count.saturating_add(1);
        let origin = Origin { seed: self.seed, kind, place, generation };
        let mut all = fields.clone();
        all.retain(|_, value| !value.is_null());
        for (key, value) in origin.fields(0) {
            all.entry(key).or_insert(value);
        }
        Standing {
            kind,
            place: place.clone(),
            id: origin.id(),
            fields: all,
            mark,
            written: fields,
            revision: 0,
        }
    }

    /// Fills in anew what may change with a write.
    pub(super) fn revise(&mut self, site: &Site) {
        use crate::resource::Mode;
        let (seed, generation) =
            (self.seed, self.generations.get(site).map_or(0, |count| count.saturating_sub(1)));
        let Some(standing) = self.standing.get_mut(site) else { return };
        standing.revision = standing.revision.saturating_add(1);
        let origin = Origin { seed, kind: standing.kind, place: &standing.place, generation };
        let derived = origin.fields(standing.revision);
        let kind = standing.kind;
        // What somebody put there by hand (disks on a machine) is no function of the seed.
        let texts = derived.into_iter().filter(|(_, value)| value.is_string());
        standing.fields.extend(texts.filter(|(key, _)| kind.field(key).mode == Mode::Volatile));
    }

    /// Whether what stands at a site holds data, or what lives in it does.
    pub(super) fn has_data(&self, site: &Site) -> bool {
        let holds = self.standing.get(site).is_some_and(|standing| standing.kind.holds_data);
        let mut inner = self.inside.get(site).into_iter().flatten();
        holds || inner.any(|inner| self.standing.contains_key(inner) && self.has_data(inner))
    }

    /// Whether something else that holds data stands where a site lies.
    pub(super) fn has_data_beside(&self, site: &Site) -> bool {
        let homes = self.inside.values().filter(|inner| inner.contains(site));
        homes.flatten().any(|other| other != site && self.has_data(other))
    }

    /// Removes what stands at a site and what lives in it.
    pub(super) fn remove(&mut self, site: &Site) -> bool {
        let found = self.standing.remove(site).is_some();
        if found {
            for inner in self.inside.get(site).cloned().unwrap_or_default() {
                self.remove(&inner);
            }
        }
        found
    }
}
