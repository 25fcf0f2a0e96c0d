//! The spec's own words about rules, and its lock.

use super::{Case, deny, in_world, warn};
use crate::rules::testing::locked;

pub const CASES: &[Case] = &[
    in_world(
        || locked(&[("k3s.version", "v1.35.1+k3s1")], &[("k3s.version", "v1.35.9+k3s1")]),
        warn(
            "lock-behind",
            &[("[rules]", "[rules]\nlock-behind = \"warn\"")],
            "k3s.version is locked at v1.35.1+k3s1, and this boma takes v1.35.9+k3s1",
        ),
    ),
    in_world(
        || {
            let keys =
                ["cloud_provider.version", "csi.version", "k3s.version", "snapshots.version"];
            locked(&[], &keys.map(|key| (key, "v1")))
        },
        warn(
            "no-lock",
            &[],
            "no lock pins what the spec leaves open: cloud_provider.version, csi.version, k3s.version and 1 more",
        ),
    ),
    warn(
        "level-ignored",
        &[("[rules]", "[rules]\ndata-loss = \"allow\"")],
        "the level of `data-loss` cannot be lowered; it stays at deny",
    ),
    deny(
        "unknown-rule",
        &[("[rules]", "[rules]\nquorm = \"allow\"")],
        "[rules] names a rule `quorm` that does not exist",
    ),
    warn(
        "waiver-expired",
        &[(
            "[storage]",
            "[[waivers]]\nrule = \"quorum\"\nreason = \"r\"\nexpires = 2026-11-21\n[storage]",
        )],
        "the waiver of `quorum` held until 2026-11-21",
    ),
    warn(
        "waiver-unused",
        &[(
            "[storage]",
            "[[waivers]]\nrule = \"quorum\"\nreason = \"r\"\nexpires = 2026-11-22\n[storage]",
        )],
        "there is no finding of `quorum` to waive",
    ),
];
