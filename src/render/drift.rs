//! Drift as text for people.

use super::TextOptions;
use super::blocked::unread;
use super::change::{row, style};
use super::page::Block;
use super::paint::{Span, Style};
use super::row::{Row, Shown, between};
use super::words::{Fates, address, clean, count, number, symbol};
use crate::plan::{Action, DriftAttribute, DriftReport, Drifted, Impact};

/// What could not be read, then one block for each resource: recorded before live. The last
/// line is `No drift.` or begins with `Drift: `.
pub fn drift_text(report: &DriftReport, options: &TextOptions) -> String {
    let mut parts =
        vec![format!("{}\n", options.paint().span(Style::Strong, &clean(&report.name)).as_str())];
    let mut block = Block::default();
    unread(
        &mut block,
        report.unread.iter().map(|one| (&one.address, one.reason.as_str())),
        options,
    );
    parts.push(block.render(options.width));
    let mut block = Block::default();
    for drifted in &report.drifted {
        resource(&mut block, drifted, options);
    }
    parts.push(block.render(options.width));
    parts.push(end(report, options));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn resource(block: &mut Block, drifted: &Drifted, options: &TextOptions) {
    let paint = options.paint();
    let (action, said) = match drifted.exists_live {
        true => (Action::Update, ""),
        false => (Action::Delete, "deleted outside boma"),
    };
    let sign = paint.span(style(action), &format!("{:>3} ", symbol(action)));
    let head = sign.then(Span::plain(address(&drifted.address)));
    block.line_right(head, paint.span(Style::Dim, said));
    for attribute in drifted.attributes.iter().filter(|_| drifted.exists_live) {
        row(block, &difference(attribute), options);
    }
}

fn difference(attribute: &DriftAttribute) -> Row {
    let shown = match (attribute.sensitive, &attribute.recorded, &attribute.live) {
        (true, ..) => Shown::Value { text: "(secret, changed)".into(), own: false },
        (false, recorded, live) => between(recorded.as_ref(), live.as_ref(), &Fates::default()),
    };
    Row {
        path: clean(&attribute.path),
        shown,
        impact: Impact::InPlace,
        drift: false,
        by: attribute.changed_by.as_deref().map(clean),
    }
}

fn end(report: &DriftReport, options: &TextOptions) -> String {
    let (drifted, unread) = (report.drifted.len(), report.unread.len());
    let last = match (drifted, unread) {
        (0, 0) => "No drift.".to_owned(),
        _ => format!(
            "Drift: {} of {} changed outside boma.",
            number(drifted),
            count(report.checked, "resource")
        ),
    };
    let last = options.paint().span(Style::Strong, &last);
    match unread {
        0 => format!("{}\n", last.as_str()),
        _ => format!("{} could not be read.\n{}\n", count(unread, "resource"), last.as_str()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use crate::plan::Unread;
    use crate::resource::Address;

    fn check(report: &DriftReport, expected: &str) {
        let text = drift_text(report, &options());
        assert_eq!(format!("\n{text}"), expected);
    }

    #[test]
    fn each_resource_shows_recorded_before_live() {
        check(
            &drifted(),
            "
national

  ~ vsphere/vm/agent-4
      cpus: 48 -> 24
      password: (secret, changed)
  - vsphere/vm/agent-5                                   deleted outside boma

Drift: 2 of 92 resources changed outside boma.
",
        );
    }

    #[test]
    fn nothing_changed() {
        let report = DriftReport { name: "national".into(), checked: 92, ..DriftReport::default() };
        check(
            &report,
            "
national

No drift.
",
        );
    }

    #[test]
    fn what_was_not_read_is_not_called_equal() {
        let unread =
            Unread { address: Address::from("vsphere/vm/a"), reason: "timeout: try again".into() };
        let report = DriftReport {
            name: "national".into(),
            checked: 91,
            unread: vec![unread],
            ..DriftReport::default()
        };
        check(
            &report,
            "
national

  unread
    1 resource: timeout: try again
      vsphere/vm/a

1 resource could not be read.
Drift: 0 of 91 resources changed outside boma.
",
        );
    }
}
