//! The spec: TOML text in, a checked model with places out.
//!
//! [`parse`] is pure: text in, every diagnostic of the file and perhaps a [`Spec`] out.
//! One key table (`keys/`) drives the checks, the defaults and the JSON Schema.

mod check;
mod cross;
mod keys;
mod model;
mod node;
mod parse;
mod pins;
mod read;
pub mod releases;
mod scalar;
mod schema;
mod source;
mod syntax;
mod words;

pub use check::SECRET_LABEL;
pub use model::*;
pub use parse::{Parsed, parse, parse_pinned};
pub use pins::Pins;
pub use schema::schema;
