//! What a plan of fifty counties looks like.

use serde_json::{Value as Json, json};

use super::fixture::*;
use super::json::plan_json;
use super::plan_text;
use crate::plan::{
    Action, Change, Difference, Impact, Operation, Plan, Reason, Review, Rolled, Rollout, Wave,
};
use crate::resource::Attributes;

const COUNTIES: usize = 50;

/// One object of each county, made with what is given for it.
fn each(object: &str, make: impl Fn(String, &str) -> Change) -> Vec<Change> {
    let name = |at: usize| format!("county-{at:02}");
    let address = |name: &str| format!("project/{name}/{}", object.replace('*', name));
    (1..=COUNTIES).map(|at| make(address(&name(at)), &name(at))).collect()
}

fn made(object: &str, desired: impl Fn(&str) -> Json) -> Vec<Change> {
    let kind = crate::resource::Kind::named("kubernetes/Object").unwrap();
    each(object, |address, name| Change {
        desired: Attributes::new(&desired(name)),
        ..change(Action::Create, kind, &address, Reason::New)
    })
}

/// Twenty-five objects in each county; the first has a larger claim, the last another host.
fn new_country() -> Review {
    let mut changes = made("Namespace/cht-*", |_| json!({}));
    changes.extend(made("Deployment/cht-api", |_| {
        let containers = json!([{"name": "cht-api", "image": "example.org/cht-api:5.3.1"}]);
        json!({"spec": {"replicas": 1, "template": {"spec": {"containers": containers}}}})
    }));
    changes.extend(made("PersistentVolumeClaim/couchdb-claim0", |name| {
        let storage = if name == "county-01" { "700Gi" } else { "50Gi" };
        json!({"spec": {"resources": {"requests": {"storage": storage}}}})
    }));
    changes.extend(made("Ingress/api", |name| {
        let host = if name == "county-50" { "capital.cht.org" } else { &format!("{name}.cht.org") };
        json!({"spec": {"rules": [{"host": host}]}})
    }));
    for at in 1..=21 {
        changes.extend(made(&format!("Service/service-{at}"), |_| json!({})));
    }
    changes.sort_by(|one, other| one.address.cmp(&other.address));
    review(changes)
}

/// One default changes in all counties but the first, which overrides it and is changed by hand.
fn changed_default() -> Review {
    let path = "spec.template.spec.containers.cht-api.resources.limits.memory";
    let mut changes = each("Deployment/cht-api", |address, name| {
        let memory = if name == "county-01" { "8Gi" } else { "2Gi" };
        let edit = edit(path, json!("1Gi"), json!(memory));
        Change {
            attributes: vec![Difference { impact: Impact::Restart, ..edit }],
            steps: vec![step(&address, Operation::Update)],
            ..change(Action::Update, PROJECT, &address, Reason::SpecChanged)
        }
    });
    changes.extend(each("ConfigMap/a", |address, _| idle(PROJECT, &address)));
    let mut review = review(changes);
    review.plan.rollout = Some(rollout(&review.plan));
    review
}

fn rollout(plan: &Plan) -> Rollout {
    let name = |at: &usize| plan.changes[*at].address.project().unwrap().to_owned();
    let rolled = |at: &usize| Rolled { name: name(at), nodes: vec![*at] };
    let wave = |canary: bool, counties: &[usize]| Wave {
        canary,
        projects: counties.iter().map(rolled).collect(),
    };
    let others: Vec<usize> = (0..COUNTIES - 1).collect();
    let first = [wave(true, &[COUNTIES - 1])].into_iter();
    let waves = first.chain(others.chunks(5).map(|chunk| wave(false, chunk))).collect();
    Rollout { failures_max: 0, waves }
}

fn check(review: &Review, expected: &str) {
    assert_eq!(format!("\n{}", plan_text(review, &options())), expected);
}

#[test]
fn a_new_country_is_a_line_for_each_object() {
    let text = plan_text(&new_country(), &options());
    let lines: Vec<&str> = text.lines().collect();
    let heads = lines.iter().filter(|line| line.contains("  + ")).count();
    assert_eq!((heads, lines.len()), (27, 41), "{text}");
    for line in [
        "  50 projects   1,250       -        -       -          -",
        "  + project/*/Namespace/cht-*    50 projects alike          national.toml:10",
        "  + project/*/Deployment/cht-api    50 projects alike       national.toml:10",
        "      host: *.cht.org",
        "      host: capital.cht.org",
    ] {
        assert!(lines.contains(&line), "{line}\n{text}");
    }
    let claim = "PersistentVolumeClaim/couchdb-claim0";
    let at = lines.iter().position(|line| line.contains("all but county-01")).unwrap();
    assert!(lines[at - 1].contains(&format!("project/*/{claim}    49 of 50 projects alike")));
    assert_eq!(lines[at + 1], "      storage: 50Gi");
    assert!(lines[at + 2].starts_with(&format!("  + project/county-01/{claim}")));
    assert_eq!(lines[at + 3], "      storage: 700Gi");
}

#[test]
fn a_changed_default_says_who_is_down_and_in_which_order() {
    check(
        &changed_default(),
        "
national · live read in 1.2 s, 37 requests · state serial 41

  layer        create  update  replace  delete  unchanged
  50 projects       -      50        -       -         50

  attention
    outage        50 projects restart: county-01, county-02, county-03 and 47 more
    rollout       county-50 first, then 10 waves of 5; stops at the first failed project

  ~ project/*/Deployment/cht-api    49 of 50 projects alike  national.toml:10
      all but county-01
      spec.template.spec.containers.cht-api.resources.limits.memory: 1Gi -> 2Gi  restart
  ~ project/county-01/Deployment/cht-api                    national.toml:10
      spec.template.spec.containers.cht-api.resources.limits.memory: 1Gi -> 8Gi  restart

Plan: 0 to add, 50 to change, 0 to destroy.
",
    );
}

#[test]
fn scripts_get_the_waves_and_the_outages() {
    let plan = plan_json(&changed_default());
    let waves = &plan.rollout.as_ref().unwrap().waves;
    assert!(waves[0].canary && waves[0].projects == ["county-50"]);
    assert_eq!((waves.len(), waves[1].projects.len()), (11, 5));
    assert_eq!(plan.interrupted.len(), 50);
    assert!(plan_json(&new_country()).interrupted.is_empty());
}

#[test]
fn a_limit_and_a_lone_wave_have_words() {
    let mut review = changed_default();
    review.plan.rollout =
        Some(Rollout { failures_max: 2, waves: rollout(&review.plan).waves.split_off(10) });
    let text = plan_text(&review, &options());
    let line = "    rollout       4 at a time; stops after more than 2 failed projects";
    assert!(text.lines().any(|other| other == line), "{text}");
}
