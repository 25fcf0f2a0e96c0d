//! The property collector: which objects a filter selects, and what it shows of them.

use std::collections::BTreeMap;

use crate::xml::Element;

use super::answer::Answer;
use super::call::{Call, flag};
use super::fault::Fault;
use super::permission::holds;
use super::property::{Missing, Object, Source};
use super::schema::SCHEMA;
use super::world::{Entity, Ref, World};

/// A container view of one session.
pub(super) struct View {
    pub session: String,
    pub container: String,
    pub types: Vec<String>,
    pub recursive: bool,
}

/// One object that a filter selected, and the paths asked of it.
#[derive(Clone)]
pub(super) struct Selected {
    pub object: Ref,
    /// `None` for every property.
    pub paths: Option<Vec<String>>,
}

impl View {
    /// What the view holds now.
    fn objects(&self, world: &World) -> Vec<Ref> {
        let inside = |entity: &&Entity| {
            let placed = if self.recursive {
                entity.id != self.container && world.is_below(&entity.id, &self.container)
            } else {
                entity.parent.as_ref() == Some(&self.container)
            };
            placed
                && (self.types.is_empty()
                    || self.types.iter().any(|class| SCHEMA.is_a(entity.class(), class)))
        };
        world.entities.values().filter(inside).map(Entity::reference).collect()
    }
}

/// The objects that the filters select, each once per filter, in the order they are reached.
///
/// # Errors
/// `InvalidArgument` for an unknown type or selection, `InvalidProperty` for a path that leads
/// nowhere, `ManagedObjectNotFound` for a named object that is gone.
pub(super) fn select(
    call: &Call<'_>,
    specs: &[&Element],
    views: &BTreeMap<String, View>,
) -> Result<Vec<Selected>, Fault> {
    let mut selected = Vec::new();
    for spec in specs {
        let lenient = flag(spec, "reportMissingObjectsInResults") == Some(true);
        for property in spec.children_named("propSet") {
            let class = property.child_text("type").unwrap_or_default();
            if !SCHEMA.is_managed(class) && class != "ManagedObject" {
                return Err(Fault::argument("specSet.propSet.type"));
            }
        }
        for object in spec.children_named("objectSet") {
            let start = object.child("obj").map(Ref::read).ok_or_else(|| Fault::argument("obj"))?;
            if !exists(call, views, &start) {
                if lenient {
                    continue;
                }
                return Err(Fault::gone(&start));
            }
            let mut walk = Walk {
                call,
                views,
                spec,
                named: BTreeMap::new(),
                seen: Vec::new(),
                found: Vec::new(),
            };
            name_selections(object, &mut walk.named);
            if flag(object, "skip") != Some(true) {
                walk.take(&start);
            }
            walk.follow(&start, object)?;
            selected.append(&mut walk.found);
        }
    }
    Ok(selected)
}

/// One selected object as `ObjectContent`; `None` when it has gone in the meantime.
///
/// # Errors
/// `InvalidProperty` naming the path.
pub(super) fn content(
    call: &Call<'_>,
    selected: &Selected,
    name: &str,
) -> Result<Option<Element>, Fault> {
    let source = Source { world: call.world, session: call.session, now: call.now };
    let entity = call.world.get(&selected.object.id);
    if entity.is_none()
        && selected.object.class != "Task"
        && SCHEMA.is_a(&selected.object.class, "ManagedEntity")
    {
        return Ok(None);
    }
    let may = |privilege: &str| {
        entity
            .is_none_or(|entity| holds(call.world, &call.session.principal, &entity.id, privilege))
    };
    let (readable, visible) = (may("System.Read"), may("System.View"));
    let mut object = Object::new(&source, selected.object.clone());
    let (mut shown, mut missing) = (Vec::new(), Vec::new());
    let every: Vec<String> =
        SCHEMA.fields(&selected.object.class).iter().map(|field| field.name.to_owned()).collect();
    for path in selected.paths.as_ref().unwrap_or(&every) {
        match object.value(path) {
            Err(Missing::Invalid) => return Err(invalid(path)),
            _ if !(readable || visible && VIEWABLE.contains(&path.as_str())) => {
                let fault = Fault::permission(&selected.object, "System.Read").localized("fault");
                missing.push(
                    Element::new("missingSet").push(Element::with_text("path", path)).push(fault),
                );
            }
            Ok(value) => shown
                .push(Element::new("propSet").push(Element::with_text("name", path)).push(value)),
            Err(Missing::Unset) => {}
        }
    }
    Ok(Some(Element::new(name).push(selected.object.element("obj")).extend(shown).extend(missing)))
}

/// Properties of entities that take no more than `System.View` (ManagedEntity in VMware's API
/// reference).
const VIEWABLE: &[&str] = &["name", "parent"];

