//! DRS rules of a cluster: which machines must not share a host.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::xml::{Element, XSI};

use super::answer::Answer;
use super::call::{Call, flag, number};
use super::clone::refuse;
use super::fault::Fault;
use super::ids;
use super::placement::Placement;
use super::task::{Operation, Outcome, start};
use super::world::{Effect, Entity, Origin, Ref, World};

/// An anti-affinity rule; the lab has no other kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rule {
    /// Managed object id of its cluster.
    pub cluster: String,
    /// What `edit` and `remove` name it by.
    pub key: i32,
    pub uuid: String,
    pub name: String,
    pub enabled: bool,
    /// Whether power-on is refused rather than the rule broken.
    pub mandatory: bool,
    /// Managed object ids, in the order given.
    pub vms: Vec<String>,
    pub origin: Origin,
}

impl Rule {
    /// A new rule, with a key and a UUID that follow from its cluster and name.
    pub(super) fn new(world: &World, cluster: &Entity, name: &str, origin: Origin) -> Self {
        let mut rule = Self {
            cluster: cluster.id.clone(),
            key: 0,
            uuid: String::new(),
            name: name.to_owned(),
            enabled: false,
            mandatory: false,
            vms: Vec::new(),
            origin,
        };
        let born = rule.born();
        let generation = world.generations.get(&born).copied().unwrap_or_default().to_string();
        rule.uuid = ids::uuid(world.seed, "", &[&born, &generation]);
        let mut probe = 0_u64;
        loop {
            let drawn = ids::draw(world.seed, &[&born, &generation, &probe.to_string()]);
            rule.key = (drawn % 1_000_000) as i32 + 1;
            if world.rule(&cluster.id, rule.key).is_none() {
                return rule;
            }
            probe += 1;
        }
    }

    /// Counts towards the generations of rules of that name.
    pub(super) fn born(&self) -> String {
        format!("rule {} {}", self.cluster, self.name)
    }

    /// `/DC1/host/Cluster1 keep-apart`: how people name it.
    pub(super) fn title(&self, world: &World) -> String {
        format!("{} {}", world.path(&self.cluster), self.name)
    }

