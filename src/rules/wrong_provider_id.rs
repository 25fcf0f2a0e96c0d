//! `wrong-provider-id`: CPI finds a node's VM by the UUID in its provider id. One that it does not
//! find has its Node deleted as soon as it is not Ready (cloud-provider-vsphere, `instances.go`);
//! on a server that takes the etcd member away, too. A provider id never changes: the node is made
//! anew, and while one is wrong only where `--replace` names it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::words::names;
use super::{Facts, Problem, Rule, cluster, hosts};
use crate::plan::{Action, Plan, Window};
use crate::resource::{Address, Reading};
use crate::spec::ProviderId;

const CPI: &str = "cluster/cpi/DaemonSet/vsphere-cloud-controller-manager";
const SKIP: &str = "SKIP_NODE_DELETION";

/// See the file's head. What disturbs no node may go ahead.
pub const RULE: Rule = Rule::deny("wrong-provider-id", check);

fn check(facts: &Facts<'_>, report: &mut Vec<Problem>) {
    let wrong = wrong(facts);
    let Some(first) = wrong.first() else { return };
    let all: Vec<&str> = wrong.iter().map(String::as_str).collect();
    let windows = facts.plan.map(|plan| disrupting(plan).count()).unwrap_or_default();
    let message = match windows {
        0 => format!("the provider id of {} is not the BIOS UUID of its VM", names(&all)),
        _ => format!(
            "no node may restart while the provider id of {} is not the BIOS UUID of its VM",
            names(&all)
        ),
    };
    let problem = Problem::at(&facts.spec.k3s.provider_id.place, message, way_out(facts, first));
    let blocks = facts.plan.is_some_and(|plan| windows > 0 && !is_the_way_out(facts, plan, &wrong));
    report.push(if blocks { problem } else { problem.warn() });
}

/// Those in which a node or its machine goes down.
fn disrupting(plan: &Plan) -> impl Iterator<Item = &Window> {
    plan.windows.iter().filter(|window| window.disrupts)
}

/// Every server names all of them, as far as it could see.
pub fn wrong(facts: &Facts<'_>) -> BTreeSet<String> {
    let read = facts.spec.all_machines().filter_map(|machine| hosts::k3s(facts, machine));
    read.flat_map(|k3s| {
        let listed = k3s["wrong_provider_ids"].as_array().cloned().unwrap_or_default();
        listed.into_iter().filter_map(|name| name.as_str().map(str::to_owned))
    })
    .collect()
}

fn way_out(facts: &Facts<'_>, first: &str) -> String {
    let server = facts.spec.servers.iter().any(|server| server.name.value == first);
    let kind = if server { "k3s/server" } else { "k3s/agent" };
    let uuid = match facts.spec.k3s.provider_id.value {
        ProviderId::BiosUuid => "",
        ProviderId::InstanceUuid => "set `provider_id = \"bios-uuid\"` in [k3s]; ",
    };
    format!(
        "there is one way out: see that the images of CPI and CSI can be pulled; set \
         `skip_node_deletion = true` in [cloud_provider] and apply, which sets SKIP_NODE_DELETION \
         on the CPI DaemonSet; {uuid}replace the nodes, one per apply: `boma apply --replace \
         {kind}/{first}`; then take `skip_node_deletion` off again"
    )
}

/// One of them is made anew and nothing else is disturbed, while CPI deletes no node.
fn is_the_way_out(facts: &Facts<'_>, plan: &Plan, wrong: &BTreeSet<String>) -> bool {
    let mut windows = disrupting(plan);
    let (Some(window), None) = (windows.next(), windows.next()) else { return false };
    let replaced = facts.spec.all_machines().any(|machine| {
        machine.name.value == window.machine.name()
            && wrong.contains(&machine.name.value)
            && hosts::change(facts, machine).is_some_and(|change| change.action == Action::Replace)
    });
    replaced && facts.spec.cloud_provider.skip_node_deletion.value && keeps_nodes(facts)
}

