//! Kills: an apply that ends in the middle, seen from inside and from the next apply.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use boma::apply::{Ledger, LedgerError};
use boma::plan::Step;
use boma::provider::{Act, BoxFuture, Inputs, Provider, ProviderError, Retry, Run, Wanted};
use boma::resource::{Address, Reading, Reference};
use boma::state::Entry;
use boma::twin::{MemoryLedger, Twin};
use serde_json::Value as Json;

/// When the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// With so many entries on disk; the next one is not written.
    BeforeAppend(usize),
    /// Right after this entry, counted from 1, is on disk.
    AfterAppend(usize),
    /// Right after this call, counted from 1, took effect.
    AfterCall(usize),
}

/// Shared by the ledger and the provider of one process.
pub struct Life {
    death: Option<Death>,
    dead: AtomicBool,
    appends: AtomicUsize,
    calls: AtomicUsize,
    /// Calls asked for after death: there must be none.
    pub late_calls: AtomicUsize,
}

impl Life {
    pub fn until(death: Option<Death>) -> Arc<Self> {
        Arc::new(Self {
            death,
            dead: AtomicBool::new(false),
            appends: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            late_calls: AtomicUsize::new(0),
        })
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub fn appends(&self) -> usize {
        self.appends.load(Ordering::SeqCst)
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }
}

/// A journal that fails from the moment of death.
pub struct DyingLedger {
    pub ledger: MemoryLedger,
    pub life: Arc<Life>,
}

impl Ledger for DyingLedger {
    fn append(&self, entry: Entry) -> Result<(), LedgerError> {
        let number = self.life.appends.fetch_add(1, Ordering::SeqCst) + 1;
        if self.life.death == Some(Death::BeforeAppend(number - 1)) {
            self.life.die();
        }
        if self.life.is_dead() {
            return Err(LedgerError("the process is dead".into()));
        }
        self.ledger.append(entry)?;
        if self.life.death == Some(Death::AfterAppend(number)) {
            self.life.die();
            return Err(LedgerError("the process is dead".into()));
        }
        Ok(())
    }

    fn value(&self, reference: &Reference) -> Option<Json> {
        self.ledger.value(reference)
    }
}

/// A twin whose answers never arrive from the moment of death.
pub struct DyingProvider {
    pub twin: Twin,
    pub life: Arc<Life>,
}

impl Provider for DyingProvider {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        self.twin.read(wanted)
    }

    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act> {
        Box::pin(async move {
            if self.life.is_dead() {
                self.life.late_calls.fetch_add(1, Ordering::SeqCst);
                return Err(gone());
            }
            let number = self.life.calls.fetch_add(1, Ordering::SeqCst) + 1;
            let outcome = self.twin.act(step, inputs, run).await;
            if self.life.death == Some(Death::AfterCall(number)) {
                self.life.die();
            }
            if self.life.is_dead() { Err(gone()) } else { outcome }
        })
    }
}

fn gone() -> ProviderError {
    ProviderError {
        operation: "answer".into(),
        message: "the process is dead".into(),
        help: String::new(),
        retry: Retry::Later,
    }
}
