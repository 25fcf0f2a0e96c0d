//! Upgrades that a county begins in its own admin UI: what boma does meanwhile, and afterwards.

use boma::lab::ProjectAction;

use super::hand::Hand;
use crate::cli::hosts::rig::{APPLY, DRIFT, PLAN, Rig};

const SPACE: &str = "cht-county-01";
const API: &str = "/apis/apps/v1/namespaces/cht-county-01/deployments/cht-api";
const OLD: &str = "cht     = \"4.21.0\"";

fn image(hand: &Hand) -> String {
    hand.get(API)["spec"]["template"]["spec"]["containers"][0]["image"].to_string()
}

#[test]
fn a_county_is_left_alone_while_it_upgrades_and_stays_upgraded() {
    let rig = Rig::new();
    rig.env.edit("cht     = \"5.3.1\"", OLD);
    rig.env.lock("small.toml");
    rig.apply();
    let hand = Hand::of(rig);
    let release = "4.22.0".to_owned();
    hand.rig.project(SPACE, &ProjectAction::Stage { release: release.clone() });
    // Whatever is changed: labels of a Service as well as what its pods are made of.
    let version = || hand.get(API)["metadata"]["resourceVersion"].clone();
    let before = version();
    let service = format!("/api/v1/namespaces/{SPACE}/services/api");
    hand.edit(&service, &serde_json::json!({"metadata": {"labels": {"cht.service": "x"}}}));
    hand.rig.env.edit(OLD, &format!("{OLD}\nlog_level = \"debug\""));
    let partly = hand.rig.env.expect(4, APPLY);
    let said = "an upgrade runs in cht-county-01: to 4.22.0, ";
    let part =
        |name: &str| partly.stdout.lines().any(|line| line.contains(name) && line.contains(said));
    assert!(part("county-01/Service/api"), "{partly}");
    assert!(partly.stdout.contains("cancel it on the Upgrades page"), "{partly}");
    assert_eq!(version(), before);
    assert_eq!(hand.get(&service)["metadata"]["labels"]["cht.service"], "x");

    hand.rig.project(SPACE, &ProjectAction::Complete { release });
    hand.rig.project(SPACE, &ProjectAction::Abort);
    assert!(image(&hand).contains(":4.22.0"), "{}", image(&hand));
    hand.rig.apply();
    assert!(image(&hand).contains(":4.22.0"), "{}", image(&hand));
    hand.rig.env.expect(0, DRIFT);
    hand.rig.env.assert_settled();
    let plan = hand.rig.env.expect(0, PLAN).stdout;
    assert!(plan.contains("cht-newer"), "{plan}");
}
