//! `end-of-life`: what is past its end gets no security fixes, and the longer it waits the more
//! single steps the way back takes (k3s: one minor at a time).

use jiff::civil::Date;

use super::words::{by_place, names};
use super::{Facts, Problem, Rule, Version};
use crate::spec::Project;
use crate::spec::releases::{CHT_NEWEST, End, cht_end, kubernetes_end, usable};

/// See the file's head.
pub const RULE: Rule = Rule::warn("end-of-life", check);

/// How long before the end to say so: a minor upgrade of a whole country takes about that.
const AHEAD_DAYS: i32 = 90;

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    report.extend(kubernetes(facts));
    let ended = |project: &&Project| cht(project, facts.today).is_some();
    let projects = facts.spec.projects.iter().filter(ended);
    for (place, group) in by_place(projects.map(|project| (&project.cht.place, &project.name))) {
        let first = facts.spec.projects.iter().find(|project| &project.cht.place == place);
        let Some((project, when)) = first.and_then(|one| Some((one, cht(one, facts.today)?)))
        else {
            continue;
        };
        let message = format!("CHT {} of {} {when}", project.cht, names(&group));
        let help = format!("raise `cht` to a maintained release: \"{CHT_NEWEST}\"");
        report.push(Problem::at(place, message, help));
    }
}

fn kubernetes(facts: &Facts<'_>) -> Option<Problem> {
    let version = &facts.spec.k3s.version;
    let minor = Version::parse(version)?.minor;
    let when = when(kubernetes_end(minor)?, facts.today)?;
    let minors: Vec<String> = usable(facts.today).map(|minor| format!("1.{minor}")).collect();
    let help = match minors.is_empty() {
        true => "raise `version` in [k3s], one minor at a time".to_owned(),
        false => format!(
            "raise `version` in [k3s], one minor at a time, to one of {}",
            minors.join(", ")
        ),
    };
    Some(Problem::at(&version.place, format!("k3s {version} {when}"), help))
}

fn cht(project: &Project, today: Date) -> Option<String> {
    let version = Version::parse(&project.cht)?;
    when(cht_end((version.major, version.minor))?, today)
}

/// What to say about an end on a day. `None` while it is far.
fn when(end: End, today: Date) -> Option<String> {
    let date = end.date;
    let days = today.until(date).ok()?.get_days();
    match (days, end.exact) {
        (..0, true) => Some(format!("has had no fixes since {date}")),
        (..0, false) => Some(format!("has had no fixes since {date} or earlier")),
        (..=AHEAD_DAYS, _) => Some(format!("has no fixes after {date}, in {days} days")),
        _ => None,
    }
}
