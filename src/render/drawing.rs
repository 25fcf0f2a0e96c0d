//! The resources of a spec and what each needs, ready to be drawn.

use std::collections::{BTreeMap, BTreeSet};

use super::words;
use crate::graph::{Cycle, reduce};
use crate::plan::Desired;
use crate::resource::{Address, EdgeKind, Kind, Layer, Place};

/// A graph in the order in which it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// The spec's name.
    pub name: String,
    /// By layer, in the order of the stack; none is empty.
    pub groups: Vec<Group>,
    /// By their ends.
    pub lines: Vec<Line>,
}

/// The resources of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What people call the layer.
    pub label: String,
    /// By kind, in the order of names.
    pub kinds: Vec<(Kind, Vec<Node>)>,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which one.
    pub address: Address,
    /// The address without what the kind says already.
    pub label: String,
    /// The spec line that asks for it.
    pub origin: Place,
}

/// "The first needs the second".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What needs something.
    pub from: Address,
    /// What comes first.
    pub to: Address,
    /// Why, sorted.
    pub kinds: Vec<EdgeKind>,
    /// A chain of other lines says it too, so a picture leaves it out. What lives in something is
    /// always drawn.
    pub implied: bool,
}

impl Drawing {
    /// Draws what a spec asks for.
    ///
    /// # Errors
    /// Resources that need each other in a circle.
    pub fn of(name: &str, desired: &Desired) -> Result<Self, Cycle<Address>> {
        Ok(Self { name: name.to_owned(), groups: groups(desired), lines: lines(desired)? })
    }

    /// The lines that a picture has.
    pub fn drawn(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.implied)
    }
}

impl Line {
    /// The kind that says most: living in something is more than needing its value, and that is
    /// more than coming after it.
    pub fn kind(&self) -> EdgeKind {
        let strength = |kind: &EdgeKind| match kind {
            EdgeKind::After => 0,
            EdgeKind::Refers => 1,
            EdgeKind::LivesIn => 2,
        };
        self.kinds.iter().copied().max_by_key(strength).unwrap_or(EdgeKind::After)
    }
}

fn groups(desired: &Desired) -> Vec<Group> {
    let mut layers: BTreeMap<Layer, BTreeMap<&str, (Kind, Vec<Node>)>> = BTreeMap::new();
    for resource in desired.resources.values() {
        let (address, kind) = (&resource.address, resource.kind);
        let own = address.as_str().strip_prefix(kind.name).and_then(|own| own.strip_prefix('/'));
        let label = own.unwrap_or(address.as_str()).to_owned();
        let node = Node { address: address.clone(), label, origin: resource.origin.clone() };
        let kinds = layers.entry(Layer::of(address, kind)).or_default();
        kinds.entry(kind.name).or_insert_with(|| (kind, Vec::new())).1.push(node);
    }
    let projects = projects(desired);
    let group = |(layer, kinds): (Layer, BTreeMap<&str, (Kind, Vec<Node>)>)| Group {
        label: words::layer(layer, projects),
        kinds: kinds.into_values().collect(),
    };
    layers.into_iter().map(group).collect()
}

fn lines(desired: &Desired) -> Result<Vec<Line>, Cycle<Address>> {
    let graph = desired.graph();
    let reduced = reduce(&graph)?;
    let mut kinds: BTreeMap<(&Address, &Address), BTreeSet<EdgeKind>> = BTreeMap::new();
    for from in graph.keys() {
        for (to, kind) in graph.needs(from) {
            kinds.entry((from, to)).or_default().insert(*kind);
        }
    }
    let line = |((from, to), kinds): ((&Address, &Address), BTreeSet<EdgeKind>)| Line {
        from: from.clone(),
        to: to.clone(),
        implied: !reduced.contains(&(from, to)) && !kinds.contains(&EdgeKind::LivesIn),
        kinds: kinds.into_iter().collect(),
    };
    Ok(kinds.into_iter().map(line).collect())
}

/// How many projects there are; their names are the second part of their addresses.
fn projects(desired: &Desired) -> usize {
    desired.resources.keys().filter_map(Address::project).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
pub(super) mod tests {
    use super::*;
    use crate::resource::{Attributes, Edge, Endpoint, Resource};

    fn place() -> Place {
        Place { file: "a.toml".into(), line: 7, column: 1, span: (0, 0) }
    }

    fn resource(kind: &str, name: &str, needs: &[(EdgeKind, &str)]) -> Resource {
        let edge = |(kind, to): &(EdgeKind, &str)| Edge { kind: *kind, to: Address::from(*to) };
        Resource {
            address: Address::of(kind, name),
            kind: Kind::named(kind).unwrap(),
            endpoint: Endpoint::vcenter(),
            attributes: Attributes::default(),
            place: Attributes::default(),
            edges: needs.iter().map(edge).collect(),
            origin: place(),
            origins: BTreeMap::new(),
            adopt: false,
            protected: false,
        }
    }

    /// A folder, a VM in it, and a permission that needs VM and role, and says so twice of the VM;
    /// the name of the VM is one that no format may take for its own.
    pub fn small() -> Drawing {
        use EdgeKind::{After, LivesIn, Refers};
        let vm = "vsphere/vm/a\"<b>#1";
        let resources = [
            resource("vsphere/folder", "cht", &[]),
            resource("vsphere/role", "R", &[]),
            resource("vsphere/vm", "a\"<b>#1", &[(Refers, "vsphere/folder/cht")]),
            resource(
                "vsphere/permission",
                "p",
                &[
                    (LivesIn, vm),
                    (Refers, vm),
                    (After, "vsphere/folder/cht"),
                    (After, "vsphere/role/R"),
                ],
            ),
        ];
        let resources = resources.map(|one| (one.address.clone(), one)).into();
        Drawing::of("small", &Desired { resources, ..Desired::default() }).unwrap()
    }

    #[test]
    fn a_picture_leaves_out_what_a_chain_says() {
        let drawing = small();
        let shown = |line: &Line| format!("{} {:?} {}", line.from.name(), line.kinds, line.implied);
        let lines: Vec<String> = drawing.lines.iter().map(shown).collect();
        assert_eq!(
            lines,
            [
                "p [After] true",
                "p [After] false",
                "p [Refers, LivesIn] false",
                "a\"<b>#1 [Refers] false"
            ]
        );
        assert_eq!(drawing.drawn().map(Line::kind).max(), Some(EdgeKind::LivesIn));
    }

    #[test]
    fn groups_are_layers_and_kinds() {
        let drawing = small();
        let kinds = |group: &Group| group.kinds.iter().map(|(kind, _)| kind.name).collect();
        let groups: Vec<(&str, Vec<&str>)> =
            drawing.groups.iter().map(|group| (group.label.as_str(), kinds(group))).collect();
        let names = vec!["vsphere/folder", "vsphere/permission", "vsphere/role", "vsphere/vm"];
        assert_eq!(groups, [("vCenter", names)]);
    }
}
