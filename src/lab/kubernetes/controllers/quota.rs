//! What ResourceQuotas count, as their status tells it.

use super::json::is_going;
use super::work::Work;
use crate::lab::kubernetes::quota::status;

/// Counts anew where something was made or went.
pub(super) fn run(work: &mut Work<'_>) {
    for (key, quota) in work.due("", "resourcequotas") {
        if !is_going(&quota) {
            let status = status(&work.cluster().store, &key, &quota);
            work.put_status(&key, status);
        }
    }
}
