//! Things that wait for each other.

use std::fmt;

/// The members of one cycle: each waits for the next, the last for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle<K>(pub Vec<K>);

impl<K: fmt::Display> fmt::Display for Cycle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for member in &self.0 {
            write!(f, "{member} -> ")?;
        }
        self.0.first().map_or(Ok(()), |first| write!(f, "{first}"))
    }
}

impl<K: fmt::Display + fmt::Debug> std::error::Error for Cycle<K> {}
