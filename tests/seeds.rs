//! Seeds, and numbers that follow from them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use boma::resource::Digest;

/// Runs a test with each seed from 1 to what a variable says, or with `BOMA_SEED` alone. A seed
/// that fails prints the command that runs only it.
pub fn each(test: &str, variable: &str, default: u64, run: impl Fn(u64)) {
    for seed in seeds(variable, default) {
        one(test, seed, &run).unwrap_or_else(|panic| resume_unwind(panic));
    }
}

/// The same for a test that waits more than it works: several seeds at once, until one fails.
pub fn each_at_once(test: &str, variable: &str, default: u64, run: impl Fn(u64) + Sync) {
    let seeds = seeds(variable, default);
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(panic) = one(test, *seed, &run) {
                next.store(seeds.len(), Ordering::Relaxed);
                resume_unwind(panic);
            }
        }
    };
    let workers = 2 * thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers.min(seeds.len()) {
            scope.spawn(work);
        }
    });
}

fn seeds(variable: &str, default: u64) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("BOMA_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number(variable).unwrap_or(default)).collect(),
    }
}

fn one(test: &str, seed: u64, run: impl Fn(u64)) -> thread::Result<()> {
    let outcome = catch_unwind(AssertUnwindSafe(|| run(seed)));
    if outcome.is_err() {
        eprintln!("again: BOMA_SEED={seed} cargo test --test all {test} -- --exact --nocapture");
    }
    outcome
}

/// A number from 0 to 1 that follows from a seed and a purpose.
pub fn share(seed: u64, purpose: &str) -> f64 {
    let digest = Digest::of(format!("{seed} {purpose}").as_bytes()).to_string();
    let number = u32::from_str_radix(&digest[..8], 16).expect("hexadecimal");
    f64::from(number) / f64::from(u32::MAX)
}

/// A stream of numbers that follows from a seed and a purpose.
pub struct Dice {
    seed: String,
    drawn: u64,
}

impl Dice {
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self { seed: format!("{seed}/{purpose}"), drawn: 0 }
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.drawn += 1;
        let digest = Digest::of(format!("{}/{}", self.seed, self.drawn).as_bytes()).to_string();
        usize::from_str_radix(&digest[..12], 16).unwrap() % limit.max(1)
    }

    /// True `share` times of a hundred.
    pub fn chance(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}
