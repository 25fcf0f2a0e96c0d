//! What boma speaks about: addresses, values, the facts of each kind, and conditions over
//! objects. Plain data; this folder knows nothing else in the crate.

mod address;
mod attributes;
mod condition;
mod endpoint;
mod facts;
mod kinds;
mod manifest;
mod median;
mod object;
mod place;
mod pointer;
mod quantity;
mod release;
mod seal;
mod value;

pub use address::{Address, Glob};
pub use attributes::{Attributes, Digest, hex, unhex};
pub use condition::{Condition, Unmet};
pub use endpoint::{Endpoint, EndpointFacts};
pub use facts::{Comparison, Effect, Field, Identity, Kind, KindFacts, Layer, Lifecycle, Mode};
pub use manifest::{is_amount, is_whole};
pub use median::median;
pub use object::{Locator, Mark, Object, Reading};
pub use place::Place;
pub use pointer::{pointer_key, pointer_word};
pub use quantity::milli;
pub use release::Release;
pub use seal::{Sealer, is_sealed};
pub use value::{
    Edge, EdgeKind, Escape, Form, Generated, Reference, Resource, SecretSource, TextPart, Value,
    as_reference, as_secret, generated, references, resolve, secrets,
};
