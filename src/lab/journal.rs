//! The world on disk: a snapshot, and a log of what happened since.
//!
//! A record is a line of JSON behind its CRC-32. Only the death of the process matters here, so a
//! write is enough and nothing is synced.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::host::Hosts;
use super::k3s::Clusters;
use super::setup::Setup;
use super::vsphere::World;
use super::world::{LabWorld, Picture, Record};

/// The world's files.
pub(super) struct Journal {
    directory: PathBuf,
    log: File,
    /// Bytes in the log.
    length: u64,
    generation: u64,
}

/// What the snapshot file holds. The parts that came later are absent in old files.
#[derive(Deserialize)]
struct Snapshot {
    /// The log that continues this snapshot has the same number in its name.
    generation: u64,
    world: World,
    #[serde(default)]
    hosts: Hosts,
    #[serde(default)]
    clusters: Clusters,
}

/// The same, to be written.
#[derive(Serialize)]
struct SnapshotRef<'a> {
    generation: u64,
    world: &'a World,
    hosts: &'a Hosts,
    clusters: &'a Clusters,
}

/// A log longer than this is folded into the snapshot.
const LOG_MAX: u64 = 8 << 20;

impl Journal {
    /// Reads the world, or begins one with the setup's seed; then folds the log.
    pub(super) fn open(directory: &Path, setup: &Setup) -> io::Result<(Self, LabWorld)> {
        let (generation, mut world) = match std::fs::read(directory.join("world.json")) {
            Ok(bytes) => {
                let Snapshot { generation, world: vsphere, hosts, clusters } =
                    serde_json::from_slice(&bytes).map_err(io::Error::other)?;
                (generation, LabWorld { vsphere, hosts, clusters })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (0, LabWorld { vsphere: World::empty(setup.seed), ..LabWorld::default() })
            }
            Err(error) => return Err(error),
        };
        let path = log_path(directory, generation);
        let mut log = open_private(&path)?;
        let mut text = Vec::new();
        log.read_to_end(&mut text)?;
        for record in whole_records(&text) {
            world.apply(&record);
        }
        let directory = directory.to_owned();
        let mut journal = Self { directory, log, length: 0, generation };
        journal.fold(world.picture())?;
        Ok((journal, world))
    }

    /// Keeps records, before the answer that they belong to leaves.
    pub(super) fn append(&mut self, records: &[Record], world: Picture<'_>) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let mut lines = String::new();
        for record in records {
            let json = serde_json::to_string(record).map_err(io::Error::other)?;
            lines.push_str(&format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())));
        }
        self.log.write_all(lines.as_bytes())?;
        self.length += lines.len() as u64;
        if self.length > LOG_MAX {
            self.fold(world)?;
        }
        Ok(())
    }

    /// Writes a new snapshot with an empty log of its own; the old log goes last, so that a kill
    /// at any point leaves a snapshot with the log that continues it.
    fn fold(&mut self, world: Picture<'_>) -> io::Result<()> {
        let next = self.generation + 1;
        let log = open_private(&log_path(&self.directory, next))?;
        log.set_len(0)?;
        let Picture { vsphere, hosts, clusters } = world;
        let snapshot = SnapshotRef { generation: next, world: vsphere, hosts, clusters };
        let bytes = serde_json::to_vec(&snapshot).map_err(io::Error::other)?;
        replace(&self.directory, "world.json", &bytes)?;
        let old = std::mem::replace(&mut self.log, log);
        drop(old);
        match std::fs::remove_file(log_path(&self.directory, self.generation)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.generation = next;
        self.length = 0;
        Ok(())
    }
}

/// Replaces a file as a whole, readable by its owner only.
pub(in crate::lab) fn replace(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.persist(directory.join(name)).map_err(|error| error.error)?;
    Ok(())
}

fn log_path(directory: &Path, generation: u64) -> PathBuf {
    directory.join(format!("world.{generation}.log"))
}

fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The records up to the first that is torn.
fn whole_records(text: &[u8]) -> Vec<Record> {
    let mut entries = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let record = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok());
        let Some((sum, json)) = record.and_then(|line| line.split_once(' ')) else {
            break;
        };
        let whole = u32::from_str_radix(sum, 16) == Ok(crc32fast::hash(json.as_bytes()));
        match serde_json::from_str(json) {
            Ok(entry) if whole => entries.push(entry),
            _ => break,
        }
    }
    entries
}
