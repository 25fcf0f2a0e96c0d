//! Calls that go wrong, the same ones at every run of a seed.

use crate::resource::Digest;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The connection drops on the way there: nothing has happened.
    LostBefore,
    /// The connection drops on the way back: it has happened, and nobody says so.
    LostAfter,
    /// The endpoint refuses, and will again.
    Refused,
}

/// Which calls go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This one, counted from 1.
    Call(u64),
    /// This one and all later ones, counted from 1.
    From(u64),
    /// So many of a thousand, picked by the seed.
    PerMille(u64),
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which calls.
    pub when: When,
    /// What happens to them.
    pub how: How,
}

/// All rules of a run; the first that covers a call counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Picks calls for [`When::PerMille`].
    pub seed: u64,
    /// In order.
    pub rules: Vec<Fault>,
}

impl Faults {
    /// One rule, without a seed.
    pub fn one(when: When, how: How) -> Self {
        Self { seed: 0, rules: vec![Fault { when, how }] }
    }

    /// What goes wrong with a call, counted from 1. `None` where nothing does.
    pub fn of(&self, call: u64) -> Option<How> {
        let covers = |rule: &(usize, &Fault)| match rule.1.when {
            When::Call(number) => number == call,
            When::From(number) => call >= number,
            When::PerMille(share) => self.draw(rule.0, call) < share,
        };
        self.rules.iter().enumerate().find(covers).map(|(_, rule)| rule.how)
    }

    /// A number below 1000 for one rule and call.
    fn draw(&self, rule: usize, call: u64) -> u64 {
        let digest = Digest::of(format!("{}/{rule}/{call}", self.seed).as_bytes()).to_string();
        digest.get(..8).and_then(|text| u64::from_str_radix(text, 16).ok()).unwrap_or_default()
            % 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(faults: &Faults, expected: &[u64]) {
        let hit: Vec<u64> = (1..=6).filter(|&call| faults.of(call).is_some()).collect();
        assert_eq!(hit, expected);
    }

    #[test]
    fn rules_pick_calls_by_number() {
        check(&Faults::default(), &[]);
        check(&Faults::one(When::Call(2), How::Refused), &[2]);
        check(&Faults::one(When::From(5), How::LostAfter), &[5, 6]);
    }

    #[test]
    fn a_seed_picks_about_the_share_and_always_the_same() {
        let faults = |seed| Faults { seed, ..Faults::one(When::PerMille(200), How::LostBefore) };
        let hits =
            |seed| (1..=1000).filter(|&call| faults(seed).of(call).is_some()).collect::<Vec<_>>();
        assert!((150..250).contains(&hits(1).len()));
        assert_eq!(hits(1), hits(1));
        assert_ne!(hits(1), hits(2));
    }
}
