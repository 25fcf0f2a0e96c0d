//! What a program prints, and how it ends.

use super::effect::ClusterEffect;

/// A program's end.
#[derive(Clone, Debug, Default)]
pub(in crate::lab) struct Reply {
    /// The exit status.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    /// Also there where the program failed: a drain that fails has cordoned its node.
    pub effects: Vec<ClusterEffect>,
    /// How long the real program would take, where that is long: until the timeout it was given, or
    /// a day where it would wait without end.
    pub took_ms: u64,
}

/// Longer than anybody waits.
pub(super) const FOR_EVER_MS: u64 = 86_400_000;

impl Reply {
    pub(super) fn ok(stdout: impl Into<String>) -> Self {
        Self { stdout: stdout.into(), ..Self::default() }
    }

    /// Status 1 with that text and a line feed on standard error.
    pub(super) fn fail(stderr: impl AsRef<str>) -> Self {
        Self { status: 1, stderr: format!("{}\n", stderr.as_ref()), ..Self::default() }
    }

    pub(super) fn with(self, effects: Vec<ClusterEffect>) -> Self {
        Self { effects, ..self }
    }

    pub(super) fn after(self, took_ms: u64) -> Self {
        Self { took_ms, ..self }
    }
}
