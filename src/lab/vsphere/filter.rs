//! Property filters: what a session is told when something changes.
//!
//! A filter stays with the session that made it. Each answer carries a version; a client that names
//! it has got that answer, and one that names the version before is told the same again.

use std::collections::BTreeMap;

use crate::xml::Element;

use super::answer::Answer;
use super::call::{Call, number};
use super::collector::{View, content, select};
use super::fault::Fault;
use super::ids;
use super::world::Ref;

/// All filters, by session.
#[derive(Default)]
pub(super) struct Filters {
    sessions: BTreeMap<String, Watch>,
    /// Numbers filters.
    serial: u64,
}

/// What one session watches.
#[derive(Default)]
struct Watch {
    /// Specs by the filter's id.
    filters: BTreeMap<String, Element>,
    /// What the client has got.
    known: State,
    /// What the last answer told; known once the client names its version.
    told: State,
    /// When the call that still waits came, and when it was last looked at.
    waiting: Option<(u64, u64)>,
}

/// Objects as they were at a version; 0 is the one before the first answer.
#[derive(Clone, Default)]
struct State {
    version: u64,
    objects: Objects,
}

/// By the filter's id and the object: values by path.
type Objects = BTreeMap<(String, Ref), Values>;
type Values = BTreeMap<String, Element>;

/// A call that has not been looked at for so long was given up by its client.
const ABANDONED_MS: u64 = 1000;

impl Filters {
    /// `CreateFilter`.
    ///
    /// # Errors
    /// As [`select`].
    pub(super) fn create(
        &mut self,
        call: &Call<'_>,
        views: &BTreeMap<String, View>,
    ) -> Result<Answer, Fault> {
        let spec = call.body.child("spec").ok_or_else(|| Fault::argument("spec"))?;
        for selected in select(call, &[spec], views)? {
            content(call, &selected, "objects")?;
        }
        // From here on an object that goes is news, not a mistake.
        let mut spec = spec.clone();
        spec.children.retain(|child| child.name != "reportMissingObjectsInResults");
        let spec = spec.push(Element::with_text("reportMissingObjectsInResults", "true"));
        self.serial += 1;
        let session = &call.session.key;
        let uuid = ids::uuid(call.world.seed, "52", &["filter", session, &self.serial.to_string()]);
        let id = format!("session[{session}]{uuid}");
        self.sessions.entry(session.clone()).or_default().filters.insert(id.clone(), spec);
        Ok(Answer::object(&Ref::new("PropertyFilter", &id)))
    }

    /// `DestroyPropertyFilter`.
    ///
    /// # Errors
    /// `ManagedObjectNotFound`.
    pub(super) fn destroy(&mut self, call: &Call<'_>) -> Result<Answer, Fault> {
        let id = &call.this.id;
        let watch = self.sessions.get_mut(&call.session.key);
        let watch = watch.filter(|watch| watch.filters.contains_key(id));
        let watch = watch.ok_or_else(|| Fault::gone(&call.this))?;
        watch.filters.remove(id);
        watch.known.objects.retain(|(filter, _), _| filter != id);
        watch.told.objects.retain(|(filter, _), _| filter != id);
        Ok(Answer::default())
    }

    /// `WaitForUpdates`, `WaitForUpdatesEx` and `CheckForUpdates`, which does not wait. The answer
    /// waits as long as there is nothing to tell and the client wants to wait.
    ///
    /// # Errors
    /// `InvalidCollectorVersion`, or as [`select`].
    pub(super) fn updates(
        &mut self,
        call: &Call<'_>,
        views: &BTreeMap<String, View>,
    ) -> Result<Answer, Fault> {
        let watch = self.sessions.entry(call.session.key.clone()).or_default();
        watch.acknowledge(call.text("version"))?;
        let options = call.body.child("options");
        let most = options.and_then(|options| number(options, "maxObjectUpdates"));
        let most = most.and_then(|most| usize::try_from(most).ok()).filter(|most| *most > 0);
        let current = watch.current(call, views)?;
        let (told, set) = watch.difference(current, most.unwrap_or(usize::MAX));
        if let Some(set) = set {
            watch.told = told;
            watch.waiting = None;
            return Ok(Answer::value(set));
        }
        let begun = watch.waiting.filter(|(_, seen)| seen.saturating_add(ABANDONED_MS) >= call.now);
        let begun = begun.map_or(call.now, |(begun, _)| begun);
        let most_s = match call.body.name.as_str() {
            "CheckForUpdates" => Some(0),
            _ => options.and_then(|options| number(options, "maxWaitSeconds")),
        };
        let most_ms = most_s.map(|s| u64::try_from(s).unwrap_or(0).saturating_mul(1000));
        if most_ms.is_some_and(|most| begun.saturating_add(most) <= call.now) {
            watch.waiting = None;
            return Ok(Answer::default());
        }
        watch.waiting = Some((begun, call.now));
        Ok(Answer { waits: true, ..Answer::default() })
    }

