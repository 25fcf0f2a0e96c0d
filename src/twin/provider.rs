//! The world behind the provider trait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::operation::carry_out;
use super::{Faults, How, VirtualClock, World};
use crate::apply::Clock;
use crate::plan::Step;
use crate::provider::{Act, BoxFuture, Inputs, Provider, ProviderError, Retry, Run, Wanted};
use crate::resource::{Address, Reading};

/// Answers for every endpoint of a simulated world.
pub struct Twin {
    world: World,
    clock: Arc<VirtualClock>,
    faults: Faults,
    latency: Duration,
    calls: AtomicU64,
}

impl Twin {
    /// A provider over a world in which every call takes a second and none goes wrong.
    pub fn new(world: World, clock: Arc<VirtualClock>) -> Self {
        let (faults, latency) = (Faults::default(), Duration::from_secs(1));
        Self { world, clock, faults, latency, calls: AtomicU64::new(0) }
    }

    /// The same with faults.
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// The same where every call takes so long.
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// How many steps were asked for so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Provider for Twin {
    fn read<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Vec<(Address, Reading)>> {
        Box::pin(async move {
            let read = |one: &Wanted| {
                (one.address.clone(), self.world.read(&one.address, one.kind, &one.locator))
            };
            wanted.iter().map(read).collect()
        })
    }

    fn act<'a>(
        &'a self,
        step: &'a Step,
        inputs: &'a Inputs,
        run: &'a dyn Run,
    ) -> BoxFuture<'a, Act> {
        Box::pin(async move {
            let call = self.calls.fetch_add(1, Ordering::SeqCst).saturating_add(1);
            let fault = self.faults.of(call);
            run.note(serde_json::json!({ "call": call }))?;
            self.clock.sleep(self.latency).await;
            match fault {
                Some(How::LostBefore) => return Err(lost(step)),
                Some(How::Refused) => {
                    return Err(refused(step, "refused by a rule of the simulation".into()));
                }
                Some(How::LostAfter) | None => {}
            }
            let outcome = carry_out(&mut self.world.data(), step, inputs);
            match (outcome, fault) {
                (Ok(_), Some(How::LostAfter)) => Err(lost(step)),
                (Ok(reading), _) => Ok(reading),
                (Err(message), _) => Err(refused(step, message)),
            }
        })
    }
}

fn lost(step: &Step) -> ProviderError {
    ProviderError {
        operation: operation(step),
        message: "the connection was lost".into(),
        help: "apply again: it finds out what came of the call".into(),
        retry: Retry::Later,
    }
}

fn refused(step: &Step, message: String) -> ProviderError {
    ProviderError {
        operation: operation(step),
        message,
        help: "plan again: the world is not as the plan says".into(),
        retry: Retry::Never,
    }
}

fn operation(step: &Step) -> String {
    format!("{} {}", step.operation.words(), step.address)
}
