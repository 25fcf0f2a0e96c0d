//! Whose clock is wrong: k3s dates certificates to the moment when they are made, and they are not
//! valid yet on a machine that is behind.

use std::collections::BTreeMap;

use crate::provider::host::Failure;
use crate::resource::median;

/// A join follows within seconds of the certificates that it is made with.
const REFUSED_S: i64 = 30;

/// Refuses where a machine's clock is apart from the others', or from boma's while too few others
/// are known. `skews` are seconds ahead of boma, by machine.
///
/// # Errors
/// How far it is apart.
pub fn check(machine: &str, skews: &BTreeMap<String, i64>) -> Result<(), Failure> {
    let Some(own) = skews.get(machine) else { return Ok(()) };
    let common = median(skews.values().copied().collect());
    let skew = own.saturating_sub(common.unwrap_or(0));
    if skew.saturating_abs() <= REFUSED_S {
        return Ok(());
    }
    let direction = if skew < 0 { "behind" } else { "ahead" };
    Err(Failure::refused(
        format!(
            "the clock of {machine} is {} seconds {direction}: certificates made now are not valid \
             on both sides",
            skew.unsigned_abs()
        ),
        "start the time service there (`timedatectl set-ntp true`) and name reachable servers in \
         `ntp` of [machines]; apply again once its clock is right",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_right(machine: &str, skews: &[(&str, i64)]) -> bool {
        let skews = skews.iter().map(|(name, skew)| ((*name).to_owned(), *skew)).collect();
        check(machine, &skews).is_ok()
    }

    #[test]
    fn the_one_that_is_apart_from_most_is_wrong() {
        assert!(is_right("a", &[("a", 30)]));
        assert!(!is_right("a", &[("a", 31)]));
        assert!(!is_right("a", &[("a", -31), ("b", 0)]));
        let boma = [("a", 3600), ("b", 3601), ("c", 3600), ("d", 0)];
        assert!(is_right("a", &boma));
        assert!(!is_right("d", &boma));
        assert!(is_right("unread", &boma));
    }
}
