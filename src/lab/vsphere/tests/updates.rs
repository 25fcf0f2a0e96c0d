//! Filters: what a session is told, once and again.

use crate::xml::Element;

use super::client::Client;

const COLLECTOR: &str = "PropertyCollector:propertyCollector";

fn filter(client: &mut Client, object: &str, path: &str) -> String {
    let (class, id) = object.split_once(':').unwrap();
    let body = format!(
        "<spec><propSet><type>{class}</type><pathSet>{path}</pathSet></propSet>\
         <objectSet><obj type=\"{class}\">{id}</obj></objectSet></spec><partialUpdates>false</partialUpdates>"
    );
    let answer = client.ok("CreateFilter", COLLECTOR, &body);
    format!("PropertyFilter:{}", answer.child_text("returnval").unwrap())
}

/// The set's version and, for each object, what became of it and its values.
fn ask(client: &mut Client, version: &str) -> Option<(String, Vec<String>)> {
    let body = format!(
        "<version>{version}</version><options><maxWaitSeconds>0</maxWaitSeconds></options>"
    );
    let answer = client.ok("WaitForUpdatesEx", COLLECTOR, &body);
    let set = answer.child("returnval")?;
    let version = set.child_text("version").unwrap().to_owned();
    let objects = set.children_named("filterSet").flat_map(|set| set.children_named("objectSet"));
    Some((version, objects.map(told).collect()))
}

fn told(object: &Element) -> String {
    let values = object.children_named("changeSet").filter_map(|change| change.child_text("val"));
    let values: Vec<&str> = values.collect();
    format!("{} {}", object.child_text("kind").unwrap(), values.join(" "))
}

#[test]
fn a_change_is_told_until_its_version_comes_back() {
    let mut client = Client::new();
    let machine = client.at("/DC1/vm/old/site/standing-1").unwrap();
    let filter = filter(&mut client, &machine, "runtime.powerState");
    let (first, told) = ask(&mut client, "").unwrap();
    assert_eq!(told, ["enter poweredOn"]);
    assert_eq!(ask(&mut client, &first), None);

    client.task("PowerOffVM_Task", &machine, "").unwrap();
    let (second, told) = ask(&mut client, &first).unwrap();
    assert_eq!(told, ["modify poweredOff"]);
    // The answer was lost: the client names the version it had before.
    let (second, again) = ask(&mut client, &first).filter(|(again, _)| *again != second).unwrap();
    assert_eq!(again, told);
    assert_eq!(ask(&mut client, &second), None);
    let body = format!("<version>{first}</version>");
    let (kind, _) = client.fault("CheckForUpdates", COLLECTOR, &body);
    assert_eq!(kind, "InvalidCollectorVersion");

    client.task("Destroy_Task", &machine, "").unwrap();
    assert_eq!(ask(&mut client, &second).unwrap().1, ["leave "]);
    client.ok("DestroyPropertyFilter", &filter, "");
    assert_eq!(client.fault("DestroyPropertyFilter", &filter, "").0, "ManagedObjectNotFound");
}

#[test]
fn a_call_waits_for_a_change_and_counts_once() {
    let mut client = Client::new();
    let machine = client.at("/DC1/vm/old/site/standing-1").unwrap();
    filter(&mut client, &machine, "name");
    let (version, _) = ask(&mut client, "").unwrap();
    let body = format!(
        "<version>{version}</version><options><maxWaitSeconds>1</maxWaitSeconds></options>"
    );
    let counted = client.desk.requests["WaitForUpdatesEx"];
    for _ in 0..3 {
        client.now += 300;
        assert!(client.raw("WaitForUpdatesEx", COLLECTOR, &body).waits);
    }
    assert_eq!(client.desk.requests["WaitForUpdatesEx"], counted);
    client.now += 500;
    let reply = client.raw("WaitForUpdatesEx", COLLECTOR, &body);
    assert!(!reply.waits && reply.status == 200);
    assert!(client.raw("WaitForUpdates", COLLECTOR, "").body.contains("standing-1"));
    assert!(client.raw("WaitForUpdates", COLLECTOR, &format!("<version>{}</version>", 2)).waits);
}
