//! One broken thing a case, and exactly the finding that it must give.

mod access;
mod cluster;
mod hosts;
mod machines;
mod objects;
mod projects;
mod releases;
mod review;

use std::collections::BTreeSet;

use super::known;
use super::testing::{World, findings, nothing, spec};
use crate::diag::Level;

struct Case {
    rule: &'static str,
    level: Level,
    edits: &'static [(&'static str, &'static str)],
    world: fn() -> World,
    message: &'static str,
}

type Edits = &'static [(&'static str, &'static str)];

const fn deny(rule: &'static str, edits: Edits, message: &'static str) -> Case {
    Case { rule, level: Level::Deny, edits, world: nothing, message }
}

const fn warn(rule: &'static str, edits: Edits, message: &'static str) -> Case {
    Case { level: Level::Warn, ..deny(rule, edits, message) }
}

const fn in_world(world: fn() -> World, case: Case) -> Case {
    Case { world, ..case }
}

/// Each breaks nothing else.
const CASES: [&[Case]; 8] = [
    access::CASES,
    cluster::CASES,
    hosts::CASES,
    machines::CASES,
    objects::CASES,
    projects::CASES,
    releases::CASES,
    review::CASES,
];

/// What cannot be broken alone: old versions are past their end, too. [`objects`] has more.
const JOINED: &[Case] = &[
    deny(
        "docker-version",
        &[
            ("v1.35.9+k3s1", "v1.25.14+k3s1"),
            ("[k3s]", "[docker]\nversion = \"29.0.0\"\n[k3s]\nruntime = \"docker\""),
        ],
        "k3s v1.25.14+k3s1 cannot use Docker 29.0.0",
    ),
    deny(
        "dead-registry",
        &[("v1.35.9+k3s1", "v1.25.14+k3s1")],
        "registry.k8s.io never had images of CPI v1.25.3",
    ),
    deny(
        "dead-registry",
        &[("v1.35.9+k3s1", "v1.25.14+k3s1")],
        "registry.k8s.io never had images of CSI v2.7.2",
    ),
    deny(
        "thumbprint-unread",
        &[
            ("v1.35.9+k3s1", "v1.29.0+k3s1"),
            ("[k3s]", "[csi]\nversion = \"v3.5.0\"\n[k3s]"),
            (
                "datacenter",
                "thumbprint = \"00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\"\ndatacenter",
            ),
        ],
        "CPI v1.29.0 cannot compare a certificate's SHA-256",
    ),
    warn(
        "end-of-life",
        &[("5.3.1", "4.10.0")],
        "CHT 4.10.0 of county-1 and 3 more has had no fixes since 2026-11-20 or earlier",
    ),
    warn(
        "image-owner",
        &[("\"5.3.1\"", "\"4.22.0\"\nimage_owner = \"boma\"")],
        "boma undoes upgrades of county-1 and 3 more from the admin page",
    ),
    deny(
        "cluster-id",
        &[
            ("v1.35.9+k3s1", "v1.25.14+k3s1"),
            ("[storage]", "[csi]\nkeep_generated_id = true\n[storage]"),
        ],
        "CSI v2.7.2 generates no cluster id",
    ),
];

fn joined() -> impl Iterator<Item = &'static Case> {
    JOINED.iter().chain(objects::JOINED).chain(projects::JOINED)
}

fn cases() -> impl Iterator<Item = &'static Case> {
    CASES.into_iter().flatten()
}

#[test]
fn the_sound_spec_breaks_no_rule() {
    assert_eq!(findings(&spec(&[]), &nothing()), []);
}

#[test]
fn one_broken_thing_is_one_finding() {
    for case in cases() {
        let found = findings(&spec(case.edits), &(case.world)());
        let found: Vec<_> =
            found.iter().map(|found| (found.rule, found.level, found.message.as_str())).collect();
        assert_eq!(found, [(case.rule, case.level, case.message)]);
    }
}

#[test]
fn some_things_break_several_rules() {
    for case in joined() {
        let found = findings(&spec(case.edits), &(case.world)());
        let expected = (case.rule, case.level, case.message);
        let mut found = found.iter().map(|found| (found.rule, found.level, found.message.as_str()));
        assert!(found.any(|found| found == expected), "{expected:?}");
    }
}

#[test]
fn every_finding_names_its_way_out() {
    for case in cases() {
        for found in findings(&spec(case.edits), &(case.world)()) {
            assert!(!found.help.is_empty() && !found.message.ends_with('.'), "{found:?}");
        }
    }
}

#[test]
fn every_rule_has_a_case_and_a_name_of_its_own() {
    let names: BTreeSet<&str> = known().iter().copied().collect();
    assert_eq!(names.len(), known().len(), "two rules have one name");
    let kebab = |name: &&str| {
        name.split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
    };
    assert!(names.iter().all(kebab));
    let tested = cases().chain(joined()).map(|case| case.rule);
    assert_eq!(names, tested.collect());
}
