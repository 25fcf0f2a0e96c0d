//! Everything printed is a function of data: text for people, JSON for scripts, progress of an
//! apply. No clock and no environment: the same data gives the same bytes.
//!
//! Text from outside (live values, a server's own words) passes [`clean`] before it reaches a
//! terminal; what is secret is masked here even where the data says too much.

pub mod json;
mod kept;
pub mod progress;

mod attention;
mod blocked;
mod change;
mod collapse;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod country;
mod diagnostics;
mod dot;
mod drawing;
mod drift;
mod findings;
#[cfg(test)]
mod fixture;
mod header;
mod import;
mod inventory;
mod mermaid;
mod nginx;
mod page;
mod paint;
mod patch;
mod row;
mod table;
mod text;
mod value;
mod words;

pub use diagnostics::diagnostics;
pub use dot::dot_text;
pub use drawing::Drawing;
pub use drift::drift_text;
pub use findings::findings_text;
pub use import::import_text;
pub use inventory::inventory_text;
pub use mermaid::mermaid_text;
pub use nginx::nginx_text;
pub use text::{TextOptions, plan_text};
pub use words::clean;
