//! The privileges that vCenter knows.

use std::sync::LazyLock;

use crate::xml::Element;

static IDS: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    let lines = include_str!("privileges.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .flat_map(|(group, names)| {
            names.split(' ').map(move |name| (group, format!("{group}.{name}")))
        })
        .collect()
});

/// All privilege ids.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    IDS.iter().map(|(_, id)| id.as_str())
}

/// All privileges as `privilegeList` shows them.
pub(super) fn elements() -> Vec<Element> {
    let element = |(group, id): &(&str, String)| {
        let name = id.rsplit('.').next().unwrap_or_default();
        Element::new("AuthorizationPrivilege")
            .push(Element::with_text("privId", id))
            .push(Element::with_text("onParent", "false"))
            .push(Element::with_text("name", name))
            .push(Element::with_text("privGroupName", *group))
    };
    IDS.iter().map(element).collect()
}