/// `Fetch`: one property of one object, which is how pyvmomi reads.
///
/// # Errors
/// As [`select`] and [`content`]; `NoPermission` where the caller may not read.
pub(super) fn fetch(call: &Call<'_>, views: &BTreeMap<String, View>) -> Result<Answer, Fault> {
    if !exists(call, views, &call.this) {
        return Err(Fault::gone(&call.this));
    }
    if let Some(entity) = call.world.get(&call.this.id) {
        call.require(entity, "System.Read")?;
    }
    let path = call.text("prop");
    if let (Some(view), "view") = (views.get(&call.this.id), path) {
        let objects = view.objects(call.world);
        let objects = objects.iter().map(|object| object.element("ManagedObjectReference"));
        let array = Element::new("returnval").attr("xsi:type", "ArrayOfManagedObjectReference");
        return Ok(Answer::value(array.extend(objects)));
    }
    let source = Source { world: call.world, session: call.session, now: call.now };
    match Object::new(&source, call.this.clone()).value(path) {
        Ok(value) => {
            let name = "returnval".to_owned();
            Ok(Answer::value(Element { name, ..value }))
        }
        Err(Missing::Unset) => Ok(Answer::default()),
        Err(Missing::Invalid) => Err(invalid(path)),
    }
}

/// One walk from a named object along its selections.
struct Walk<'a> {
    call: &'a Call<'a>,
    views: &'a BTreeMap<String, View>,
    spec: &'a Element,
    named: BTreeMap<String, Element>,
    /// Object and traversal pairs already followed: selections may refer to themselves.
    seen: Vec<(String, *const Element)>,
    found: Vec<Selected>,
}

impl Walk<'_> {
    fn take(&mut self, object: &Ref) {
        if self.found.iter().any(|known| known.object == *object) {
            return;
        }
        let mut paths = Some(Vec::new());
        let mut wanted = false;
        for property in self.spec.children_named("propSet") {
            if !SCHEMA.is_a(&object.class, property.child_text("type").unwrap_or_default()) {
                continue;
            }
            wanted = true;
            if flag(property, "all") == Some(true) {
                paths = None;
            } else if let Some(paths) = &mut paths {
                paths.extend(property.children_named("pathSet").map(|path| path.text.clone()));
            }
        }
        if wanted {
            let object = object.clone();
            self.found.push(Selected { object, paths });
        }
    }

    fn follow(&mut self, object: &Ref, holder: &Element) -> Result<(), Fault> {
        for selection in holder.children_named("selectSet") {
            let name = selection.child_text("name").unwrap_or_default();
            let traversal = match selection.child("path") {
                Some(_) => selection.clone(),
                None => {
                    self.named.get(name).cloned().ok_or_else(|| Fault::argument("selectSet"))?
                }
            };
            let class = traversal.child_text("type").unwrap_or_default();
            let path = traversal.child_text("path").unwrap_or_default();
            let mark = (
                format!("{}:{} {class} {path}", object.class, object.id),
                std::ptr::from_ref(selection),
            );
            if !SCHEMA.is_a(&object.class, class) || self.seen.contains(&mark) {
                continue;
            }
            self.seen.push(mark);
            for next in self.targets(object, path)? {
                if flag(&traversal, "skip") != Some(true) {
                    self.take(&next);
                }
                self.follow(&next, &traversal)?;
            }
        }
        Ok(())
    }

    /// What a property refers to, without what the caller may not see.
    fn targets(&self, object: &Ref, path: &str) -> Result<Vec<Ref>, Fault> {
        let call = self.call;
        let found = match self.views.get(&object.id) {
            Some(view) if path == "view" => view.objects(call.world),
            _ => {
                let source = Source { world: call.world, session: call.session, now: call.now };
                Object::new(&source, object.clone()).references(path).map_err(|_| invalid(path))?
            }
        };
        let visible = |object: &Ref| {
            call.world.get(&object.id).is_none()
                || holds(call.world, &call.session.principal, &object.id, "System.View")
        };
        Ok(found.into_iter().filter(visible).collect())
    }
}

fn exists(call: &Call<'_>, views: &BTreeMap<String, View>, object: &Ref) -> bool {
    let singleton =
        super::session::SINGLETONS.contains(&(object.class.as_str(), object.id.as_str()));
    let task = || {
        object.class == "Task" && call.world.tasks.get(&object.id).is_some_and(|task| task.listed)
    };
    let view = || views.get(&object.id).is_some_and(|view| view.session == call.session.key);
    singleton || call.find(object).is_ok() || task() || view()
}

fn name_selections(holder: &Element, named: &mut BTreeMap<String, Element>) {
    for selection in holder.children_named("selectSet") {
        if let (Some(name), Some(_)) = (selection.child_text("name"), selection.child("path")) {
            named.insert(name.to_owned(), selection.clone());
        }
        name_selections(selection, named);
    }
}

fn invalid(path: &str) -> Fault {
    Fault::new("InvalidProperty", format!("The property '{path}' is invalid.")).text("name", path)
}
