//! One call: what a method may look at.

use crate::xml::Element;

use super::fault::Fault;
use super::permission::holds;
use super::world::{Entity, Ref, Session, World};

/// What the owner of the server may turn; no part of the world.
#[derive(Clone, Copy, Debug)]
pub(in crate::lab) struct Settings {
    /// How long each task takes.
    pub task_delay_ms: u64,
    /// The most objects in one page of properties.
    pub page_size: usize,
}

/// One checked request and the world it meets.
pub(super) struct Call<'a> {
    pub world: &'a World,
    pub settings: Settings,
    pub session: &'a Session,
    /// The object it is sent to.
    pub this: Ref,
    /// The method's element; its children are the parameters.
    pub body: &'a Element,
    /// Milliseconds since 1970.
    pub now: u64,
}

impl<'a> Call<'a> {
    pub(super) fn text(&self, name: &str) -> &'a str {
        self.body.child_text(name).unwrap_or_default()
    }

    pub(super) fn object(&self, name: &str) -> Option<Ref> {
        self.body.child(name).map(Ref::read)
    }

    pub(super) fn objects(&self, name: &str) -> Vec<Ref> {
        self.body.children_named(name).map(Ref::read).collect()
    }

    /// The entity the call is sent to.
    pub(super) fn entity(&self) -> Result<&'a Entity, Fault> {
        self.find(&self.this)
    }

    /// An entity by reference.
    ///
    /// # Errors
    /// `ManagedObjectNotFound`, also when it is of another class than the reference says.
    pub(super) fn find(&self, object: &Ref) -> Result<&'a Entity, Fault> {
        self.world
            .get(&object.id)
            .filter(|entity| entity.class() == object.class)
            .ok_or_else(|| Fault::gone(object))
    }

    /// An entity parameter that must be there and of a class.
    ///
    /// # Errors
    /// `InvalidArgument` naming the parameter, or `ManagedObjectNotFound`.
    pub(super) fn of_class(
        &self,
        object: Option<Ref>,
        class: &str,
        parameter: &str,
    ) -> Result<&'a Entity, Fault> {
        let object = object
            .filter(|object| object.class == class)
            .ok_or_else(|| Fault::argument(parameter))?;
        self.find(&object)
    }

    /// Stops the call unless the caller holds a privilege on an entity.
    ///
    /// # Errors
    /// `NoPermission` with the object and the privilege.
    pub(super) fn require(&self, entity: &Entity, privilege: &str) -> Result<(), Fault> {
        if holds(self.world, &self.session.principal, &entity.id, privilege) {
            return Ok(());
        }
        Err(Fault::permission(&entity.reference(), privilege))
    }
}

/// A boolean child.
pub(super) fn flag(element: &Element, name: &str) -> Option<bool> {
    element.child_text(name).map(|text| matches!(text.trim(), "true" | "1"))
}

/// A whole-number child; the schema check has made sure it is one.
pub(super) fn number(element: &Element, name: &str) -> Option<i64> {
    element.child_text(name)?.trim().parse().ok()
}
