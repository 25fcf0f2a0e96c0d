//! A drawing in Graphviz' language.

use super::drawing::{Drawing, Line, Node};
use super::words::clean;
use crate::resource::EdgeKind;

/// The whole file; `dot -Tsvg` makes a picture of it.
pub fn dot_text(drawing: &Drawing) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&drawing.name));
    text.push_str(HEAD);
    for (at, group) in drawing.groups.iter().enumerate() {
        text += &format!("  subgraph cluster_{at} {{\n    label={};\n", quoted(&group.label));
        for (below, (kind, nodes)) in group.kinds.iter().enumerate() {
            text += &format!("    subgraph cluster_{at}_{below} {{\n");
            text += &format!("      label={};\n", quoted(kind.name));
            text.extend(nodes.iter().map(node));
            text.push_str("    }\n");
        }
        text.push_str("  }\n");
    }
    text.extend(drawing.drawn().map(edge));
    text + "}\n"
}

const HEAD: &str = "  // An arrow leads to what comes first: solid where a value of it is needed, dashed where only
  // the order matters, bold with a diamond where the one lives in the other.
  rankdir=LR;
  node [shape=box, fontname=\"sans-serif\"];
  graph [fontname=\"sans-serif\"];
";

fn node(node: &Node) -> String {
    let (id, label) = (quoted(node.address.as_str()), quoted(&node.label));
    format!("      {id} [label={label}];\n")
}

fn edge(line: &Line) -> String {
    let style = match line.kind() {
        EdgeKind::Refers => "style=solid",
        EdgeKind::After => "style=dashed",
        EdgeKind::LivesIn => "style=bold, arrowhead=diamond",
    };
    format!("  {} -> {} [{style}];\n", quoted(line.from.as_str()), quoted(line.to.as_str()))
}

/// Quotes end a string, and a backslash begins an escape in labels.
fn quoted(text: &str) -> String {
    format!("\"{}\"", clean(text).replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::super::drawing::tests::small;
    use super::*;

    #[test]
    fn names_are_quoted_and_kinds_told_apart() {
        let text = dot_text(&small());
        let (_, body) = text.split_once("graph [fontname=\"sans-serif\"];\n").unwrap_or_default();
        assert_eq!(
            body,
            r#"  subgraph cluster_0 {
    label="vCenter";
    subgraph cluster_0_0 {
      label="vsphere/folder";
      "vsphere/folder/cht" [label="cht"];
    }
    subgraph cluster_0_1 {
      label="vsphere/permission";
      "vsphere/permission/p" [label="p"];
    }
    subgraph cluster_0_2 {
      label="vsphere/role";
      "vsphere/role/R" [label="R"];
    }
    subgraph cluster_0_3 {
      label="vsphere/vm";
      "vsphere/vm/a\"<b>#1" [label="a\"<b>#1"];
    }
  }
  "vsphere/permission/p" -> "vsphere/role/R" [style=dashed];
  "vsphere/permission/p" -> "vsphere/vm/a\"<b>#1" [style=bold, arrowhead=diamond];
  "vsphere/vm/a\"<b>#1" -> "vsphere/folder/cht" [style=solid];
}
"#
        );
        assert_eq!(quoted("a\\b\n"), r#""a\\b ""#);
    }
}
