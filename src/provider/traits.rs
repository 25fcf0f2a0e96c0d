//! The two methods of a provider.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value as Json;

use super::ProviderError;
use crate::plan::Step;
use crate::resource::{Address, Kind, Locator, Mark, Object, Reading};

/// A future that can be sent between threads and kept behind a pointer.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One object to look for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which resource it is.
    pub address: Address,
    /// Its kind.
    pub kind: Kind,
    /// Where to look.
    pub locator: Locator,
}

/// What a step works with.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The attributes to write, all values known, secrets included. On create everything desired;
    /// on update only the top-level fields that differ, or everything where the kind is applied
    /// whole ([`crate::resource::Lifecycle::Applied`]). Empty on delete and power.
    pub attributes: Json,
    /// Which of them were made up for this apply: JSON pointers. An object that has such a value
    /// keeps its own.
    pub generated: Vec<String>,
    /// The object as last read. `None` on create.
    pub object: Option<Object>,
    /// Its natural key.
    pub locator: Locator,
    /// The sign to leave on a created object. `None` where the kind carries none.
    pub mark: Option<Mark>,
}

/// What a running step may tell and ask.
pub trait Run: Send + Sync {
    /// Puts data about work under way, such as a task id, into the journal; it is on disk when
    /// this returns.
    ///
    /// # Errors
    /// The journal cannot be written; the step must stop.
    fn note(&self, data: Json) -> Result<(), ProviderError>;

    /// Says how far the work is.
    fn progress(&self, text: &str);

    /// Whether somebody asked boma to stop at once.
    fn stopping(&self) -> bool;
}

/// The result of a step: the object afterwards, or [`Reading::Absent`] after a delete.
pub type Act = Result<Reading, ProviderError>;

/// Code that reads and changes the objects behind one kind of endpoint.
pub trait Provider: Send + Sync {
    /// Reads in bulk. Answers for every address asked, in any order, and for whatever a place that
    /// stands for many objects covers, under that address and its name; what could not be read is
    /// [`Reading::Unread`] with a reason that says what to do.
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>>;

    /// Carries out one step: one change of the remote side.
    ///
    /// # Errors
    /// The remote side refused or could not be reached; see [`ProviderError::retry`].
    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act>;
}
