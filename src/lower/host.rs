//! What every resource on a machine shares, and the look at the machine itself.

use std::collections::BTreeMap;

use serde_json::json;

use super::vm;
use crate::plan::Observed;
use crate::resource::{
    Address, Attributes, Edge, EdgeKind, Endpoint, EndpointFacts, Kind, Place, Resource, Value,
};
use crate::spec::{Machine, Role, Spec};

/// Who answers for what is on a machine.
pub fn endpoint(machine: &Machine) -> Endpoint {
    Endpoint::named(format!("host/{}", *machine.name))
}

/// One endpoint for each machine. There is nobody to ask before its VM runs, and what is done to
/// one host is done in order.
pub fn endpoints(spec: &Spec) -> impl Iterator<Item = (Endpoint, EndpointFacts)> {
    spec.all_machines().map(|machine| {
        (endpoint(machine), EndpointFacts { limit: 1, opened_by: vec![vm::address(machine)] })
    })
}

/// One look at each machine, for the rules.
pub fn machines(spec: &Spec) -> Vec<Observed> {
    let Some(kind) = Kind::named("host/machine") else { return Vec::new() };
    spec.all_machines()
        .map(|machine| Observed {
            address: Address::of(kind.name, &machine.name),
            kind,
            endpoint: endpoint(machine),
            place: place(machine),
        })
        .collect()
}

/// What is desired on one machine.
pub struct OnHost<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The machine.
    pub machine: &'a Machine,
    /// See [`Resource::attributes`].
    pub attributes: Value,
    /// What comes first besides the machine's VM.
    pub after: Vec<Address>,
    /// The spec line that asks for it.
    pub origin: &'a Place,
    /// See [`Resource::origins`].
    pub origins: BTreeMap<String, Place>,
}

impl OnHost<'_> {
    /// The resource. On a machine that boma did not make it may stand already, and is not deleted
    /// with its last line in the spec.
    pub fn resource(self) -> Resource {
        let machine = self.machine;
        let standing = machine.template.is_none();
        let after = self.after.into_iter().map(|to| Edge { kind: EdgeKind::After, to });
        let vm = Edge { kind: EdgeKind::LivesIn, to: vm::address(machine) };
        Resource {
            address: Address::of(self.kind.name, &machine.name),
            kind: self.kind,
            endpoint: endpoint(machine),
            attributes: Attributes::new(&with_key(machine, self.attributes).encode()),
            place: place(machine),
            edges: after.chain([vm]).collect(),
            origin: self.origin.clone(),
            origins: self.origins,
            adopt: standing,
            protected: standing,
        }
    }
}

/// The attributes and the host key. Only what boma clones says which one it has; others are pinned
/// or known already.
fn with_key(machine: &Machine, attributes: Value) -> Value {
    let Value::Map(mut map) = attributes else { return attributes };
    if machine.template.is_some() {
        map.insert("host_key".into(), Value::reference(&vm::address(machine), "host_key"));
    }
    Value::Map(map)
}

fn place(machine: &Machine) -> Attributes {
    let role = match machine.role {
        Role::Server => "server",
        Role::Agent => "agent",
    };
    Attributes::new(&json!({
        "machine": machine.name.as_str(),
        "address": machine.address.to_string(),
        "role": role,
    }))
}
