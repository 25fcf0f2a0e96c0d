//! What could not be read, what is refused, and what waits for either.

use std::collections::BTreeMap;

use super::TextOptions;
use super::page::Block;
use super::paint::{Paint, Span, Style};
use super::words::{address, clean, count, names};
use crate::plan::{BlockCause, Blocked};
use crate::resource::Address;

/// Adds what could not be read, grouped by reason: often one dead endpoint is behind all.
pub fn unread<'a>(
    block: &mut Block,
    unread: impl IntoIterator<Item = (&'a Address, &'a str)>,
    options: &TextOptions,
) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (address, reason) in unread {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, addresses)) => addresses.push(address.as_str()),
            None => reasons.push((reason, vec![address.as_str()])),
        }
    }
    if reasons.is_empty() {
        return;
    }
    block.line(options.paint().span(Style::Bad, "  unread"));
    for (reason, addresses) in reasons {
        block.line(Span::plain(format!(
            "    {}: {}",
            count(addresses.len(), "resource"),
            clean(reason)
        )));
        list(block, &addresses, options);
    }
}

/// Adds everything blocked: unread, refused, waiting.
pub fn blocked(block: &mut Block, all: &[Blocked], options: &TextOptions) {
    unread(block, all.iter().filter_map(unread_one), options);
    refused(block, all, options);
    waiting(block, all, options.paint(), options);
}

fn unread_one(blocked: &Blocked) -> Option<(&Address, &str)> {
    match &blocked.cause {
        BlockCause::Unread(reason) => Some((&blocked.address, reason)),
        BlockCause::Refused { .. } | BlockCause::Dependency(_) => None,
    }
}

/// What is refused for one reason is listed with it; the reason is said once.
fn refused(block: &mut Block, all: &[Blocked], options: &TextOptions) {
    let paint = options.paint();
    let mut reasons: Vec<(&str, &str, Vec<&Blocked>)> = Vec::new();
    for blocked in all {
        let BlockCause::Refused { message, help } = &blocked.cause else { continue };
        match reasons.iter_mut().find(|one| (one.0, one.1) == (message, help)) {
            Some((_, _, alike)) => alike.push(blocked),
            None => reasons.push((message, help, vec![blocked])),
        }
    }
    if !reasons.is_empty() {
        block.line(paint.span(Style::Bad, "  refused"));
    }
    for (message, help, alike) in reasons {
        for blocked in alike {
            let origin = blocked.origin.as_ref().map(ToString::to_string).unwrap_or_default();
            let head = Span::plain(format!("    {}", address(&blocked.address)));
            block.line_right(head, paint.span(Style::Dim, &clean(&origin)));
        }
        block.line(Span::plain(format!("      {}", clean(message))));
        block.line(Span::plain(format!("      help: {}", clean(help))));
    }
}

/// Dependents are counted under the resource that is at the root of their trouble.
fn waiting(block: &mut Block, all: &[Blocked], paint: Paint, options: &TextOptions) {
    let causes: BTreeMap<&Address, &BlockCause> =
        all.iter().map(|blocked| (&blocked.address, &blocked.cause)).collect();
    let mut roots: BTreeMap<&Address, Vec<&str>> = BTreeMap::new();
    for blocked in all {
        if let BlockCause::Dependency(on) = &blocked.cause {
            roots.entry(root(on, &causes)).or_default().push(blocked.address.as_str());
        }
    }
    if roots.is_empty() {
        return;
    }
    block.line(paint.span(Style::Bad, "  waiting"));
    for (root, addresses) in roots {
        let verb = if addresses.len() == 1 { "waits" } else { "wait" };
        let what = count(addresses.len(), "resource");
        block.line(Span::plain(format!("    {what} {verb} for {}", address(root))));
        list(block, &addresses, options);
    }
}

/// Follows dependencies; a circle ends after as many steps as there are resources.
fn root<'a>(start: &'a Address, causes: &BTreeMap<&'a Address, &'a BlockCause>) -> &'a Address {
    let mut at = start;
    for _ in 0..causes.len() {
        match causes.get(at) {
            Some(BlockCause::Dependency(next)) => at = next,
            _ => break,
        }
    }
    at
}

fn list(block: &mut Block, addresses: &[&str], options: &TextOptions) {
    let text = names(addresses.iter().copied(), options.full);
    block.line(options.paint().span(Style::Dim, &format!("      {text}")));
}