    /// Drops a session's filters.
    pub(super) fn forget(&mut self, session: &str) {
        self.sessions.remove(session);
    }
}

impl Watch {
    fn acknowledge(&mut self, version: &str) -> Result<(), Fault> {
        if version.is_empty() {
            self.known = State { version: self.told.version, ..State::default() };
            return Ok(());
        }
        match version.parse::<u64>() {
            Ok(version) if version == self.told.version => self.known = self.told.clone(),
            Ok(version) if version == self.known.version => {}
            _ => return Err(Fault::new("InvalidCollectorVersion", "The version is invalid.")),
        }
        Ok(())
    }

    fn current(&self, call: &Call<'_>, views: &BTreeMap<String, View>) -> Result<Objects, Fault> {
        let mut objects = Objects::new();
        for (filter, spec) in &self.filters {
            for selected in select(call, &[spec], views)? {
                let Some(content) = content(call, &selected, "objects")? else { continue };
                let values = content.children_named("propSet").filter_map(|set| {
                    Some((set.child_text("name")?.to_owned(), set.child("val")?.clone()))
                });
                objects.insert((filter.clone(), selected.object), values.collect());
            }
        }
        Ok(objects)
    }

    /// What the client knows after being told of up to `most` objects, and the `UpdateSet` that
    /// tells it; `None` when there is nothing to tell.
    fn difference(&self, mut current: Objects, most: usize) -> (State, Option<Element>) {
        let mut told = State { version: self.told.version + 1, ..self.known.clone() };
        let mut keys: Vec<_> = self.known.objects.keys().chain(current.keys()).cloned().collect();
        keys.sort();
        keys.dedup();
        let mut sets: BTreeMap<String, Vec<Element>> = BTreeMap::new();
        let (mut count, mut truncated) = (0, false);
        for key in keys {
            let now = current.remove(&key);
            let Some(update) = update(&key.1, self.known.objects.get(&key), now.as_ref()) else {
                continue;
            };
            truncated = count == most;
            if truncated {
                break;
            }
            count += 1;
            sets.entry(key.0.clone()).or_default().push(update);
            match now {
                Some(now) => told.objects.insert(key, now),
                None => told.objects.remove(&key),
            };
        }
        if count == 0 {
            return (told, None);
        }
        let set = Element::new("returnval")
            .push(Element::with_text("version", told.version.to_string()))
            .extend(sets.into_iter().map(|(filter, updates)| {
                Element::new("filterSet")
                    .push(Ref::new("PropertyFilter", &filter).element("filter"))
                    .extend(updates)
            }))
            .extend(truncated.then(|| Element::with_text("truncated", "true")));
        (told, Some(set))
    }
}

/// The `ObjectUpdate` from what was to what is; `None` where nothing changed.
fn update(object: &Ref, before: Option<&Values>, now: Option<&Values>) -> Option<Element> {
    let none = Values::new();
    let kind = match (before, now) {
        (None, Some(_)) => "enter",
        (Some(_), None) => "leave",
        _ => "modify",
    };
    let now = now.unwrap_or(&none);
    let old = before.filter(|_| kind == "modify").unwrap_or(&none);
    let set = now.iter().filter(|(path, value)| old.get(*path) != Some(*value));
    let set = set.map(|(path, value)| change(path, Some(value)));
    let unset = old.keys().filter(|path| !now.contains_key(*path)).map(|path| change(path, None));
    let changes: Vec<Element> = set.chain(unset).collect();
    if kind == "modify" && changes.is_empty() {
        return None;
    }
    Some(
        Element::new("objectSet")
            .push(Element::with_text("kind", kind))
            .push(object.element("obj"))
            .extend(changes),
    )
}

fn change(path: &str, value: Option<&Element>) -> Element {
    Element::new("changeSet")
        .push(Element::with_text("name", path))
        .push(Element::with_text("op", "assign"))
        .extend(value.cloned())
}
