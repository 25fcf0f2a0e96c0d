//! The file as data, and its text.

use std::collections::BTreeMap;
use std::fmt;

use crate::spec::Pins;

/// Its name, in the folder of the specs.
pub const FILE: &str = "boma.lock";

/// The format that this version writes, and the newest that it reads.
pub const FORMAT: i64 = 1;

const HEAD: &str = "\
# Written by `boma lock`: the releases that boma takes where a spec names none. Commit this file.
# `boma lock SPEC --upgrade` moves a spec to the releases of the boma that runs it.
";

/// What is pinned, by the name of the spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// A table for each spec.
    pub specs: BTreeMap<String, Pins>,
}

/// The text: a table a spec, a key a line, both sorted, so that a review shows what moved.
impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HEAD}\nformat = {FORMAT}\n")?;
        for (name, pins) in &self.specs {
            write!(f, "\n[specs.{name}]\n")?;
            for (key, value) in entries(pins) {
                // Keys and values are of forms that need no escapes.
                writeln!(f, "{key} = \"{value}\"")?;
            }
        }
        Ok(())
    }
}

/// Every line of a table: the pins, and what they were chosen for.
pub(super) fn entries(pins: &Pins) -> BTreeMap<&'static str, String> {
    let mut entries = pins.values.clone();
    entries.extend(pins.kubernetes.map(|minor| (KUBERNETES, format!("1.{minor}"))));
    entries.extend(pins.csi.clone().map(|csi| (CSI, csi)));
    entries
}

/// The Kubernetes minor that pins were chosen for.
pub(super) const KUBERNETES: &str = "for.kubernetes";

/// The CSI release that pins were chosen for.
pub(super) const CSI: &str = "for.csi";
