//! Every key of the spec as data: what it is called, what it holds, what it means.
//!
//! The checks, the defaults, the suggestions and the JSON Schema are read off this table.

mod backup;
mod cluster;
mod images;
mod k3s;
mod machines;
mod network;
mod projects;
mod review;
mod root;
mod ssh;
mod vcenter;

use super::scalar::{self, Form};

pub(super) use root::ROOT;

/// One key of a table.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) need: Need,
    /// One or two sentences for people who edit a spec.
    pub(super) doc: &'static str,
    /// A value in TOML, where the shape's own example says too little.
    pub(super) example: Option<&'static str>,
}

/// Whether a key must be written.
#[derive(Clone, Copy)]
pub(super) enum Need {
    Required,
    /// Its absence means something, which the doc says.
    Optional,
    /// The value, in TOML, that applies where it is absent.
    Default(&'static str),
}

/// What a key holds.
pub(super) enum Shape {
    Text(&'static Form),
    /// A text that may be empty.
    TextOrEmpty(&'static Form),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Smallest and largest value.
    Integer(i64, i64),
    Bool,
    /// A TOML date, or the same between quotes.
    Date,
    /// A reference to a secret.
    Secret,
    List(&'static Shape),
    /// A value or a list of such values.
    OneOrMany(&'static Shape),
    /// A table with these keys.
    Table(&'static [Key]),
    /// A table whose keys are names of this form.
    Map(&'static Form, &'static Shape),
}

const fn key(name: &'static str, need: Need, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, need, doc, example: None }
}

const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    key(name, Need::Required, shape, doc)
}

const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    key(name, Need::Optional, shape, doc)
}

const fn default(name: &'static str, value: &'static str, shape: Shape, doc: &'static str) -> Key {
    key(name, Need::Default(value), shape, doc)
}

impl Key {
    const fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }
}

// Shapes that many tables use.
const TEXT: Shape = Shape::Text(&scalar::TEXT);
const LABEL: Shape = Shape::Text(&scalar::LABEL);
const HOST: Shape = Shape::Text(&scalar::HOST);
const OBJECT: Shape = Shape::Text(&scalar::OBJECT);
const FOLDER: Shape = Shape::Text(&scalar::FOLDER);
const SIZE: Shape = Shape::Text(&scalar::SIZE);
const CPU: Shape = Shape::Text(&scalar::CPU);
const DURATION: Shape = Shape::Text(&scalar::DURATION);
const CRON: Shape = Shape::Text(&scalar::CRON);
const ADDRESS: Shape = Shape::Text(&scalar::ADDRESS);
const CIDR: Shape = Shape::Text(&scalar::CIDR);
const IMAGE: Shape = Shape::Text(&scalar::IMAGE);
const URL: Shape = Shape::Text(&scalar::URL);
const RELEASE: Shape = Shape::Text(&scalar::RELEASE);
const PORT: Shape = Shape::Integer(1, 65_535);
const DELETION: Shape = Shape::Choice(&["Retain", "Delete"]);
