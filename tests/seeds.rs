//! Seeds, and numbers that follow from them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use boma::resource::Digest;

/// Runs a test with each seed from 1 to what a variable says, or with `BOMA_SEED` alone. A seed
/// that fails prints the command that runs only it.
pub fn each(test: &str, variable: &str, default: u64, run: impl Fn(u64)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds: Vec<u64> = match number("BOMA_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number(variable).unwrap_or(default)).collect(),
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
            eprintln!(
                "again: BOMA_SEED={seed} cargo test --test all {test} -- --exact --nocapture"
            );
            resume_unwind(panic);
        }
    }
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
