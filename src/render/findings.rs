//! What the rules say.

use super::TextOptions;
use super::page::Block;
use super::paint::{Paint, Span, Style};
use super::words::{clean, number};
use crate::diag::{Finding, Level};

/// Findings with their help, origin at the right, and one last line that counts them. Empty
/// where there is none.
pub fn findings_text(findings: &[Finding], options: &TextOptions) -> String {
    let mut block = Block::default();
    add(&mut block, findings, "", 0, options);
    if block.is_empty() {
        return String::new();
    }
    let total = |keep: &dyn Fn(&Finding) -> bool| findings.iter().filter(|one| keep(one)).count();
    let denied = total(&|one| one.refuses());
    let warned = total(&|one| one.level == Level::Warn && one.waived.is_none());
    let waived = total(&|one| one.level != Level::Allow && one.waived.is_some());
    let parts = [(denied, "denied"), (warned, "warned"), (waived, "waived")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> =
        parts.map(|(count, what)| format!("{} {what}", number(*count))).collect();
    format!("{}\nFindings: {}.\n", block.render(options.width), parts.join(", "))
}

/// Adds findings to a block. `label_columns` is the width of the first column, where the level
/// stands; findings that differ only in their resource are counted unless all are asked for.
pub fn add(
    block: &mut Block,
    findings: &[Finding],
    indent: &str,
    label_columns: usize,
    options: &TextOptions,
) {
    let paint = options.paint();
    let columns = label_columns.max("deny".len());
    for (finding, more) in alike(findings, options.full) {
        let label = paint.span(style(finding), level(finding.level));
        let pad = " ".repeat(columns.saturating_sub(label.columns()) + 2);
        let head = Span::plain(indent)
            .then(label)
            .then(Span::plain(&pad))
            .then(text(finding, more, paint));
        let origin = finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
        block.line_right(head, paint.span(Style::Dim, &clean(&origin)));
        let below = format!("{indent}{:columns$}  ", "");
        block.line(Span::plain(format!("{below}help: {}", clean(&finding.help))));
        if let Some(reason) = &finding.waived {
            block.line(paint.span(Style::Dim, &format!("{below}waived: {}", clean(reason))));
        }
    }
}

fn style(finding: &Finding) -> Style {
    match (finding.refuses(), &finding.waived) {
        (true, _) => Style::Bad,
        (false, None) => Style::Warn,
        (false, Some(_)) => Style::Dim,
    }
}

/// The word that a spec uses for a level.
pub fn level(level: Level) -> &'static str {
    match level {
        Level::Allow => "allow",
        Level::Warn => "warn",
        Level::Deny => "deny",
    }
}

fn text(finding: &Finding, more: usize, paint: Paint) -> Span {
    let mut said = clean(&finding.message);
    if let Some(address) = finding.address.as_ref().map(super::words::address)
        && !said.contains(&address)
    {
        said = format!("{address}: {said}");
    }
    if more > 0 {
        said = format!("{said} (and {} more alike)", number(more));
    }
    paint.span(Style::Strong, finding.rule).then(Span::plain(format!(": {said}")))
}

/// Each finding with the number of others that say the same of another resource.
fn alike(findings: &[Finding], full: bool) -> Vec<(&Finding, usize)> {
    let mut kept: Vec<(&Finding, usize)> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.level != Level::Allow) {
        let same = |(other, _): &&mut (&Finding, usize)| {
            let elsewhere = Finding { address: finding.address.clone(), ..(*other).clone() };
            !full && elsewhere == *finding
        };
        match kept.iter_mut().find(same) {
            Some((_, more)) => *more += 1,
            None => kept.push((finding, 0)),
        }
    }
    kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use crate::resource::Address;

    fn check(findings: &[Finding], expected: &str) {
        let text = findings_text(findings, &options());
        assert_eq!(format!("\n{text}"), expected);
    }

    #[test]
    fn findings_say_what_where_and_the_fix() {
        let waived =
            Finding { waived: Some("pilot only".into()), ..finding("no-backup", Level::Deny) };
        let silent = finding("silent", Level::Allow);
        check(
            &[finding("quorum", Level::Deny), finding("capacity", Level::Warn), waived, silent],
            "
deny  quorum: a county does not fit                      national.toml:41
      help: add an agent
warn  capacity: a county does not fit                    national.toml:41
      help: add an agent
deny  no-backup: a county does not fit                   national.toml:41
      help: add an agent
      waived: pilot only

Findings: 1 denied, 1 warned, 1 waived.
",
        );
    }

    #[test]
    fn the_same_of_many_resources_is_counted() {
        let of = |name: &str| Finding {
            address: Some(Address::of("project", name)),
            ..finding("capacity", Level::Warn)
        };
        check(
            &[of("a"), of("b"), of("c")],
            "
warn  capacity: project/a: a county does not fit (and 2 more alike)  national.toml:41
      help: add an agent

Findings: 3 warned.
",
        );
    }

    #[test]
    fn nothing_found_is_nothing_said() {
        assert_eq!(findings_text(&[], &options()), "");
    }
}
