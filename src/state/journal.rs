//! The journal: what happened since `state.json` was written, one checked record a line.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use thiserror::Error;

use super::{FORMAT, Open, Record};
use crate::resource::Address;

/// The first record of a journal: which `state.json` it extends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// See [`FORMAT`].
    pub format: u32,
    /// The lineage of the state.
    pub lineage: String,
    /// The serial of the `state.json` that the entries come after.
    pub serial: u64,
}

/// One thing that happened.
///
/// Entries are written as they are given: the caller puts no secret into any of them, neither
/// into a note nor into the message of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// A call is about to be made.
    Intent {
        /// The resource.
        address: Address,
        /// The call, in words for people.
        operation: String,
        /// Where its object is found, without notes.
        open: Open,
    },
    /// Something to remember about the call under way, such as a task id.
    Note {
        /// The resource.
        address: Address,
        /// What the provider needs to find the work again.
        data: Json,
    },
    /// The outcome is known: this is what stands now.
    Put {
        /// The resource.
        address: Address,
        /// What is recorded of it from now on.
        record: Record,
    },
    /// Deleted or forgotten.
    Remove {
        /// The resource.
        address: Address,
    },
    /// The call was refused and did nothing.
    Closed {
        /// The resource.
        address: Address,
    },
    /// The outcome is unknown; the intent stays open.
    Failed {
        /// The resource.
        address: Address,
        /// What the endpoint said.
        message: String,
    },
    /// Who answers behind an endpoint.
    Identity {
        /// The endpoint's name.
        endpoint: String,
        /// How it identifies itself: the vCenter's instance UUID.
        identity: String,
    },
    /// The same object under another address.
    Move {
        /// The address so far.
        from: Address,
        /// The address from now on.
        to: Address,
    },
}

/// A journal as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// `None` where the file is empty or missing.
    pub header: Option<Header>,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// Length of the whole records in bytes.
    pub valid_len: usize,
    /// Whether a record that was not written to its end follows them.
    pub torn: bool,
}

/// What is wrong with a journal.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Bytes changed after they were written.
    #[error(
        "the record at byte {offset} is damaged and the one at byte {next} is whole, so this is \
         not the end of a crashed run: restore the directory from a backup, or move it away and \
         plan again, which adopts what bears boma's marks"
    )]
    Damaged {
        /// Where the damaged record begins.
        offset: usize,
        /// Where the next whole one does.
        next: usize,
    },
    /// A whole record that means nothing to this version.
    #[error(
        "the record at byte {offset} is whole but not understood: it was probably written by \
         another version of boma; use that version"
    )]
    Unknown {
        /// Where it begins.
        offset: usize,
        /// What was not understood.
        source: serde_json::Error,
    },
    /// A later format.
    #[error(
        "written by a newer boma (format {found}, this one reads up to {supported}): use that \
         version; nothing was changed"
    )]
    Newer {
        /// Its format.
        found: u32,
        /// See [`FORMAT`].
        supported: u32,
    },
    /// An entry that has no JSON form, or one of more than 4 GiB.
    #[error("a journal entry cannot be written: this is a fault in boma, please report it")]
    Unwritable(#[source] serde_json::Error),
}

/// Encodes the first record.
///
/// # Errors
/// [`JournalError::Unwritable`], which no header causes.
pub fn encode_header(header: &Header) -> Result<Vec<u8>, JournalError> {
    encode(header)
}

/// Encodes one entry as a record.
///
/// # Errors
/// [`JournalError::Unwritable`] for more than 4 GiB.
pub fn encode_entry(entry: &Entry) -> Result<Vec<u8>, JournalError> {
    encode(entry)
}

/// Reads a journal up to a torn tail.
///
/// # Errors
/// All but [`JournalError::Unwritable`]: what is not a torn tail is never left out.
pub fn parse_journal(bytes: &[u8]) -> Result<Journal, JournalError> {
    let mut journal = Journal::default();
    while let Some(rest) = bytes.get(journal.valid_len..).filter(|rest| !rest.is_empty()) {
        let Some((payload, length)) = split_record(rest) else {
            return cut_tail(journal, bytes);
        };
        read_payload(&mut journal, payload)?;
        journal.valid_len += length;
    }
    Ok(journal)
}

/// Digits of the length and of the checksum.
const DIGITS: usize = 8;

/// Bytes before the payload: length, space, checksum, space.
const FRONT: usize = 2 * (DIGITS + 1);

fn encode(payload: &impl Serialize) -> Result<Vec<u8>, JournalError> {
    let payload = serde_json::to_vec(payload).map_err(JournalError::Unwritable)?;
    let length = u32::try_from(payload.len())
        .map_err(|error| JournalError::Unwritable(serde::ser::Error::custom(error)))?;
    let mut record = format!("{length:08x} {:08x} ", crc32fast::hash(&payload)).into_bytes();
    record.extend(payload);
    record.push(b'\n');
    Ok(record)
}

