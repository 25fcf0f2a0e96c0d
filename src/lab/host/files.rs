//! Files: who may write where, and what the kernel says when it refuses.

use super::content::Content;
use super::model::{Body, Node};
use super::session::Session;

/// Why the kernel refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errno {
    NoEntry,
    Permission,
    ReadOnly,
    NoSpace,
    IsDirectory,
    NotDirectory,
    NotPermitted,
    Exists,
}

impl Errno {
    /// As `strerror` has it.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::NoEntry => "No such file or directory",
            Self::Permission => "Permission denied",
            Self::ReadOnly => "Read-only file system",
            Self::NoSpace => "No space left on device",
            Self::IsDirectory => "Is a directory",
            Self::NotDirectory => "Not a directory",
            Self::NotPermitted => "Operation not permitted",
            Self::Exists => "File exists",
        }
    }
}

/// Mounted by the kernel: nobody makes files there.
const READ_ONLY: &[&str] = &["/proc", "/sys"];
/// Memory, not disk.
const IN_MEMORY: &[&str] = &["/run", "/dev", "/tmp"];

impl Session<'_> {
    /// Whether a name may be made, replaced or removed in its directory.
    pub(super) fn may_write(&self, path: &str) -> Result<(), Errno> {
        let parent = parent(path);
        match self.host.node(parent) {
            None => return Err(self.missing(parent)),
            Some(node) if node.body != Body::Directory => return Err(Errno::NotDirectory),
            Some(node) => {
                let open = self.root || node.owner == self.user || node.mode & 0o002 != 0;
                if READ_ONLY.iter().any(|root| is_within(path, root)) {
                    return Err(Errno::ReadOnly);
                }
                if !open {
                    return Err(Errno::Permission);
                }
            }
        }
        Ok(())
    }

    /// No directory, or a file where one should be.
    fn missing(&self, path: &str) -> Errno {
        let mut above = path;
        while above != "/" && !above.is_empty() {
            above = parent(above);
            if let Some(node) = self.host.node(above) {
                let directory = node.body == Body::Directory;
                return if directory { Errno::NoEntry } else { Errno::NotDirectory };
            }
        }
        Errno::NoEntry
    }

    /// The content of a file.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        match path {
            "/dev/stdin" => return Ok(self.stdin.clone()),
            "/dev/null" => return Ok(Vec::new()),
            _ => {}
        }
        let node = self.host.node(path).ok_or_else(|| self.missing(path))?;
        let readable = self.root || node.owner == self.user || node.mode & 0o004 != 0;
        match &node.body {
            _ if !readable => Err(Errno::Permission),
            Body::File(content) => Ok(content.0.clone()),
            _ => Err(Errno::IsDirectory),
        }
    }

    /// Makes or replaces a file. On a full disk it is there afterwards, and empty.
    pub(super) fn write(&mut self, path: &str, content: &[u8], mode: u32) -> Result<(), Errno> {
        if path == "/dev/null" {
            return Ok(());
        }
        self.may_write(path)?;
        if self.host.is_directory(path) {
            return Err(Errno::IsDirectory);
        }
        let full = self.host.state.disk_full
            && !content.is_empty()
            && !IN_MEMORY.iter().any(|root| is_within(path, root));
        let kept = if full { Content::default() } else { Content(content.to_vec()) };
        let node = self.new_node(Body::File(kept), mode);
        self.host.files.insert(path.to_owned(), node);
        if full { Err(Errno::NoSpace) } else { Ok(()) }
    }

    /// Makes a directory, and those above it where asked.
    pub(super) fn make_directory(&mut self, path: &str, parents: bool) -> Result<(), Errno> {
        if self.host.is_directory(path) {
            return if parents { Ok(()) } else { Err(Errno::Exists) };
        }
        if self.host.files.contains_key(path) {
            return Err(Errno::Exists);
        }
        if parents && path != "/" {
            self.make_directory(parent(path), true)?;
        }
        self.may_write(path)?;
        let node = self.new_node(Body::Directory, 0o755);
        self.host.files.insert(path.to_owned(), node);
        Ok(())
    }

    /// Gives a name to what another name stood for.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        if !self.host.files.contains_key(from) {
            return Err(self.missing(from));
        }
        self.may_write(from)?;
        self.may_write(to)?;
        for (path, node) in self.take(from) {
            let moved = format!("{to}{}", path.strip_prefix(from).unwrap_or_default());
            self.host.files.insert(moved, node);
        }
        Ok(())
    }

    /// Removes a name, and all below it where asked.
    pub(super) fn remove(&mut self, path: &str, recursive: bool) -> Result<(), Errno> {
        let Some(node) = self.host.files.get(path) else { return Err(self.missing(path)) };
        if node.body == Body::Directory && !recursive {
            return Err(Errno::IsDirectory);
        }
        self.may_write(path)?;
        self.take(path);
        Ok(())
    }

    pub(super) fn new_node(&self, body: Body, mode: u32) -> Node {
        let owner = if self.root { "root" } else { self.user.as_str() }.to_owned();
        Node { body, mode, owner, modified: self.clock() }
    }

    /// Takes a name, and all below it, out of the file system.
    fn take(&mut self, path: &str) -> Vec<(String, Node)> {
        let taken = self.host.files.extract_if(path.to_owned().., |name, _| is_within(name, path));
        taken.collect()
    }
}

/// The directory that a path lies in.
pub(super) fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

/// Whether a path is another, or lies below it.
pub(super) fn is_within(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
