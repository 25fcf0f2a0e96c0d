//! A drawing in Mermaid's language, which Markdown pages of most forges show as a picture.

use std::collections::BTreeMap;

use super::drawing::Drawing;
use super::words::clean;
use crate::resource::{Address, EdgeKind};

/// The whole diagram, without the fence around it. Addresses cannot be ids there, so resources are
/// numbered.
pub fn mermaid_text(drawing: &Drawing) -> String {
    let mut text = format!("---\ntitle: {}\n---\nflowchart LR\n", json(&drawing.name));
    text.push_str(LEGEND);
    let mut ids: BTreeMap<&Address, usize> = BTreeMap::new();
    for (at, group) in drawing.groups.iter().enumerate() {
        text += &format!("  subgraph g{at}[{}]\n", quoted(&group.label));
        for (below, (kind, nodes)) in group.kinds.iter().enumerate() {
            text += &format!("    subgraph g{at}k{below}[{}]\n", quoted(kind.name));
            for node in nodes {
                let id = ids.len();
                ids.insert(&node.address, id);
                text += &format!("      n{id}[{}]\n", quoted(&node.label));
            }
            text.push_str("    end\n");
        }
        text.push_str("  end\n");
    }
    for line in drawing.drawn() {
        if let (Some(from), Some(to)) = (ids.get(&line.from), ids.get(&line.to)) {
            text += &format!("  n{from} {} n{to}\n", arrow(line.kind()));
        }
    }
    text
}

const LEGEND: &str =
    "  %% An arrow leads to what comes first: thin where a value of it is needed, dotted where only
  %% the order matters, thick where the one lives in the other.
";

fn arrow(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Refers => "-->",
        EdgeKind::After => "-.->",
        EdgeKind::LivesIn => "==>",
    }
}

/// Labels are HTML; `#` begins an entity, a backtick Markdown.
fn quoted(text: &str) -> String {
    let mut label = String::from("\"");
    for letter in clean(text).chars() {
        match letter {
            '"' | '#' | '<' | '>' | '&' | '`' => label += &format!("#{};", u32::from(letter)),
            _ => label.push(letter),
        }
    }
    label + "\""
}

/// The title stands in YAML, which takes JSON's strings.
fn json(text: &str) -> String {
    serde_json::Value::from(clean(text)).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::drawing::tests::small;
    use super::*;

    #[test]
    fn names_are_escaped_and_kinds_told_apart() {
        let text = mermaid_text(&small());
        assert!(text.starts_with("---\ntitle: \"small\"\n---\nflowchart LR\n"), "{text}");
        let (_, body) = text.split_once("lives in the other.\n").unwrap_or_default();
        assert_eq!(
            body,
            r#"  subgraph g0["vCenter"]
    subgraph g0k0["vsphere/folder"]
      n0["cht"]
    end
    subgraph g0k1["vsphere/permission"]
      n1["p"]
    end
    subgraph g0k2["vsphere/role"]
      n2["R"]
    end
    subgraph g0k3["vsphere/vm"]
      n3["a#34;#60;b#62;#35;1"]
    end
  end
  n1 -.-> n2
  n1 ==> n3
  n3 --> n0
"#
        );
    }
}
