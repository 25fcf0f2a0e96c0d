//! How many resources of each layer each action concerns.

use std::collections::BTreeSet;

use super::paint::{Paint, Style};
use super::words::{layer, number};
use crate::plan::{Plan, Summary};
use crate::resource::{Address, Layer};

/// The table, each line with its line break. Layers without resources have no row; adopt,
/// forget and blocked have a column only where something is in it.
pub fn table(plan: &Plan, paint: Paint) -> String {
    let layers = [Layer::Vcenter, Layer::Hosts, Layer::Cluster, Layer::Projects];
    let rows: Vec<(String, Counts)> = layers
        .into_iter()
        .map(|one| (layer(one, projects(plan)), Counts::of(plan, one)))
        .filter(|(_, counts)| counts.0.iter().any(|count| *count > 0))
        .collect();
    let shown: Vec<usize> = (0..COLUMNS.len())
        .filter(|at| COLUMNS[*at].1 || rows.iter().any(|(_, counts)| counts.0[*at] > 0))
        .collect();
    let first = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max("layer".len());
    let mut head = format!("  {:first$}", "layer");
    for at in &shown {
        head.push_str("  ");
        head.push_str(COLUMNS[*at].0);
    }
    let mut text = paint.span(Style::Dim, &head).as_str().to_owned() + "\n";
    for (name, counts) in &rows {
        text.push_str(&format!("  {name:first$}"));
        for at in &shown {
            let count = if counts.0[*at] == 0 { "-".into() } else { number(counts.0[*at]) };
            text.push_str(&format!("  {count:>width$}", width = COLUMNS[*at].0.len()));
        }
        text.push('\n');
    }
    text
}

/// Names of the columns, and whether they are there even if nothing is in them.
const COLUMNS: [(&str, bool); 8] = [
    ("create", true),
    ("update", true),
    ("replace", true),
    ("delete", true),
    ("adopt", false),
    ("forget", false),
    ("blocked", false),
    ("unchanged", true),
];

/// One count for each of [`COLUMNS`].
struct Counts([usize; COLUMNS.len()]);

impl Counts {
    fn of(plan: &Plan, layer: Layer) -> Self {
        let Summary { create, update, replace, delete, adopt, forget, no_op } =
            Summary::of(plan.layer(layer));
        let blocked = plan.blocked.iter().filter(|blocked| blocked.layer() == layer).count();
        Self([create, update, replace, delete, adopt, forget, blocked, no_op])
    }
}

/// How many projects the plan speaks of.
fn projects(plan: &Plan) -> usize {
    let changes = plan.changes.iter().map(|change| &change.address);
    let blocked = plan.blocked.iter().map(|blocked| &blocked.address);
    changes.chain(blocked).filter_map(Address::project).collect::<BTreeSet<_>>().len()
}
