//! What programs wrote on volumes. It stays as long as the disk, whatever mounts it.

use super::world::{Effect, Entry, World};

impl World {
    /// What stands at a place.
    pub(in crate::lab) fn content(&self, place: &str) -> Option<&str> {
        self.contents.get(place).map(String::as_str)
    }

    /// Writes a text at a place; nothing where it stands there already. Nothing is applied.
    pub(in crate::lab) fn write(&self, place: &str, text: String) -> Option<Entry> {
        let same = self.content(place) == Some(text.as_str());
        (!same).then(|| Entry { effects: vec![Effect::Write { place: place.to_owned(), text }] })
    }

    pub(super) fn erase(&mut self, disk: &str) {
        let on_disk = |place: &str| {
            place.strip_prefix(disk).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.contents.retain(|place, _| !on_disk(place));
    }
}
