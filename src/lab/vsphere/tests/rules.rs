//! Anti-affinity rules: written, read, kept at power-on, drifted.

use super::super::drift::drift;
use super::super::status::status;
use super::client::Client;
use super::permissions::{grant, role};

const METHOD: &str = "ReconfigureComputeResource_Task";

fn info(fields: &str, machines: &[&str]) -> String {
    let vms = machines.iter().map(|machine| {
        let id = machine.trim_start_matches("VirtualMachine:");
        format!("<vm type=\"VirtualMachine\">{id}</vm>")
    });
    let vms: String = vms.collect();
    format!("<info xsi:type=\"ClusterAntiAffinityRuleSpec\">{fields}{vms}</info>")
}

fn spec(operation: &str, rest: &str, modify: bool) -> String {
    format!(
        "<spec xsi:type=\"ClusterConfigSpecEx\"><rulesSpec><operation>{operation}</operation>{rest}</rulesSpec></spec>\
         <modify>{modify}</modify>"
    )
}

fn add(name: &str, mandatory: bool, machines: &[&str]) -> String {
    let fields =
        format!("<enabled>true</enabled><name>{name}</name><mandatory>{mandatory}</mandatory>");
    spec("add", &info(&fields, machines), true)
}

/// A client, its cluster, and machines that are off.
fn begin<const N: usize>() -> (Client, String, [String; N]) {
    let mut client = Client::new();
    let cluster = client.at("/DC1/host/Cluster1").unwrap();
    let machines = std::array::from_fn(|place| client.clone_vm(&format!("m{place}"), "", false));
    (client, cluster, machines)
}

/// One field of the rule of that name; `None` when there is no such rule.
fn rule(client: &mut Client, cluster: &str, name: &str, field: &str) -> Option<String> {
    let rules = client.get(cluster, "configurationEx.rule")?;
    let rule = rules.children.iter().find(|rule| rule.child_text("name") == Some(name))?;
    let values: Vec<&str> = rule.children_named(field).map(|child| child.text.as_str()).collect();
    Some(values.join(" "))
}

#[test]
fn a_rule_lives_from_add_to_remove() {
    let (mut client, cluster, [a, b, c]) = begin();
    let before = status(&client.desk).digest;
    client.task(METHOD, &cluster, &add("apart", false, &[&a, &b, &c])).unwrap();
    let key = rule(&mut client, &cluster, "apart", "key").unwrap();
    assert_eq!(rule(&mut client, &cluster, "apart", "ruleUuid").unwrap().len(), 36);
    let listed = |client: &Client| {
        let inventory = status(&client.desk).inventory;
        inventory.iter().any(|object| object.path == "/DC1/host/Cluster1 apart")
    };
    assert!(listed(&client));
    let older = client.get(&cluster, "configuration.rule").unwrap();
    assert_eq!(older.children.len(), 2);
    let edit = |key: &str| {
        let fields = format!("{key}<enabled>false</enabled>");
        spec("edit", &info(&fields, &[&a, &b]), true)
    };
    let wrong = Err("InvalidArgument".to_owned());
    assert_eq!(client.task(METHOD, &cluster, &edit("")), wrong);
    client.task(METHOD, &cluster, &edit(&format!("<key>{key}</key>"))).unwrap();
    let read = |client: &mut Client, field| rule(client, &cluster, "apart", field).unwrap();
    assert_eq!((read(&mut client, "enabled"), read(&mut client, "vm")), {
        let ids = format!("{} {}", &a[15..], &b[15..]);
        ("false".to_owned(), ids)
    });
    let remove = |key: &str| {
        let key = format!("<removeKey xsi:type=\"xsd:int\">{key}</removeKey>");
        spec("remove", &key, true)
    };
    client.task(METHOD, &cluster, &remove(&key)).unwrap();
    assert_eq!(client.task(METHOD, &cluster, &remove(&key)), wrong);
    assert_eq!(status(&client.desk).digest, before);
    client.task(METHOD, &cluster, &add("apart", false, &[&a, &b])).unwrap();
    assert_ne!(rule(&mut client, &cluster, "apart", "key").unwrap(), key);
}

#[test]
fn rules_that_cannot_be_are_refused() {
    let (mut client, cluster, [a, b]) = begin();
    let template = client.at("/DC1/vm/ubuntu-22.04").unwrap();
    let mut refused = |body: &str| client.task(METHOD, &cluster, body).unwrap_err();
    assert_eq!(refused(&add("", false, &[&a, &b])), "InvalidArgument");
    assert_eq!(refused(&add("one", false, &[&a])), "InvalidArgument");
    assert_eq!(refused(&add("twice", false, &[&a, &a])), "InvalidArgument");
    assert_eq!(refused(&add("Other-Team-Apart", false, &[&a, &b])), "DuplicateName");
    assert_eq!(client.task(METHOD, &cluster, &add("templates", false, &[&a, &template])), {
        Ok(String::new())
    });
    for (body, kind) in [
        (add("x", false, &["VirtualMachine:vm-1", &a]), "ManagedObjectNotFound"),
        (add("x", false, &[&a, &b]).replace("AntiAffinity", "Affinity"), "NotSupported"),
        (
            add("x", false, &[&a, &b]).replace(" xsi:type=\"ClusterConfigSpecEx\"", ""),
            "InvalidRequest",
        ),
        (spec("remove", "", true), "InvalidArgument"),
        (spec("add", "", true), "InvalidArgument"),
        (spec("remove", "<removeKey>1</removeKey>", true), "InvalidRequest"),
    ] {
        assert_eq!(client.fault(METHOD, &cluster, &body).0, kind, "{body}");
    }
}

