//! Seeds, and numbers that follow from them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

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
    let digest = boma::resource::Digest::of(format!("{seed} {purpose}").as_bytes()).to_string();
    let number = u32::from_str_radix(&digest[..8], 16).expect("hexadecimal");
    f64::from(number) / f64::from(u32::MAX)
}
