//! Changes, laid out: a line for each resource or group, a line for each difference.

use super::TextOptions;
use super::collapse::Group;
use super::page::Block;
use super::paint::{Span, Style};
use super::row::{Row, Shown};
use super::value::{cut, cut_pair};
use super::words::{clean, count, impact, names, number, places, symbol};
use crate::plan::{Action, Plan};
use crate::resource::{Address, Glob};

/// Where differences begin: below the address.
const INDENT: &str = "      ";

/// Lines of a text or items of a list that are shown without `full`.
const LINES_MAX: usize = 20;

/// A value is never cut to fewer characters than this.
const VALUE_MIN: usize = 40;

/// Adds one group: its head, then its rows.
pub fn group(block: &mut Block, group: &Group<'_>, plan: &Plan, options: &TextOptions) {
    let paint = options.paint();
    let style = style(group.action);
    let covered = covered(group, plan);
    let head = paint
        .span(style, &format!("{:>3} ", symbol(group.action)))
        .then(Span::plain(group.label.clone()))
        .then(Span::plain(alike(group, covered.len())));
    block.line_right(head, paint.span(Style::Dim, &why(group)));
    if let Some(members) = members(group, &covered) {
        block.line(paint.span(Style::Dim, &format!("{INDENT}{members}")));
    }
    for one in &group.rows {
        row(block, one, options);
    }
}

/// Adds one row: its value, or its path with lines below it.
pub fn row(block: &mut Block, row: &Row, options: &TextOptions) {
    let paint = options.paint();
    let room = match options.full {
        true => usize::MAX,
        false => options.width.saturating_sub(INDENT.len() + row.path.chars().count() + 2),
    };
    let (value, lines) = match &row.shown {
        Shown::Value { text, .. } => (cut(text, room.max(VALUE_MIN)), Vec::new()),
        Shown::Range(first, last) => {
            let limit = (room / 2).max(VALUE_MIN);
            (format!("{} … {}", cut(first, limit), cut(last, limit)), Vec::new())
        }
        Shown::Pair(before, after) => {
            let (before, after) = cut_pair(before, after, (room / 2).max(VALUE_MIN));
            (format!("{before} -> {after}"), Vec::new())
        }
        Shown::Items { added, removed, kept } => {
            let signed = |sign: &'static str| move |item: &String| format!("{sign} {item}");
            let lines =
                removed.iter().map(signed("-")).chain(added.iter().map(signed("+"))).collect();
            (items_words(added.len(), removed.len(), *kept), lines)
        }
        Shown::Patch(lines) => (String::new(), lines.clone()),
    };
    let left = format!("{INDENT}{}: {value}", row.path);
    block.line_right(Span::plain(left.trim_end()), paint.span(Style::Warn, &mark(row)));
    below(block, &lines, options);
}

/// Adds lines that begin with their sign, as many as there is room for.
fn below(block: &mut Block, lines: &[String], options: &TextOptions) {
    let shown = if options.full { lines.len() } else { LINES_MAX };
    for line in lines.iter().take(shown) {
        let style = match line.chars().next() {
            Some('+') => Style::Good,
            Some('-') => Style::Bad,
            _ => Style::Dim,
        };
        let line =
            if options.full { line.clone() } else { cut(line, options.width.max(VALUE_MIN)) };
        block.line(
            Span::plain(format!("{INDENT}  ")).then(options.paint().span(style, line.trim_end())),
        );
    }
    if let more @ 1.. = lines.len().saturating_sub(shown) {
        let note = format!("{INDENT}  … {} more, see --full", count(more, "line"));
        block.line(options.paint().span(Style::Dim, &note));
    }
}

/// The colour of an action.
pub fn style(action: Action) -> Style {
    match action {
        Action::Create => Style::Good,
        Action::Update => Style::Warn,
        Action::Replace | Action::Delete => Style::Bad,
        Action::Adopt => Style::Note,
        Action::Forget | Action::NoOp => Style::Dim,
    }
}