    /// The fault of a power-on that no host allows.
    pub(super) fn violation(&self) -> Fault {
        let values = [
            ("key", self.key.to_string()),
            ("enabled", self.enabled.to_string()),
            ("name", self.name.clone()),
            ("mandatory", self.mandatory.to_string()),
            ("ruleUuid", self.uuid.clone()),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        Fault::new(
            "RuleViolation",
            "This operation would violate a virtual machine affinity/anti-affinity rule.",
        )
        .record("rule", "ClusterRuleInfo", values.to_vec())
    }
}

/// `ReconfigureComputeResource_Task`, for rules only.
pub(super) fn reconfigure(call: &Call<'_>) -> Result<Answer, Fault> {
    let cluster = call.entity()?;
    call.require(cluster, "Host.Inventory.EditCluster")?;
    let spec = call.body.child("spec").ok_or_else(|| Fault::argument("spec"))?;
    if spec.xsi_type() != Some("ClusterConfigSpecEx") {
        return Err(Fault::argument("spec"));
    }
    refuse(spec, &["rulesSpec"], "spec")?;
    for rule in spec.children_named("rulesSpec") {
        check(call, rule)?;
    }
    let modify = flag(call.body, "modify").unwrap_or(true);
    let spec = spec.clone().attr("xmlns:xsi", XSI).to_xml();
    Ok(Answer::task(start(call, cluster, Operation::Cluster { spec, modify })?))
}

/// Writes the rules, at the end of the task. Without `modify` the cluster keeps no rule but those
/// that the spec names, as vCenter then resets whatever is unset. DRS then moves running machines
/// apart where hosts allow it; the real one takes up to five minutes.
pub(super) fn finish(world: &World, cluster: &Entity, spec: &Element, modify: bool) -> Outcome {
    let before: BTreeMap<i32, Rule> =
        world.rules_of(&cluster.id).map(|rule| (rule.key, rule.clone())).collect();
    let mut after = before.clone();
    let mut named = BTreeSet::new();
    for change in spec.children_named("rulesSpec") {
        named.extend(change_one(world, cluster, &mut after, change)?);
    }
    if !modify {
        after.retain(|key, _| named.contains(key));
    }
    let gone = before.keys().filter(|key| !after.contains_key(key));
    let gone = gone.map(|key| Effect::DropRule { cluster: cluster.id.clone(), key: *key });
    let put = after.values().filter(|rule| before.get(&rule.key) != Some(rule));
    let mut effects: Vec<Effect> = gone.chain(put.cloned().map(Effect::PutRule)).collect();
    let mut placement = Placement::new(world, &cluster.id, after.values().cloned().collect());
    effects.extend(placement.moves().into_iter().filter_map(|(vm, host)| {
        let entity = world.get(&vm)?;
        let machine = entity.machine()?.clone();
        Some(entity.with(super::machine::Machine { host, ..machine }))
    }));
    Ok((effects, None))
}

/// A cluster's rules as `configurationEx.rule` shows them.
pub(super) fn elements(world: &World, cluster: &str) -> Vec<Element> {
    let placement = Placement::new(world, cluster, Vec::new());
    let element = |rule: &Rule| {
        let complies = placement.complies(rule);
        let status = if complies || !rule.enabled { "green" } else { "red" };
        let fields = [
            ("key", rule.key.to_string()),
            ("status", status.to_owned()),
            ("enabled", rule.enabled.to_string()),
            ("name", rule.name.clone()),
            ("mandatory", rule.mandatory.to_string()),
            ("userCreated", "true".to_owned()),
            ("inCompliance", complies.to_string()),
            ("ruleUuid", rule.uuid.clone()),
        ];
        let vms = rule.vms.iter().map(|id| Ref::new("VirtualMachine", id).element("vm"));
        super::property::texts("rule", fields)
            .attr("xsi:type", "ClusterAntiAffinityRuleSpec")
            .extend(vms)
    };
    world.rules_of(cluster).map(element).collect()
}

const INFO: &str = "spec.rulesSpec.info";

/// What can be known of one change at once.
fn check(call: &Call<'_>, change: &Element) -> Result<(), Fault> {
    if change.child_text("operation") == Some("remove") {
        let key = number(change, "removeKey");
        return key.map(|_| ()).ok_or_else(|| Fault::argument("spec.rulesSpec.removeKey"));
    }
    let info = change.child("info").ok_or_else(|| Fault::argument(INFO))?;
    let class = info.xsi_type().unwrap_or("ClusterRuleInfo");
    if class != "ClusterAntiAffinityRuleSpec" {
        return Err(Fault::unsimulated(&format!("rules of type {class}")));
    }
    for vm in info.children_named("vm") {
        call.find(&Ref::read(vm))?;
    }
    Ok(())
}

/// Carries out one checked change; gives the key of the rule that is there afterwards.
fn change_one(
    world: &World,
    cluster: &Entity,
    rules: &mut BTreeMap<i32, Rule>,
    change: &Element,
) -> Result<Option<i32>, Fault> {
    let key = |element: &Element, name: &str| {
        number(element, name).and_then(|key| i32::try_from(key).ok())
    };
    let operation = change.child_text("operation").unwrap_or_default();
    if operation == "remove" {
        let gone = key(change, "removeKey").and_then(|key| rules.remove(&key));
        return match gone {
            Some(_) => Ok(None),
            None => Err(Fault::argument("spec.rulesSpec.removeKey")),
        };
    }
    let info = change.child("info").ok_or_else(|| Fault::argument(INFO))?;
    let name = info.child_text("name").filter(|name| !name.is_empty());
    let mut rule = if operation == "edit" {
        let known = key(info, "key").and_then(|key| rules.get(&key));
        known.cloned().ok_or_else(|| Fault::argument("spec.rulesSpec.info.key"))?
    } else {
        let name = name.ok_or_else(|| Fault::argument("spec.rulesSpec.info.name"))?;
        fresh(world, cluster, rules, name)
    };
    if let Some(name) = name {
        let taken = |other: &&Rule| other.key != rule.key && other.name.eq_ignore_ascii_case(name);
        if rules.values().any(|other| taken(&other)) {
            return Err(Fault::duplicate(name, &cluster.reference()));
        }
        name.clone_into(&mut rule.name);
    }
    rule.enabled = flag(info, "enabled").unwrap_or(rule.enabled);
    rule.mandatory = flag(info, "mandatory").unwrap_or(rule.mandatory);
    rule.vms = machines(world, cluster, info)?;
    let key = rule.key;
    rules.insert(key, rule);
    Ok(Some(key))
}

/// A rule whose key is free among those of the same request, too.
fn fresh(world: &World, cluster: &Entity, rules: &BTreeMap<i32, Rule>, name: &str) -> Rule {
    let mut rule = Rule::new(world, cluster, name, Origin::Client);
    while rules.contains_key(&rule.key) {
        rule.key += 1;
    }
    rule
}

/// At least two machines, each once, all in the cluster.
fn machines(world: &World, cluster: &Entity, info: &Element) -> Result<Vec<String>, Fault> {
    let wrong = || Fault::argument("spec.rulesSpec.info.vm");
    let mut vms: Vec<String> = Vec::new();
    for vm in info.children_named("vm") {
        let vm = Ref::read(vm);
        let entity = world.get(&vm.id).ok_or_else(|| Fault::gone(&vm))?;
        let host = entity.machine().and_then(|machine| world.get(&machine.host));
        let inside = host.is_some_and(|host| host.parent.as_ref() == Some(&cluster.id));
        if !inside || vms.contains(&vm.id) {
            return Err(wrong());
        }
        vms.push(vm.id);
    }
    if vms.len() < 2 {
        return Err(wrong());
    }
    Ok(vms)
}