/// The payload of the record that the bytes begin with, and the length of the whole record.
fn split_record(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (length, rest) = split_number(bytes)?;
    let (checksum, rest) = split_number(rest)?;
    let length = usize::try_from(length).ok()?;
    let (payload, rest) = rest.split_at_checked(length)?;
    let whole = rest.first() == Some(&b'\n') && crc32fast::hash(payload) == checksum;
    whole.then_some((payload, FRONT + length + 1))
}

/// Strict on purpose (no sign, no capitals), so that every changed byte is noticed.
fn split_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(DIGITS)?;
    let number = digits.iter().try_fold(0, |number: u32, digit| match digit {
        b'0'..=b'9' => Some(number << 4 | u32::from(digit - b'0')),
        b'a'..=b'f' => Some(number << 4 | u32::from(digit - b'a' + 10)),
        _ => None,
    })?;
    Some((number, rest.strip_prefix(b" ")?))
}

/// Tells a torn tail from damage: nothing whole follows a tail. Any byte may be the start of the
/// next record, since the damage may be in a length or a line break.
fn cut_tail(journal: Journal, bytes: &[u8]) -> Result<Journal, JournalError> {
    let offset = journal.valid_len;
    let starts = bytes.iter().enumerate().skip(offset).filter(|(_, byte)| **byte == b' ');
    let next = starts
        .filter_map(|(space, _)| space.checked_sub(DIGITS))
        .filter(|start| *start > offset)
        .find(|start| bytes.get(*start..).and_then(split_record).is_some());
    match next {
        Some(next) => Err(JournalError::Damaged { offset, next }),
        None => Ok(Journal { torn: true, ..journal }),
    }
}

fn read_payload(journal: &mut Journal, payload: &[u8]) -> Result<(), JournalError> {
    let unknown = |source| JournalError::Unknown { offset: journal.valid_len, source };
    if journal.header.is_some() {
        journal.entries.push(serde_json::from_slice(payload).map_err(unknown)?);
        return Ok(());
    }
    let Format { format } = serde_json::from_slice(payload).map_err(unknown)?;
    if format > FORMAT {
        return Err(JournalError::Newer { found: format, supported: FORMAT });
    }
    journal.header = Some(serde_json::from_slice(payload).map_err(unknown)?);
    Ok(())
}

/// The one field that every format has.
#[derive(Deserialize)]
pub(super) struct Format {
    pub(super) format: u32,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::state::samples::{entries, header, journal_bytes};

    fn check(bytes: &[u8], expected: Result<(usize, bool), &str>) {
        match (parse_journal(bytes), expected) {
            (Ok(journal), Ok((count, torn))) => {
                assert_eq!((journal.entries.as_slice(), journal.torn), (&entries()[..count], torn));
            }
            (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{error}"),
            (found, _) => panic!("expected {expected:?}, found {found:?}"),
        }
    }

    /// Where each record ends, the header's first.
    fn ends() -> Vec<usize> {
        let header = encode_header(&header(0)).unwrap().len();
        entries()
            .iter()
            .scan(header, |end, entry| {
                let start = *end;
                *end += encode_entry(entry).unwrap().len();
                Some(start)
            })
            .collect()
    }

    #[test]
    fn a_record_is_one_checked_line() {
        let header = Header { format: 1, lineage: "l".into(), serial: 7 };
        let text = String::from_utf8(encode_header(&header).unwrap()).unwrap();
        assert_eq!(text, "00000025 852d1c73 {\"format\":1,\"lineage\":\"l\",\"serial\":7}\n");
        assert_eq!(parse_journal(text.as_bytes()).unwrap().header, Some(header));
        assert_eq!(parse_journal(b"").unwrap(), Journal::default());
    }

    #[test]
    fn a_cut_at_any_byte_leaves_the_whole_records() {
        let bytes = journal_bytes(0);
        let ends = ends();
        for length in 0..=bytes.len() {
            let whole = ends.iter().skip(1).filter(|end| **end <= length).count()
                + usize::from(length == bytes.len());
            let boundary = length == 0 || length == bytes.len() || ends.contains(&length);
            check(&bytes[..length], Ok((whole, !boundary)));
        }
    }

    #[test]
    fn a_changed_byte_before_the_last_record_is_damage() {
        let bytes = journal_bytes(0);
        for at in 0..*ends().last().unwrap() {
            for flip in [0x01, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                check(&changed, Err("is damaged"));
            }
        }
    }

    #[test]
    fn zeros_after_a_power_cut_are_a_torn_tail() {
        let mut bytes = journal_bytes(0);
        bytes.extend([0; 4096]);
        check(&bytes, Ok((entries().len(), true)));
    }

    #[test]
    fn what_another_version_wrote_is_refused() {
        let newer = Header { format: FORMAT + 1, ..header(0) };
        check(&encode_header(&newer).unwrap(), Err("written by a newer boma (format 2"));
        let mut bytes = journal_bytes(0);
        bytes.extend(encode(&serde_json::json!({"teleport": {"address": "a"}})).unwrap());
        check(&bytes, Err("whole but not understood"));
        check(&encode_entry(&entries()[0]).unwrap(), Err("whole but not understood"));
    }
}
