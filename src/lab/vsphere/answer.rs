//! What a method gives back.

use crate::xml::Element;

use super::task::Task;
use super::world::{Effect, Ref};

/// The returned values and what the call does to the world.
#[derive(Default)]
pub(super) struct Answer {
    /// Each becomes one `returnval`.
    pub returned: Vec<Element>,
    pub effects: Vec<Effect>,
    /// There is nothing to say yet: the same call is to be made again in a moment.
    pub waits: bool,
}

impl Answer {
    pub(super) fn value(element: Element) -> Self {
        Self { returned: vec![element], ..Self::default() }
    }

    pub(super) fn values(returned: Vec<Element>) -> Self {
        Self { returned, ..Self::default() }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::value(Element::with_text("returnval", text))
    }

    pub(super) fn object(object: &Ref) -> Self {
        Self::value(object.element("returnval"))
    }

    pub(super) fn done(effects: Vec<Effect>) -> Self {
        Self { effects, ..Self::default() }
    }

    /// A started task.
    pub(super) fn task(task: Task) -> Self {
        Self {
            returned: vec![Ref::new("Task", &task.id).element("returnval")],
            effects: vec![Effect::PutTask(Box::new(task))],
            ..Self::default()
        }
    }
}