#[test]
fn reconfiguring_a_cluster_without_modify_drops_other_peoples_rules() {
    let (mut client, cluster, [a, b]) = begin();
    assert!(rule(&mut client, &cluster, "other-team-apart", "key").is_some());
    let body = add("apart", false, &[&a, &b]).replace("<modify>true", "<modify>false");
    client.task(METHOD, &cluster, &body).unwrap();
    assert!(rule(&mut client, &cluster, "other-team-apart", "key").is_none());
    assert!(rule(&mut client, &cluster, "apart", "key").is_some());
}

#[test]
fn rules_need_their_privilege_on_the_cluster() {
    let (mut client, cluster, [a, b]) = begin();
    let id = role(&mut client, "Rules", &[]);
    grant(&mut client, "/", &id, true);
    client.login("cht-storage@vsphere.local");
    assert_eq!(client.fault(METHOD, &cluster, &add("x", false, &[&a, &b])).0, "NoPermission");
}

#[test]
fn machines_of_a_rule_are_powered_on_apart_where_hosts_allow_it() {
    let (mut client, cluster, [a, b, c]) = begin();
    client.task(METHOD, &cluster, &add("apart", false, &[&a, &b, &c])).unwrap();
    let compliance = |client: &mut Client| rule(client, &cluster, "apart", "inCompliance").unwrap();
    client.task("PowerOnVM_Task", &a, "").unwrap();
    client.task("PowerOnVM_Task", &b, "").unwrap();
    assert_ne!(client.text(&a, "runtime.host"), client.text(&b, "runtime.host"));
    assert_eq!(compliance(&mut client), "true");
    client.task("PowerOnVM_Task", &c, "").unwrap();
    assert_eq!(compliance(&mut client), "false");
}

#[test]
fn a_mandatory_rule_refuses_power_on_when_hosts_are_too_few() {
    let (mut client, cluster, [a, b, c]) = begin();
    client.task(METHOD, &cluster, &add("apart", true, &[&a, &b, &c])).unwrap();
    client.task("PowerOnVM_Task", &a, "").unwrap();
    client.task("PowerOnVM_Task", &b, "").unwrap();
    assert_eq!(client.task("PowerOnVM_Task", &c, ""), Err("RuleViolation".to_owned()));
    assert_eq!(client.text(&c, "runtime.powerState"), "poweredOff");
}

#[test]
fn drs_moves_running_machines_apart_and_their_version_stays() {
    let mut client = Client::new();
    let cluster = client.at("/DC1/host/Cluster1").unwrap();
    let names = ["a", "b", "c", "d", "e"];
    let machines = names.map(|name| client.clone_vm(name, "", true));
    let hosts = machines.each_ref().map(|machine| client.text(machine, "runtime.host"));
    let place = (1..5).find(|place| hosts[*place] == hosts[0]).unwrap();
    let (first, second) = (&machines[0], &machines[place]);
    let version = client.text(second, "config.changeVersion");
    let first_version = client.text(first, "config.changeVersion");
    client.task(METHOD, &cluster, &add("apart", false, &[first, second])).unwrap();
    assert_ne!(client.text(first, "runtime.host"), client.text(second, "runtime.host"));
    assert_eq!(client.text(second, "config.changeVersion"), version);
    assert_eq!(client.text(first, "config.changeVersion"), first_version);
}

#[test]
fn a_destroyed_machine_leaves_its_rules() {
    let (mut client, cluster, [a, b, c]) = begin();
    client.task(METHOD, &cluster, &add("apart", false, &[&a, &b, &c])).unwrap();
    client.task("Destroy_Task", &b, "").unwrap();
    let rest = format!("{} {}", &a[15..], &c[15..]);
    assert_eq!(rule(&mut client, &cluster, "apart", "vm"), Some(rest));
}

#[test]
fn rules_drift_in_each_way_and_other_peoples_do_not() {
    let (mut client, cluster, [a, b, c]) = begin();
    client.task(METHOD, &cluster, &add("apart", false, &[&a, &b, &c])).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..60 {
        let (_, drifted) = drift(&client.desk.world, seed, 4, &mut |_| true);
        let rules = drifted.iter().filter(|change| change.object_type == "ClusterRule");
        for change in rules {
            assert_eq!(change.name, "/DC1/host/Cluster1 apart");
            seen.insert(change.property.clone());
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["enabled", "exists", "vm"]);
}
