//! Seeds, and numbers that follow from them.

use boma::resource::Digest;

/// Runs a test for each seed; a failing one is printed as the command that runs it alone.
pub fn each_seed(test: &str, run: impl Fn(u64)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("BOMA_SEED") {
        Some(seed) => seed..seed.saturating_add(1),
        None => 1..number("BOMA_SEEDS").unwrap_or(3).saturating_add(1),
    };
    for seed in seeds {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed)));
        if let Err(panic) = outcome {
            eprintln!("to run it again: BOMA_SEED={seed} cargo test --test engine {test}");
            std::panic::resume_unwind(panic);
        }
    }
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
