//! Words and numbers, in one place so that every output says the same.

use std::collections::BTreeMap;

use crate::plan::{Action, Change, Impact, Operation, Reason};
use crate::resource::{Address, Layer, Place};

/// Makes text from outside harmless to a terminal: control characters (other than line breaks
/// and tabs, which become spaces) and the marks that reverse the direction of text are escaped.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' | '\t' => cleaned.push(' '),
            _ if is_hostile(letter) => cleaned.extend(letter.escape_unicode()),
            _ => cleaned.push(letter),
        }
    }
    cleaned
}

/// Whether a character could do something to a terminal other than appear.
pub fn is_hostile(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An address, harmless to a terminal.
pub fn address(address: &Address) -> String {
    clean(address.as_str())
}

/// `1,150`.
pub fn number(count: usize) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 resource`, `3 resources`.
pub fn count(count: usize, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", number(count))
}

/// The first three names, or all of them: `a, b, c and 6 more`.
pub fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>, full: bool) -> String {
    const SHOWN: usize = 3;
    let total = names.len();
    let shown = if full { total } else { SHOWN };
    let text = names.take(shown).map(clean).collect::<Vec<_>>().join(", ");
    match total.saturating_sub(shown) {
        0 => text,
        more => format!("{text} and {} more", number(more)),
    }
}

/// `1.2 s`, or `2 min 5 s` from one minute on.
pub fn duration(elapsed_ms: u64) -> String {
    let tenths = elapsed_ms.saturating_add(50) / 100;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = elapsed_ms.saturating_add(500) / 1000;
    format!("{} min {} s", seconds / 60, seconds % 60)
}

/// `national.toml:58,61`; the first three lines of each file.
pub fn places<'a>(places: impl IntoIterator<Item = &'a Place>) -> String {
    const SHOWN: usize = 3;
    let mut files: BTreeMap<&str, std::collections::BTreeSet<u32>> = BTreeMap::new();
    for place in places {
        files.entry(&place.file).or_default().insert(place.line);
    }
    let file = |(file, lines): (&str, &std::collections::BTreeSet<u32>)| {
        let shown: Vec<String> = lines.iter().take(SHOWN).map(u32::to_string).collect();
        match lines.len().saturating_sub(SHOWN) {
            0 => format!("{}:{}", clean(file), shown.join(",")),
            more => format!("{}:{} and {more} more", clean(file), shown.join(",")),
        }
    };
    files.iter().map(|(name, lines)| file((name, lines))).collect::<Vec<_>>().join(", ")
}

/// The sign before a change. `=` is adopt: it stands already and is only recorded; `x` is
/// forget: it goes out of the state and stays where it is.
pub fn symbol(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Update => "~",
        Action::Replace => "-/+",
        Action::Delete => "-",
        Action::Adopt => "=",
        Action::Forget => "x",
        Action::NoOp => " ",
    }
}

/// The action as a verb.
pub fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
        Action::Adopt => "adopt",
        Action::Forget => "forget",
        Action::NoOp => "no change",
    }
}

/// The step as a verb.
pub fn operation(operation: Operation) -> String {
    match serde_json::to_value(operation) {
        Ok(serde_json::Value::String(name)) => name.replace('-', " "),
        _ => String::new(),
    }
}

/// The mark at the right of a difference. `None` where nobody notices the change.
pub fn impact(impact: Impact) -> Option<&'static str> {
    match impact {
        Impact::InPlace => None,
        Impact::Restart => Some("restart"),
        Impact::PowerCycle => Some("power cycle"),
        Impact::Replace => Some("replaced"),
    }
}

/// The name of a layer in the table. Projects are counted instead.
pub fn layer(layer: Layer, projects: usize) -> String {
    match layer {
        Layer::Vcenter => "vCenter".into(),
        Layer::Hosts => "hosts and k3s".into(),
        Layer::Cluster => "cluster".into(),
        Layer::Projects => count(projects, "project"),
    }
}

/// What is done to each resource, to name the cause of a change or of an unknown value.
#[derive(Debug, Default)]
pub struct Fates<'a>(BTreeMap<&'a Address, Action>);

impl<'a> Fates<'a> {
    /// Takes all changes of a plan.
    pub fn of(changes: &'a [Change]) -> Self {
        let acting = changes.iter().filter(|change| change.action != Action::NoOp);
        Self(acting.map(|change| (&change.address, change.action)).collect())
    }

    /// `vsphere/vm/server-1 is created`.
    pub fn of_owner(&self, owner: &Address) -> String {
        let fate = match self.0.get(owner) {
            Some(Action::Create) | None => "created",
            Some(Action::Replace) => "replaced",
            Some(Action::Update) => "updated",
            Some(Action::Delete) => "deleted",
            Some(Action::Adopt) => "adopted",
            Some(Action::Forget) => "forgotten",
            Some(Action::NoOp) => "read",
        };
        format!("{} is {fate}", address(owner))
    }
}

/// Why, in words. `None` where the spec line says it all.
pub fn reason(reason: &Reason, fates: &Fates<'_>) -> Option<String> {
    let words = match reason {
        Reason::New | Reason::SpecChanged => return None,
        Reason::DeletedOutside => "deleted outside boma",
        Reason::Drift => "drift: changed outside boma",
        Reason::Dependency(owner) => return Some(format!("because {}", fates.of_owner(owner))),
        Reason::Requested => "asked for by --replace",
        Reason::Marked => "stands already with boma's mark",
        Reason::Interrupted => "made by an interrupted apply",
        Reason::AdoptAsked => "adoption asked for",
        Reason::RemovedFromSpec => "no longer in the spec",
        Reason::Destroyed => "destroy asked for",
        Reason::Abandoned => "asked for by --abandon-data",
        Reason::HoldsData => "holds data: stays where it is",
        Reason::Protected => "protected: stays where it is",
        Reason::GoneAlready => "gone already",
        Reason::Equal => "as the spec wants it",
    };
    Some(words.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        for (value, text) in [(0, "0"), (999, "999"), (1150, "1,150"), (1_000_000, "1,000,000")] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn durations_round_to_what_people_say() {
        for (ms, text) in
            [(0, "0.0 s"), (1249, "1.2 s"), (59_949, "59.9 s"), (125_000, "2 min 5 s")]
        {
            assert_eq!(duration(ms), text);
        }
        assert!(duration(u64::MAX).ends_with(" s"));
    }

    #[test]
    fn places_share_their_file() {
        let place = |line| Place { file: "a.toml".into(), line, column: 1, span: (0, 0) };
        assert_eq!(places(&[place(9), place(3), place(9)]), "a.toml:3,9");
        assert_eq!(places(&[place(1), place(2), place(3), place(4)]), "a.toml:1,2,3 and 1 more");
    }

    #[test]
    fn nothing_reaches_the_terminal_that_is_not_text() {
        assert_eq!(clean("a\u{1b}[31m\nb\u{202e}"), "a\\u{1b}[31m b\\u{202e}");
    }

    #[test]
    fn long_lists_are_counted() {
        assert_eq!(names(["a", "b", "c"].into_iter(), false), "a, b, c");
        assert_eq!(names(["a", "b", "c", "d"].into_iter(), false), "a, b, c and 1 more");
        assert_eq!(names(["a", "b", "c", "d"].into_iter(), true), "a, b, c, d");
    }
}