fn mark(row: &Row) -> String {
    let drift = row.drift.then(|| "drift".to_owned());
    let by = row.by.as_ref().map(|by| format!("set by {by}"));
    let cost = impact(row.impact).map(str::to_owned);
    drift.into_iter().chain(by).chain(cost).collect::<Vec<_>>().join(", ")
}

fn items_words(added: usize, removed: usize, kept: usize) -> String {
    let parts = [(added, "added"), (removed, "removed"), (kept, "unchanged")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    parts.map(|(count, what)| format!("{} {what}", number(*count))).collect::<Vec<_>>().join(", ")
}

fn why(group: &Group<'_>) -> String {
    let origins = places(group.origins.iter().copied());
    let words = group.reasons.iter().cloned().chain((!origins.is_empty()).then_some(origins));
    let words: Vec<String> = words.collect();
    match (words.is_empty(), group.action) {
        (false, _) => words.join("; "),
        (true, Action::Create) => "new".into(),
        (true, _) => "spec changed".into(),
    }
}

/// `    50 projects alike`, `    48 of 50 projects alike`.
fn alike(group: &Group<'_>, all: usize) -> String {
    let Some(segment) = group.varying else { return String::new() };
    let those = group.members.len();
    let what = if is_project(group, segment) { " projects" } else { "" };
    match all > those {
        true => format!("    {} of {}{what} alike", number(those), number(all)),
        false => format!("    {}{what} alike", number(those)),
    }
}

/// Which ones, where the pattern covers others too: the names, or the few that are not meant.
fn members(group: &Group<'_>, covered: &[&Address]) -> Option<String> {
    /// Up to this many exceptions are named instead of the members.
    const EXCEPTIONS_MAX: usize = 3;
    let segment = group.varying?;
    let name =
        |address: &Address| address.as_str().split('/').nth(segment).map(clean).unwrap_or_default();
    let those: Vec<String> = group.members.iter().map(|change| name(&change.address)).collect();
    let others: Vec<String> =
        covered.iter().map(|address| name(address)).filter(|name| !those.contains(name)).collect();
    if others.is_empty() {
        return None;
    }
    if others.len() <= EXCEPTIONS_MAX && those.len() > others.len() {
        return Some(format!("all but {}", others.join(", ")));
    }
    Some(names(those.iter().map(String::as_str), those.len() <= 12))
}

fn is_project(group: &Group<'_>, segment: usize) -> bool {
    segment == 1 && group.label.starts_with("project/")
}

/// Every address of the plan that the group's pattern covers, blocked ones included; none where
/// there is no pattern.
fn covered<'a>(group: &Group<'_>, plan: &'a Plan) -> Vec<&'a Address> {
    if group.varying.is_none() {
        return Vec::new();
    }
    let glob = Glob::new(group.label.as_str());
    let changes = plan.changes.iter().map(|change| &change.address);
    let blocked = plan.blocked.iter().map(|blocked| &blocked.address);
    changes.chain(blocked).filter(|address| glob.matches(address)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::collapse::collapse;
    use super::super::fixture::*;
    use super::super::words::Fates;
    use super::*;
    use crate::plan::{Change, Reason};

    fn shown(changes: Vec<Change>, options: &TextOptions) -> String {
        let plan = review(changes).plan;
        let acting: Vec<&Change> =
            plan.changes.iter().filter(|change| change.action != Action::NoOp).collect();
        let mut block = Block::default();
        for one in collapse(&acting, &Fates::of(&plan.changes), options.full) {
            group(&mut block, &one, &plan, options);
        }
        block.render(options.width)
    }

    fn check(changes: Vec<Change>, expected: &str) {
        let text = shown(changes, &options());
        assert_eq!(format!("\n{text}"), expected);
    }

    fn machine(name: &str, cpus: u32, host: u32) -> Change {
        let address = format!("vsphere/vm/{name}");
        let attributes = vec![
            set("address", json!(format!("10.20.0.{host}"))),
            set("cpus", json!(cpus)),
            set("folder", json!("/DC1/vm/cht")),
            set("name", json!(name)),
            set("template", Json::Null),
        ];
        Change { attributes, ..change(Action::Create, VM, &address, Reason::New) }
    }

    fn limit(project: u32, memory: &str) -> Change {
        let address = format!("project/county-{project:02}/Deployment/cht-api");
        let attributes = vec![edit("memory", json!("1Gi"), json!(memory))];
        Change { attributes, ..change(Action::Update, PROJECT, &address, Reason::SpecChanged) }
    }

    fn updated(attributes: Vec<crate::plan::Difference>) -> Change {
        Change { attributes, ..change(Action::Update, VM, "vsphere/vm/a", Reason::SpecChanged) }
    }

    #[test]
    fn machines_that_differ_in_name_and_address_are_one_line() {
        let servers = (1..=3).map(|at| machine(&format!("server-{at}"), 4, 10 + at));
        let agents = (1..=9).map(|at| machine(&format!("agent-{at}"), 48, 20 + at));
        check(
            agents.chain(servers).collect(),
            "
  + vsphere/vm/agent-*    9 alike                        national.toml:10
      address: 10.20.0.21 … 10.20.0.29
      cpus: 48
      folder: /DC1/vm/cht
      name: agent-*
  + vsphere/vm/server-*    3 alike                       national.toml:10
      address: 10.20.0.11 … 10.20.0.13
      cpus: 4
      folder: /DC1/vm/cht
      name: server-*
",
        );
    }

    #[test]
    fn a_value_that_some_share_splits_them() {
        let mut changes: Vec<Change> = (1..=5).map(|at| limit(at, "2Gi")).collect();
        changes.push(limit(6, "4Gi"));
        check(
            changes,
            "
  ~ project/*/Deployment/cht-api    5 of 6 projects alike  national.toml:10
      all but county-06
      memory: 1Gi -> 2Gi
  ~ project/county-06/Deployment/cht-api                   national.toml:10
      memory: 1Gi -> 4Gi
",
        );
    }

    #[test]
    fn the_same_edit_from_several_lines_names_them_all() {
        let overridden = Change { origin: Some(place(80)), ..limit(2, "2Gi") };
        check(
            vec![limit(1, "2Gi"), overridden],
            "
  ~ project/*/Deployment/cht-api    2 projects alike     national.toml:10,80
      memory: 1Gi -> 2Gi
",
        );
    }

    #[test]
    fn numbers_are_never_a_range() {
        let changes = (1..=3).map(|at| machine(&format!("agent-{at}"), at, 20 + at)).collect();
        assert_eq!(shown(changes, &options()).matches("cpus: ").count(), 3);
    }

    #[test]
    fn a_pattern_that_covers_others_names_its_members() {
        let mut changes: Vec<Change> = (1..=2).map(|at| limit(at, "2Gi")).collect();
        changes.extend(
            (3..=9).map(|at| idle(PROJECT, &format!("project/county-{at:02}/Deployment/cht-api"))),
        );
        check(
            changes,
            "
  ~ project/*/Deployment/cht-api    2 of 9 projects alike  national.toml:10
      county-01, county-02
      memory: 1Gi -> 2Gi
",
        );
    }

    #[test]
    fn full_opens_everything() {
        let changes = vec![
            machine("agent-1", 48, 21),
            machine("agent-2", 48, 22),
            machine("agent-3", 48, 23),
        ];
        let text = shown(changes, &TextOptions { full: true, ..options() });
        assert_eq!(text.matches("cpus: 48").count(), 3);
    }

    #[test]
    fn things_without_a_number_are_named_each() {
        let gone = |name: &str| change(Action::Delete, VM, name, Reason::RemovedFromSpec);
        check(
            vec![gone("vsphere/role/CNS-VM"), gone("vsphere/role/CNS-DATASTORE")],
            "
  - vsphere/role/CNS-VM                                  no longer in the spec
  - vsphere/role/CNS-DATASTORE                           no longer in the spec
",
        );
    }

    #[test]
    fn every_reason_has_words() {
        let owner = Address::from("vsphere/vm/owner");
        let reasons = [
            Reason::New,
            Reason::DeletedOutside,
            Reason::SpecChanged,
            Reason::Drift,
            Reason::Dependency(owner),
            Reason::Requested,
            Reason::Marked,
            Reason::Interrupted,
            Reason::AdoptAsked,
            Reason::RemovedFromSpec,
            Reason::Destroyed,
            Reason::Abandoned,
            Reason::HoldsData,
            Reason::Protected,
            Reason::GoneAlready,
            Reason::Equal,
        ];
        let mut changes = vec![change(Action::Replace, VM, "vsphere/vm/owner", Reason::Requested)];
        changes
            .extend(reasons.into_iter().map(|why| change(Action::Update, VM, "vsphere/vm/a", why)));
        check(
            changes,
            "
-/+ vsphere/vm/owner                                     asked for by --replace
  ~ vsphere/vm/a                                         national.toml:10
  ~ vsphere/vm/a                                         deleted outside boma
  ~ vsphere/vm/a                                         national.toml:10
  ~ vsphere/vm/a                                         drift: changed outside boma
  ~ vsphere/vm/a                                         because vsphere/vm/owner is replaced
  ~ vsphere/vm/a                                         asked for by --replace
  ~ vsphere/vm/a                                         stands already with boma's mark
  ~ vsphere/vm/a                                         made by an interrupted apply
  ~ vsphere/vm/a                                         adoption asked for; national.toml:10
  ~ vsphere/vm/a                                         no longer in the spec
  ~ vsphere/vm/a                                         destroy asked for
  ~ vsphere/vm/a                                         asked for by --abandon-data
  ~ vsphere/vm/a                                         holds data: stays where it is
  ~ vsphere/vm/a                                         protected: stays where it is
  ~ vsphere/vm/a                                         gone already
  ~ vsphere/vm/a                                         as the spec wants it
",
        );
    }

    #[test]
    fn several_edits_name_their_lines() {
        let at = |line, path: &str| crate::plan::Difference {
            origin: Some(place(line)),
            ..edit(path, json!(1), json!(2))
        };
        let change = updated(vec![at(58, "a"), at(61, "b"), at(58, "c")]);
        check(
            vec![change],
            "
  ~ vsphere/vm/a                                         national.toml:58,61
      a: 1 -> 2
      b: 1 -> 2
      c: 1 -> 2
",
        );
    }

    #[test]
    fn long_values_texts_and_lists_are_cut_where_nothing_is_lost() {
        let long = |end: &str| json!(format!("{}{end}", "x".repeat(300)));
        let list = |extra: &str| {
            let items = (10..30).map(|at| json!(format!("Privilege.{at}")));
            Json::from(items.chain([json!(extra)]).collect::<Vec<_>>())
        };
        let change = updated(vec![
            edit("annotation", long("old"), long("new")),
            edit("config", json!("a\nb\nc\n"), json!("a\nx\nc\n")),
            edit("privileges", list("Old.One"), list("New.One")),
            set("network.mac", json!("00:50:56:00:00:01")),
        ]);
        check(
            vec![change],
            "
  ~ vsphere/vm/a                                         national.toml:10
      annotation: …xxxxxxxxxxold -> …xxxxxxxxxxnew
      config:
        @@ -1,3 +1,3 @@
         a
        -b
        +x
         c
      privileges: 1 added, 1 removed, 20 unchanged
        - Old.One
        + New.One
      network.mac: (not set) -> 00:50:56:00:00:01
",
        );
    }

    #[test]
    fn a_secret_is_a_word() {
        let secret = |before: Option<Json>, after: Json| crate::plan::Difference {
            before,
            sensitive: true,
            ..set("password", after)
        };
        check(
            vec![updated(vec![secret(None, json!("hunter2"))])],
            "
  ~ vsphere/vm/a                                         national.toml:10
      password: (secret, set)
",
        );
        let made = Change {
            attributes: vec![
                secret(None, json!("hunter2")),
                set("cloud.key", json!({"$secret": {"env": "X"}})),
            ],
            ..change(Action::Create, VM, "vsphere/vm/a", Reason::New)
        };
        check(
            vec![made],
            "
  + vsphere/vm/a                                         national.toml:10
      password: (secret)
      cloud.key: (secret)
",
        );
    }
}
