//! A plan as text for people: the summary, what needs attention, the changes and why, and
//! Terraform's last line.

use super::attention::attention;
use super::blocked::blocked;
use super::change::group;
use super::collapse::collapse;
use super::header::{all_equal, header, notes, totals, unplanned};
use super::page::Block;
use super::paint::{Paint, Style};
use super::table::table;
use super::words::Fates;
use crate::plan::{Action, Change, Plan, Review};

/// How text is laid out. The caller knows the terminal; nothing here asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// ANSI colours.
    pub color: bool,
    /// Everything: no collapsing, no cutting.
    pub full: bool,
    /// Columns of the terminal, or what a file should have.
    pub width: usize,
}

impl TextOptions {
    pub(super) fn paint(self) -> Paint {
        Paint { color: self.color }
    }
}

impl Default for TextOptions {
    /// What a file gets.
    fn default() -> Self {
        Self { color: false, full: false, width: 100 }
    }
}

/// The whole plan. The last line is `No changes.` or begins with `Plan: `; equal reviews give
/// equal bytes.
pub fn plan_text(review: &Review, options: &TextOptions) -> String {
    let paint = options.paint();
    let mut parts = vec![format!("{}\n", paint.span(Style::Strong, &header(review)).as_str())];
    let idle = review.plan.is_empty() && review.plan.blocked.is_empty();
    if !idle {
        parts.push(table(&review.plan, paint));
    }
    parts.push(section(options, |block| blocked(block, &review.plan.blocked, options)));
    parts.push(section(options, |block| attention(block, review, options)));
    parts.push(section(options, |block| changes(block, &review.plan, options)));
    parts.push(unplanned(review).map(|line| line + "\n").unwrap_or_default());
    parts.push(end(review, idle, paint));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn section(options: &TextOptions, fill: impl FnOnce(&mut Block)) -> String {
    let mut block = Block::default();
    fill(&mut block);
    block.render(options.width)
}

/// By layer, then by address, which puts a project's changes together.
fn changes(block: &mut Block, plan: &Plan, options: &TextOptions) {
    let fates = Fates::of(&plan.changes);
    let mut acting: Vec<&Change> =
        plan.changes.iter().filter(|change| change.action != Action::NoOp).collect();
    acting.sort_by(|a, b| (a.layer(), &a.address).cmp(&(b.layer(), &b.address)));
    for one in collapse(&acting, &fates, options.full) {
        group(block, &one, plan, options);
    }
}

fn end(review: &Review, idle: bool, paint: Paint) -> String {
    let mut lines = notes(review);
    if idle {
        lines.extend(all_equal(review));
    }
    let last = if idle { "No changes.".to_owned() } else { totals(review) };
    lines.push(paint.span(Style::Strong, &last).as_str().to_owned());
    lines.join("\n") + "\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::super::fixture::*;
    use super::*;
    use crate::plan::{Cause, Difference, Impact, Operation, Reason};

    fn check(review: &Review, expected: &str) {
        let text = plan_text(review, &options());
        assert_eq!(format!("\n{text}"), expected);
    }

    /// The example of the design: a drifted machine, a new class, one limit in 50 projects.
    fn national() -> Review {
        let agent = "vsphere/vm/agent-4";
        let drift = Difference {
            cause: Cause::Drift,
            impact: Impact::PowerCycle,
            ..edit("disk_uuid", json!(false), json!(true))
        };
        let mut changes = vec![Change {
            attributes: vec![drift],
            steps: vec![step(agent, Operation::PowerOff), step(agent, Operation::PowerOn)],
            ..change(Action::Update, VM, agent, Reason::Drift)
        }];
        changes.extend((1..=39).map(|at| idle(VM, &format!("vsphere/any/{at}"))));
        let class = "cluster/VolumeSnapshotClass/vmware-sc";
        changes.push(change(Action::Create, CLUSTER, class, Reason::New));
        for project in 1..=50 {
            let address = format!("project/county-{project:02}/Deployment/cht-api");
            let memory = "containers.cht-api.limits.memory";
            changes.push(Change {
                attributes: vec![edit(memory, json!("1Gi"), json!("2Gi"))],
                ..change(Action::Update, PROJECT, &address, Reason::SpecChanged)
            });
            let others = (1..=23).map(|at| format!("project/county-{project:02}/any/{at}"));
            changes.extend(others.map(|address| idle(PROJECT, &address)));
        }
        review(changes)
    }

    #[test]
    fn a_plan_of_a_country_fits_a_screen() {
        check(
            &national(),
            "
national · live read in 1.2 s, 37 requests · state serial 41

  layer        create  update  replace  delete  unchanged
  vCenter           -       1        -       -         39
  cluster           1       -        -       -          -
  50 projects       -      50        -       -      1,150

  ~ vsphere/vm/agent-4                                   drift: changed outside boma
      disk_uuid: false -> true                           power cycle
  + cluster/VolumeSnapshotClass/vmware-sc                national.toml:10
  ~ project/*/Deployment/cht-api    50 projects alike    national.toml:10
      containers.cht-api.limits.memory: 1Gi -> 2Gi

Plan: 1 to add, 51 to change, 0 to destroy.
",
        );
    }

    #[test]
    fn what_cannot_be_planned_comes_first() {
        check(
            &everything(),
            "
national · live read in 1.2 s, 37 requests · state serial 41

  layer    create  update  replace  delete  blocked  unchanged
  vCenter       1       1        -       -        3          1
  cluster       -       1        -       -        -          -

  unread
    1 resource: host not found: check [vcenter] server
      vsphere/vm/server-2
  refused
    vsphere/vm/server-3                                  national.toml:20
      taken
      help: adopt it
  waiting
    1 resource waits for vsphere/vm/server-3
      vsphere/vm/x

  attention
    power cycle   agent-4; needs --allow-disruption
    warn          capacity: a county does not fit        national.toml:41
                  help: add an agent
    deny          no-backup: a county does not fit       national.toml:41
                  help: add an agent
                  waived: pilot only

  ~ vsphere/vm/agent-4                                   drift: changed outside boma
      disk_uuid: false -> true                           power cycle
  + vsphere/vm/agent-5                                   national.toml:10
      cpus: 48
      network.name: VM Network
  ~ cluster/Secret/vsphere                   because vsphere/vm/agent-5 is created; national.toml:10
      password: (secret, changed)
      provider_id: (not set) -> known after vsphere/vm/agent-5 is created
      note: old -> (not set)

not planned yet: 50 projects

3 resources are blocked: nothing is done to what is listed above as unread, refused or waiting.
This plan is refused: resolve 1 refusal first.
Plan: 1 to add, 2 to change, 0 to destroy.
",
        );
    }

    #[test]
    fn nothing_to_do_is_said_so() {
        let mut review = review(vec![idle(VM, "vsphere/vm/a"), idle(VM, "vsphere/vm/b")]);
        review.plan.basis.lab = true;
        check(
            &review,
            "
national · lab · live read in 1.2 s, 37 requests · state serial 41

All 2 resources are as the spec wants them.
No changes.
",
        );
    }

    #[test]
    fn offline_and_empty() {
        let mut review = review(Vec::new());
        review.read = None;
        review.plan.basis.offline = true;
        check(
            &review,
            "
national · offline: prior stands for live · state serial 41

No changes.
",
        );
    }

    #[test]
    fn nothing_but_blocked_is_not_no_changes() {
        let mut review = review(vec![idle(VM, "vsphere/vm/a")]);
        let cause = crate::plan::BlockCause::Unread("vcenter.example.org does not answer".into());
        review.plan.blocked =
            (1..=5).map(|at| blocked_by(&format!("vsphere/vm/b-{at}"), cause.clone())).collect();
        check(
            &review,
            "
national · live read in 1.2 s, 37 requests · state serial 41

  layer    create  update  replace  delete  blocked  unchanged
  vCenter       -       -        -       -        5          1

  unread
    5 resources: vcenter.example.org does not answer
      vsphere/vm/b-1, vsphere/vm/b-2, vsphere/vm/b-3 and 2 more

5 resources are blocked: nothing is done to what is listed above as unread, refused or waiting.
Plan: 0 to add, 0 to change, 0 to destroy.
",
        );
    }

    #[test]
    fn adopted_and_forgotten_are_counted_apart() {
        let adopted = change(Action::Adopt, VM, "vsphere/vm/a", Reason::Marked);
        let changed = Change {
            attributes: vec![edit("cpus", json!(2), json!(4))],
            steps: vec![step("vsphere/vm/b", Operation::Update)],
            ..change(Action::Adopt, VM, "vsphere/vm/b", Reason::AdoptAsked)
        };
        let replaced = change(Action::Replace, VM, "vsphere/vm/c", Reason::Requested);
        let forgotten = change(Action::Forget, VM, "vsphere/vm/d", Reason::HoldsData);
        let mut review = review(vec![adopted, changed, replaced, forgotten]);
        review.plan.basis.destroy = true;
        check(
            &review,
            "
national · destroy · live read in 1.2 s, 37 requests · state serial 41

  layer    create  update  replace  delete  adopt  forget  unchanged
  vCenter       -       -        1       -      2       1          -

  attention
    irreversible  1 replaced: vsphere/vm/c

  = vsphere/vm/a                                         stands already with boma's mark
  = vsphere/vm/b                                         adoption asked for; national.toml:10
      cpus: 2 -> 4
-/+ vsphere/vm/c                                         asked for by --replace
  x vsphere/vm/d                                         holds data: stays where it is

Plan: 1 to add, 1 to change, 1 to destroy, 2 to adopt, 1 to forget.
",
        );
    }

    #[test]
    fn colour_adds_codes_and_nothing_else() {
        let review = everything();
        let painted = plan_text(&review, &TextOptions { color: true, ..options() });
        let mut bare = String::new();
        for (at, part) in painted.split("\u{1b}[").enumerate() {
            bare.push_str(if at == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        assert_ne!(painted, bare);
        assert_eq!(bare, plan_text(&review, &options()));
    }

    #[test]
    fn no_secret_is_printed() {
        for full in [false, true] {
            let text = plan_text(&everything(), &TextOptions { full, ..options() });
            assert!(!text.contains("hunter2") && !text.contains("sealed"), "{text}");
        }
    }
}
