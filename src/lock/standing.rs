//! How a spec, its lock and this boma's own releases stand to each other.

use std::collections::BTreeSet;

use super::Lock;
use super::file::entries;
use crate::spec::{Parsed, Pins, parse, parse_pinned};

/// What a spec leaves open, and what stands in for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the lock holds for the spec. `None` where it holds nothing.
    pub locked: Option<Pins>,
    /// What the spec was read with: what is locked as far as that holds, and this boma's own
    /// releases for the rest.
    pub held: Pins,
    /// What this boma takes where nothing is locked.
    pub newest: Pins,
}

/// A pin that one side has and the other has not, or not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Path of the spec's key, or `for.kubernetes` and `for.csi`.
    pub key: &'static str,
    /// `None` where nothing was pinned.
    pub from: Option<String>,
    /// `None` where nothing is to be.
    pub to: Option<String>,
}

/// Reads a spec with what its lock pins. The standing is `None` where the spec is refused.
pub fn read_spec(file: &str, text: &str, lock: &Lock) -> (Parsed, Option<Standing>) {
    let open = parse(file, text);
    let Some(spec) = &open.spec else { return (open, None) };
    let newest = Pins::of(spec);
    let locked = lock.specs.get(&spec.name.value).cloned();
    let parsed = match &locked {
        Some(pins) => parse_pinned(file, text, pins),
        None => open,
    };
    let held = parsed.spec.as_ref().map(Pins::of);
    (parsed, held.map(|held| Standing { locked, held, newest }))
}

impl Standing {
    /// What a lock must hold for what was read: nothing of it may be left to the boma that
    /// runs, and nothing may be held that the spec names itself.
    pub fn owed(&self) -> Vec<Move> {
        moves(&self.locked.clone().unwrap_or_default(), &self.held)
    }

    /// The keys that only this boma's own releases stand in for.
    pub fn unpinned(&self) -> Vec<&'static str> {
        let missing = |moved: &Move| moved.to.is_some() && !moved.key.starts_with("for.");
        self.owed().into_iter().filter(missing).map(|moved| moved.key).collect()
    }

    /// What an upgrade to this boma's own releases changes in the lock.
    pub fn upgraded(&self) -> Vec<Move> {
        moves(&self.locked.clone().unwrap_or_default(), &self.newest)
    }

    /// Where this boma's own releases are others than what the spec was read with.
    pub fn upgrade(&self) -> Vec<Move> {
        moves(&self.held, &self.newest)
    }
}

/// What leads from one to the other, sorted by key.
pub(super) fn moves(from: &Pins, to: &Pins) -> Vec<Move> {
    let (from, to) = (entries(from), entries(to));
    let keys: BTreeSet<&'static str> = from.keys().chain(to.keys()).copied().collect();
    let moved = keys.into_iter().filter(|key| from.get(key) != to.get(key));
    moved.map(|key| Move { key, from: from.get(key).cloned(), to: to.get(key).cloned() }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const SPEC: &str = include_str!("../../examples/national-50-counties.toml");

    /// The example with texts replaced, and a lock for it.
    fn standing(edits: &[(&str, &str)], lock: &Lock) -> Standing {
        let mut text = SPEC.to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        read_spec("f", &text, lock).1.unwrap()
    }

    fn locked(pins: Pins) -> Lock {
        Lock { specs: [("national".to_owned(), pins)].into() }
    }

    const OPEN: (&str, &str) = ("version     = \"v1.35.9+k3s1\"\n", "");

    #[test]
    fn without_a_lock_everything_open_is_owed() {
        let standing = standing(&[OPEN], &Lock::default());
        assert!(standing.locked.is_none() && standing.upgrade().is_empty());
        assert_eq!(standing.unpinned().len(), 7);
        assert!(standing.unpinned().contains(&"k3s.version"));
    }

    #[test]
    fn a_lock_that_is_written_is_owed_nothing() {
        let before = standing(&[OPEN], &Lock::default());
        let after = standing(&[OPEN], &locked(before.held.clone()));
        assert_eq!(after.owed(), []);
        assert_eq!(after.held, before.held);
    }

    #[test]
    fn what_is_locked_stays_until_an_upgrade() {
        let mut pins = standing(&[OPEN], &Lock::default()).held;
        pins.values.insert("k3s.version", "v1.35.1+k3s1".to_owned());
        let standing = standing(&[OPEN], &locked(pins));
        assert_eq!(standing.owed(), []);
        let (from, to) = (Some("v1.35.1+k3s1".to_owned()), Some("v1.35.9+k3s1".to_owned()));
        assert_eq!(standing.upgrade(), [Move { key: "k3s.version", from, to }]);
    }

    #[test]
    fn what_the_spec_names_is_not_to_be_held() {
        let pins = standing(&[OPEN], &Lock::default()).held;
        let standing = standing(&[], &locked(pins));
        let owed = standing.owed();
        assert_eq!(owed.len(), 1);
        assert_eq!((owed[0].key, &owed[0].to), ("k3s.version", &None));
        assert_eq!(standing.unpinned(), Vec::<&str>::new());
    }

    #[test]
    fn another_driver_owes_other_sidecars() {
        let pins = standing(&[], &Lock::default()).held;
        let other = [("version    = \"v3.7.2\"", "version    = \"v3.8.0\"")];
        let owed = standing(&other, &locked(pins)).owed();
        let moved: Vec<&str> = owed.iter().map(|moved| moved.key).collect();
        assert!(moved.contains(&"for.csi") && moved.contains(&"csi.sidecars.csi-attacher"));
        assert!(!moved.contains(&"csi.sidecars.csi-provisioner"), "it stays v4.0.1: {moved:?}");
    }
}
