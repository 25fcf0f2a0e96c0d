//! The DRS rules that keep machines of a group on different hosts.

use std::collections::BTreeMap;

use serde_json::json;

use super::{vcenter_paths, vm};
use crate::resource::{Address, Attributes, Endpoint, Kind, Resource, Value};
use crate::spec::{Group, KeepApart, Machine, Spec};

/// One rule for each group that asks for one and has two machines.
pub fn rules(spec: &Spec) -> Vec<Resource> {
    let groups = [
        ("servers", &spec.groups.servers, &spec.servers),
        ("agents", &spec.groups.agents, &spec.agents),
    ];
    groups
        .into_iter()
        .filter_map(|(name, group, machines)| rule(spec, name, group, machines))
        .collect()
}

fn rule(spec: &Spec, name: &str, group: &Group, machines: &[Machine]) -> Option<Resource> {
    let kind = Kind::named("vsphere/rule")?;
    let mandatory = match group.keep_apart.value {
        KeepApart::Off | KeepApart::Check => return None,
        KeepApart::Prefer => false,
        KeepApart::Require => true,
    };
    let vm = |machine: &Machine| Value::reference(&vm::address(machine), "moref");
    let vms: Vec<Value> = machines.iter().map(vm).collect();
    if vms.len() < 2 {
        return None;
    }
    // Unique in the cluster, where other specs may have rules of their own.
    let title = format!("{}-{name}", spec.name.value);
    let cluster = vcenter_paths::cluster(spec);
    let attributes = Value::map([
        ("name", title.clone().into()),
        ("cluster", cluster.clone().into()),
        ("vms", Value::List(vms)),
        ("mandatory", mandatory.into()),
        ("enabled", true.into()),
    ]);
    Some(Resource {
        address: Address::of("vsphere/rule", name),
        kind,
        endpoint: Endpoint::vcenter(),
        attributes: Attributes::new(&attributes.encode()),
        place: Attributes::new(&json!({ "cluster": cluster, "name": title })),
        edges: Vec::new(),
        origin: group.keep_apart.place.clone(),
        origins: BTreeMap::new(),
        adopt: false,
        protected: false,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::lower::testing::spec;

    fn check(keep_apart: &str, expected: Option<bool>) {
        let edit = format!("[servers]\nkeep_apart = \"{keep_apart}\"");
        let rules = rules(&spec(&[("[servers]", &edit)]));
        let mandatory: Vec<_> = rules
            .iter()
            .map(|rule| rule.attributes.tree()["mandatory"].as_bool().unwrap())
            .collect();
        assert_eq!(mandatory, Vec::from_iter(expected));
    }

    #[test]
    fn only_prefer_and_require_are_rules() {
        check("off", None);
        check("check", None);
        check("prefer", Some(false));
        check("require", Some(true));
    }

    #[test]
    fn a_rule_names_the_machines_of_its_group() {
        let rules = rules(&spec(&[("[agents]", "[agents]\nkeep_apart = \"prefer\"")]));
        let rule = rules.first().unwrap();
        assert_eq!(rule.address.as_str(), "vsphere/rule/agents");
        let tree = rule.attributes.tree();
        assert_eq!(tree["name"], "small-agents");
        assert_eq!(tree["cluster"], "/DC1/host/Cluster1");
        let vms = crate::resource::references(&tree["vms"]);
        let addresses: Vec<&str> = vms.iter().map(|vm| vm.address.as_str()).collect();
        assert_eq!(addresses, ["vsphere/vm/agent-1", "vsphere/vm/agent-2"]);
    }
}
