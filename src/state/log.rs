//! The journal while it is written.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::file::{JOURNAL, io_error, replace, sync_dir};
use super::{Entry, Header, StoreError, encode_entry, encode_header};

/// What a log writes to: the file, or a full disk in tests.
pub(super) trait Tail: Send {
    /// Writes bytes at the end; they are on disk when this returns.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts to a length in bytes; it is cut on disk when this returns.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Tail for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)?;
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_data()
    }
}

/// A journal that is open for appending.
pub(super) struct Log {
    tail: Box<dyn Tail>,
    path: PathBuf,
    /// Bytes of whole records.
    length: u64,
    entries: usize,
    /// Whether something may follow the whole records.
    frayed: bool,
}

/// In bytes. A longer journal slows every reader; a shorter one is folded, and so the whole state
/// written, more often.
const LENGTH_MAX: u64 = 4 << 20;

/// The same limit for small entries.
const ENTRIES_MAX: usize = 20_000;

impl Log {
    /// Replaces the journal of a directory by an empty one.
    pub(super) fn begin(dir: &Path, header: &Header) -> Result<Self, StoreError> {
        let path = dir.join(JOURNAL);
        let record = encode_header(header)
            .map_err(|source| StoreError::Journal { path: path.clone(), source })?;
        let file = replace(&path, |out| out.write_all(&record))?;
        sync_dir(dir)?;
        let length = record.len() as u64;
        Ok(Self { tail: Box::new(file), path, length, entries: 0, frayed: false })
    }

    /// Writes one entry; it is on disk when this returns. After an error the journal is as it
    /// was, or is cut back to that before anything else is written.
    pub(super) fn append(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let record = encode_entry(entry)
            .map_err(|source| StoreError::Journal { path: self.path.clone(), source })?;
        if self.frayed {
            self.cut()?;
        }
        if let Err(source) = self.tail.write(&record) {
            self.frayed = true;
            // The first error tells more; where the cut fails too, the next append reports it.
            let _ = self.cut();
            return Err(io_error(&self.path, "append to", source));
        }
        self.length += record.len() as u64;
        self.entries += 1;
        Ok(())
    }

    /// Whether anything was appended.
    pub(super) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Whether it should be folded.
    pub(super) fn is_long(&self) -> bool {
        self.length > LENGTH_MAX || self.entries > ENTRIES_MAX
    }

    fn cut(&mut self) -> Result<(), StoreError> {
        let cut = self.tail.cut(self.length);
        cut.map_err(|source| io_error(&self.path, "cut off half a record at the end of", source))?;
        self.frayed = false;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::state::samples::{entries, header};
    use crate::state::{Journal, parse_journal};

    /// A disk with room for so many bytes, on which cutting may fail too.
    struct FullDisk {
        file: File,
        room: usize,
        cuts_fail: usize,
    }

    impl Tail for FullDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            let fits = bytes.len().min(self.room);
            self.room -= fits;
            self.file.write_all(&bytes[..fits])?;
            if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            if self.cuts_fail > 0 {
                self.cuts_fail -= 1;
                return Err(io::Error::other("input/output error"));
            }
            self.file.set_len(length)
        }
    }

    fn check(cuts_fail: usize, expected: &[&str]) -> Journal {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::begin(dir.path(), &header(0)).unwrap();
        let file = File::options().append(true).open(&log.path).unwrap();
        log.tail = Box::new(FullDisk { file, room: 150, cuts_fail });
        let errors: Vec<String> = entries()
            .iter()
            .filter_map(|entry| log.append(entry).err())
            .map(|error| error.to_string().replace(&dir.path().display().to_string(), ""))
            .collect();
        assert_eq!(errors.len(), expected.len(), "{errors:?}");
        errors.iter().zip(expected).for_each(|(error, text)| {
            assert!(error.starts_with(text), "{error}");
        });
        parse_journal(&std::fs::read(dir.path().join(JOURNAL)).unwrap()).unwrap()
    }

    #[test]
    fn a_full_disk_leaves_whole_records_only() {
        let full = "append to /journal: the disk is full; free some space";
        let journal = check(0, &[full; 10]);
        assert_eq!((journal.entries.as_slice(), journal.torn), (&entries()[..1], false));
    }

    #[test]
    fn nothing_is_appended_after_half_a_record() {
        let full = "append to /journal: the disk is full";
        let frayed = "cut off half a record at the end of /journal";
        let expected = [vec![full], vec![frayed; 9]].concat();
        let journal = check(usize::MAX, &expected);
        assert_eq!((journal.entries.as_slice(), journal.torn), (&entries()[..1], true));
    }

    #[test]
    fn a_cut_that_worked_at_last_lets_the_log_go_on() {
        let full = "append to /journal: the disk is full";
        let frayed = "cut off half a record at the end of /journal";
        let expected = [vec![full, frayed], vec![full; 8]].concat();
        assert!(!check(2, &expected).torn);
    }
}