/// Whether the CPI that runs deletes no node, if one does. What the spec says of it counts only
/// once every pod of it has heard of that.
fn keeps_nodes(facts: &Facts<'_>) -> bool {
    match facts.live.and_then(|live| live.get(&Address::from(CPI))) {
        None | Some(Reading::Absent) => true,
        Some(Reading::Unread(_)) => false,
        Some(Reading::Present(cpi)) => {
            let cpi = cpi.attributes.tree();
            let mut variables =
                cluster::containers(&cpi).flat_map(|one| one["env"].as_array()).flatten();
            let skips = |one: &Json| one["name"] == SKIP && one["value"] != "";
            variables.any(skips) && cpi["ready"] != false
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{CPI, SKIP};
    use crate::diag::Level;
    use crate::plan::Action;
    use crate::rules::testing::{disturbing, findings, spec};

    const OFF: (&str, &str) =
        ("[storage]", "[cloud_provider]\nskip_node_deletion = true\n[storage]");

    fn check(edits: &[(&str, &str)], changes: &[(&str, Action)], expected: Level) {
        check_with(&[], edits, changes, expected);
    }

    fn check_with(
        seen: &[(&str, Json)],
        edits: &[(&str, &str)],
        changes: &[(&str, Action)],
        expected: Level,
    ) {
        let wrong = json!({"wrong_provider_ids": ["agent-1", "server-2"]});
        let seen = [&[("k3s/server/server-1", wrong)], seen].concat();
        let world = disturbing(&seen, changes);
        let found = findings(&spec(edits), &world);
        let found: Vec<Level> = found
            .iter()
            .filter(|found| found.rule == "wrong-provider-id")
            .map(|found| found.level)
            .collect();
        assert_eq!(found, [expected]);
    }

    #[test]
    fn only_the_replace_of_one_wrong_node_goes_ahead() {
        let replace = |node| (node, Action::Replace);
        check(&[OFF], &[replace("k3s/agent/agent-1")], Level::Warn);
        check(&[OFF], &[replace("k3s/server/server-2")], Level::Warn);
        check(&[OFF], &[replace("k3s/agent/agent-2")], Level::Deny);
        check(&[OFF], &[("k3s/agent/agent-1", Action::Update)], Level::Deny);
        let two = [replace("k3s/agent/agent-1"), replace("k3s/server/server-2")];
        check(&[OFF], &two, Level::Deny);
        check(&[], &[replace("k3s/agent/agent-1")], Level::Deny);
    }

    /// A spec says what shall be; CPI deletes nodes until it has heard of it.
    #[test]
    fn it_goes_ahead_once_the_cpi_that_runs_keeps_nodes() {
        let cpi = |env: Json, ready: bool| {
            let pod = json!({"containers": [{"name": "a", "env": env}]});
            (CPI, json!({"spec": {"template": {"spec": pod}}, "ready": ready}))
        };
        let one = [("k3s/agent/agent-1", Action::Replace)];
        let skips = json!([{"name": "A"}, {"name": SKIP, "value": "true"}]);
        check_with(&[cpi(json!([]), true)], &[OFF], &one, Level::Deny);
        check_with(&[cpi(json!([{"name": SKIP, "value": ""}]), true)], &[OFF], &one, Level::Deny);
        check_with(&[cpi(skips.clone(), false)], &[OFF], &one, Level::Deny);
        check_with(&[cpi(skips.clone(), true)], &[OFF], &one, Level::Warn);
        check_with(&[cpi(skips, true)], &[], &one, Level::Deny);
    }

    #[test]
    fn the_way_out_is_told_in_its_order() {
        let wrong = json!({"wrong_provider_ids": ["agent-1"]});
        let world = disturbing(&[("k3s/server/server-1", wrong)], &[]);
        let found = findings(&spec(&[]), &world);
        let help = &found[0].help;
        let steps = ["images", "SKIP_NODE_DELETION", "--replace k3s/agent/agent-1", "off again"];
        let at: Vec<usize> = steps.iter().map(|step| help.find(step).unwrap()).collect();
        assert!(at.is_sorted(), "{help}");
    }
}
