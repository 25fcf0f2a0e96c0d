//! What most machines agree on.

/// So many must agree that the one who compares them is the wrong one.
const FEWEST: usize = 3;

/// The middle one of these numbers. `None` where they are too few to outvote whoever read them.
pub fn median(mut numbers: Vec<i64>) -> Option<i64> {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().filter(|_| numbers.len() >= FEWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_outvote_one_and_two_outvote_nobody() {
        assert_eq!(median(vec![3600, 0, 1]), Some(1));
        assert_eq!(median(vec![0, 3600, 3601, 3600]), Some(3600));
        assert_eq!(median(vec![3600, 3600]), None);
        assert_eq!(median(Vec::new()), None);
    }
}
