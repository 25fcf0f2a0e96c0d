//! What was recorded of an object that stood already, as text for people.

use super::TextOptions;
use super::change::{row, style};
use super::page::Block;
use super::paint::{Span, Style};
use super::row::rows;
use super::words::{Fates, address, clean, count, symbol};
use crate::plan::{Action, Change};

/// The resource and what differs from the spec. The last line begins with `Imported`.
pub fn import_text(change: &Change, id: &str, options: &TextOptions) -> String {
    let paint = options.paint();
    let mut block = Block::default();
    let sign = paint.span(style(Action::Adopt), &format!("{:>3} ", symbol(Action::Adopt)));
    let head = sign.then(Span::plain(address(&change.address)));
    block.line_right(head, paint.span(Style::Dim, &clean(id)));
    let rows = rows(change, &Fates::default(), true);
    for one in &rows {
        row(&mut block, one, options);
    }
    let last = match rows.len() {
        0 => "Imported: it is as the spec wants it.".to_owned(),
        differences => {
            format!("Imported as it is: the next plan changes {}.", count(differences, "attribute"))
        }
    };
    format!("{}\n{}\n", block.render(options.width), paint.span(Style::Strong, &last).as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::{VM, change, edit, options};
    use super::*;
    use crate::plan::{Difference, Impact, Reason};

    fn check(attributes: Vec<Difference>, expected: &str) {
        let adopted = change(Action::Adopt, VM, "vsphere/vm/a", Reason::AdoptAsked);
        let text = import_text(&Change { attributes, ..adopted }, "5005-01", &options());
        assert_eq!(format!("\n{text}"), expected);
    }

    #[test]
    fn what_the_next_plan_changes_is_shown() {
        let cpus = Difference { impact: Impact::PowerCycle, ..edit("cpus", json!(2), json!(4)) };
        check(
            vec![cpus],
            "
  = vsphere/vm/a                                         5005-01
      cpus: 2 -> 4                                       power cycle

Imported as it is: the next plan changes 1 attribute.
",
        );
        check(
            Vec::new(),
            "
  = vsphere/vm/a                                         5005-01

Imported: it is as the spec wants it.
",
        );
    }
}
