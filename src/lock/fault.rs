//! What is wrong with a lock file.

/// Why a lock file cannot be used. It is never guessed at: half a lock would move the other
/// half of the releases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct LockFault {
    /// 1-based.
    pub line: usize,
    /// A lower-case sentence without a full stop.
    pub message: String,
    /// What to do next.
    pub help: &'static str,
}
