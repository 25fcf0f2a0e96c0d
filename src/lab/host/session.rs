//! What one command works on: a host's picture that it may change, and what it can see beyond.

use std::borrow::Cow;

use crate::lab::k3s::{ClusterEffect, Clusters};

use super::hosts::Hosts;
use super::model::Host;

/// One command at work.
pub(super) struct Session<'a> {
    /// Changed in place; the difference to before is what the command did.
    pub host: Host,
    pub peers: &'a Hosts,
    pub clusters: Cow<'a, Clusters>,
    pub cluster_effects: Vec<ClusterEffect>,
    /// Milliseconds since 1970, by the lab's clock.
    pub now: u64,
    pub seed: u64,
    pub user: String,
    pub root: bool,
    pub stdin: Vec<u8>,
    /// Whether the host goes down once the command has ended.
    pub reboots: bool,
}

/// What a command says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::lab) struct Output {
    pub status: u32,
    pub stdout: Vec<u8>,
    pub stderr: String,
    /// It never ends by itself.
    pub hangs: bool,
}

impl<'a> Session<'a> {
    /// A session of root.
    pub(super) fn new(
        host: &Host,
        peers: &'a Hosts,
        clusters: &'a Clusters,
        seed: u64,
        now: u64,
    ) -> Self {
        Self {
            host: host.clone(),
            peers,
            clusters: Cow::Borrowed(clusters),
            cluster_effects: Vec::new(),
            now,
            seed,
            user: "root".to_owned(),
            root: true,
            stdin: Vec::new(),
            reboots: false,
        }
    }

    /// Carries out what happened to clusters.
    pub(super) fn keep(&mut self, effects: Vec<ClusterEffect>) {
        for effect in effects {
            self.clusters.to_mut().apply(&effect);
            self.cluster_effects.push(effect);
        }
    }

    /// The host's own clock, in seconds since 1970.
    pub(super) fn clock(&self) -> i64 {
        self.host.clock(self.now)
    }
}

impl Output {
    /// Success with text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { stdout: text.into().into_bytes(), ..Self::default() }
    }

    /// Success with nothing to say.
    pub(super) fn done() -> Self {
        Self::default()
    }

    /// Failure with a line on stderr.
    pub(super) fn failed(status: u32, message: impl Into<String>) -> Self {
        let mut stderr = message.into();
        if !stderr.is_empty() && !stderr.ends_with('\n') {
            stderr.push('\n');
        }
        Self { status, stderr, ..Self::default() }
    }

    /// A command that waits for what never comes.
    pub(super) fn hanging() -> Self {
        Self { hangs: true, ..Self::default() }
    }
}
